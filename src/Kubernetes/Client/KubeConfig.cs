namespace OptiInfra.Kubernetes.Client;

/// <summary>
/// How to reach one cluster as one user: the resolved form of a kubeconfig context or of a pod's service account.
/// Files are named rather than read where they may be rotated under us; the transport re-reads those.
/// </summary>
public sealed record KubeConfig
{
    public required Uri Server { get; init; }

    public string Namespace { get; init; } = "default";

    public string? CertificateAuthorityFile { get; init; }

    public string? CertificateAuthorityPem { get; init; }

    public bool InsecureSkipTlsVerify { get; init; }

    /// <summary>The name to expect in the server's certificate, and to send as SNI, instead of the host of <see cref="Server"/>.</summary>
    public string? TlsServerName { get; init; }

    public Uri? ProxyUrl { get; init; }

    public bool DisableCompression { get; init; }

    public string? Token { get; init; }

    public string? TokenFile { get; init; }

    public string? Username { get; init; }

    public string? Password { get; init; }

    public string? ClientCertificateFile { get; init; }

    public string? ClientCertificatePem { get; init; }

    public string? ClientKeyFile { get; init; }

    public string? ClientKeyPem { get; init; }

    public ExecPlugin? Exec { get; init; }

    public Impersonation? Impersonate { get; init; }

    /// <summary>
    /// The configuration a person or a pod would expect: an explicit file, else the files of <c>KUBECONFIG</c> merged, else the
    /// pod's service account, else <c>~/.kube/config</c>.
    /// </summary>
    public static KubeConfig Load(KubeConfigSource? source = null)
    {
        source ??= new KubeConfigSource();
        if (source.Path is { Length: > 0 } path)
        {
            return KubeConfigFile.Read([path], mustExist: true).Resolve(source.Context);
        }

        if (source.Variable("KUBECONFIG") is { Length: > 0 } list)
        {
            string[] paths = list.Split(System.IO.Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
            return KubeConfigFile.Read(paths, mustExist: false).Resolve(source.Context);
        }

        if (source.Variable("KUBERNETES_SERVICE_HOST") is { Length: > 0 } && File.Exists(source.ServiceAccountFile("token")))
        {
            return InCluster(source);
        }

        string home = System.IO.Path.Combine(source.Home, ".kube", "config");
        return File.Exists(home)
            ? KubeConfigFile.Read([home], mustExist: true).Resolve(source.Context)
            : throw new KubeConfigException($"no cluster is configured: KUBECONFIG is not set, this is not a pod, and {home} does not exist; name a kubeconfig file");
    }

    /// <summary>The configuration of a pod: its service account's token, and the API server's address from the environment.</summary>
    public static KubeConfig InCluster(KubeConfigSource? source = null)
    {
        source ??= new KubeConfigSource();
        string? host = source.Variable("KUBERNETES_SERVICE_HOST");
        string? port = source.Variable("KUBERNETES_SERVICE_PORT");
        if (string.IsNullOrEmpty(host) || !int.TryParse(port, out int number))
        {
            throw new KubeConfigException("this is not a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set");
        }

        string token = source.ServiceAccountFile("token");
        string ca = source.ServiceAccountFile("ca.crt");
        string ns = source.ServiceAccountFile("namespace");
        return File.Exists(token)
            ? new KubeConfig
            {
                Server = new UriBuilder("https", host, number).Uri,
                TokenFile = token,
                CertificateAuthorityFile = File.Exists(ca) ? ca : null,
                Namespace = File.Exists(ns) ? File.ReadAllText(ns).Trim() : "default",
            }
            : throw new KubeConfigException($"the service account token {token} is missing; is automountServiceAccountToken off?");
    }
}

/// <summary>Where <see cref="KubeConfig.Load"/> looks; the defaults are what kubectl does.</summary>
public sealed record KubeConfigSource
{
    public string? Path { get; init; }

    public string? Context { get; init; }

    public string Home { get; init; } = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);

    public string ServiceAccountDirectory { get; init; } = "/var/run/secrets/kubernetes.io/serviceaccount";

    public Func<string, string?> Variable { get; init; } = Environment.GetEnvironmentVariable;

    internal string ServiceAccountFile(string name) => System.IO.Path.Combine(ServiceAccountDirectory, name);
}

/// <summary>Act as somebody else (the <c>Impersonate-*</c> headers).</summary>
public sealed record Impersonation(string? User, string? Uid, IReadOnlyList<string> Groups, IReadOnlyDictionary<string, IReadOnlyList<string>> Extra);

/// <summary>A program that prints credentials (client.authentication.k8s.io).</summary>
public sealed record ExecPlugin
{
    public required string ApiVersion { get; init; }

    public required string Command { get; init; }

    public IReadOnlyList<string> Arguments { get; init; } = [];

    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    public bool ProvideClusterInfo { get; init; }

    /// <summary><c>Never</c>, <c>IfAvailable</c> or <c>Always</c>; we have no terminal to offer, so the last is refused.</summary>
    public string InteractiveMode { get; init; } = "IfAvailable";

    public string? InstallHint { get; init; }
}
