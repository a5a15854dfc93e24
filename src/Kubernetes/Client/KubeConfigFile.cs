using System.Text;
using System.Text.Json.Nodes;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Kubernetes.Client;

/// <summary>
/// Kubeconfig files, merged as client-go merges them: the first file that names an entry wins, relative paths are relative to
/// the file that holds them, a missing file of a list is skipped.
/// https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
/// </summary>
internal sealed class KubeConfigFile
{
    private readonly Dictionary<string, Entry> clusters = [];
    private readonly Dictionary<string, Entry> users = [];
    private readonly Dictionary<string, Entry> contexts = [];
    private readonly List<string> read = [];
    private string? currentContext;

    private sealed record Entry(JsonObject Fields, string Name, string File)
    {
        public string? Text(string field) => Fields[field] switch
        {
            null => null,
            JsonValue value => value.ToString() is { Length: > 0 } text ? text : null,
            _ => throw new KubeConfigException($"{File}: \"{field}\" of \"{Name}\" must be text"),
        };

        public bool Flag(string field) => Fields[field] is JsonValue value && value.TryGetValue(out bool flag) && flag;

        public string? FilePath(string field) =>
            Text(field) is { } path ? Path.GetFullPath(path, Path.GetDirectoryName(Path.GetFullPath(File))!) : null;

        public string? Data(string field)
        {
            try
            {
                return Text(field) is { } data ? Encoding.UTF8.GetString(Convert.FromBase64String(data)) : null;
            }
            catch (FormatException e)
            {
                throw new KubeConfigException($"{File}: \"{field}\" of \"{Name}\" is not base64", e);
            }
        }
    }

    public static KubeConfigFile Read(IReadOnlyList<string> paths, bool mustExist)
    {
        var config = new KubeConfigFile();
        foreach (string path in paths)
        {
            if (File.Exists(path))
            {
                config.Merge(path);
            }
            else if (mustExist)
            {
                throw new KubeConfigException($"kubeconfig {path} does not exist");
            }
        }

        return config.read.Count > 0
            ? config
            : throw new KubeConfigException($"none of the kubeconfig files exists: {string.Join(", ", paths)}");
    }

    public KubeConfig Resolve(string? contextName)
    {
        string files = string.Join(", ", read);
        contextName ??= currentContext
            ?? throw new KubeConfigException($"{files}: no current-context is set; choose one of: {string.Join(", ", contexts.Keys)}");
        Entry context = contexts.GetValueOrDefault(contextName)
            ?? throw new KubeConfigException($"{files}: context \"{contextName}\" does not exist; known: {string.Join(", ", contexts.Keys)}");
        Entry cluster = Find(clusters, "cluster", context);
        Entry? user = context.Text("user") is null ? null : Find(users, "user", context);
        var config = new KubeConfig
        {
            Server = ServerOf(cluster),
            Namespace = context.Text("namespace") ?? "default",
            CertificateAuthorityPem = cluster.Data("certificate-authority-data"),
            CertificateAuthorityFile = cluster.FilePath("certificate-authority"),
            InsecureSkipTlsVerify = cluster.Flag("insecure-skip-tls-verify"),
            TlsServerName = cluster.Text("tls-server-name"),
            ProxyUrl = ProxyOf(cluster),
            DisableCompression = cluster.Flag("disable-compression"),
        };
        if (config.InsecureSkipTlsVerify && (config.CertificateAuthorityFile ?? config.CertificateAuthorityPem) is not null)
        {
            throw new KubeConfigException($"{cluster.File}: cluster \"{cluster.Name}\" has both a certificate authority and insecure-skip-tls-verify");
        }

        return user is null ? config : WithUser(config, user);
    }

    private void Merge(string path)
    {
        JsonObject root = Parse(path);
        read.Add(path);
        currentContext ??= root["current-context"]?.ToString() is { Length: > 0 } current ? current : null;
        Collect(root, "clusters", "cluster", clusters, path);
        Collect(root, "users", "user", users, path);
        Collect(root, "contexts", "context", contexts, path);
    }

    private static JsonObject Parse(string path)
    {
        try
        {
            return YamlJson.ReadAll(File.ReadAllText(path)) switch
            {
                [] => [],
                [JsonObject one] => one,
                _ => throw new KubeConfigException($"{path}: a kubeconfig is one YAML mapping"),
            };
        }
        catch (FormatException e)
        {
            throw new KubeConfigException($"{path}: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new KubeConfigException($"{path} cannot be read: {e.Message}", e);
        }
    }

    private static void Collect(JsonObject root, string list, string field, Dictionary<string, Entry> into, string path)
    {
        foreach (JsonNode? item in root[list] as JsonArray ?? [])
        {
            if (item is JsonObject entry && entry["name"]?.ToString() is { } name)
            {
                into.TryAdd(name, new Entry(entry[field] as JsonObject ?? [], name, path));
            }
        }
    }

    private static Entry Find(Dictionary<string, Entry> entries, string what, Entry context)
    {
        string name = context.Text(what)
            ?? throw new KubeConfigException($"{context.File}: context \"{context.Name}\" names no {what}");
        return entries.GetValueOrDefault(name)
            ?? throw new KubeConfigException($"{context.File}: context \"{context.Name}\" names {what} \"{name}\", which does not exist");
    }

    private static Uri ServerOf(Entry cluster)
    {
        string text = cluster.Text("server")
            ?? throw new KubeConfigException($"{cluster.File}: cluster \"{cluster.Name}\" has no server");
        string url = text.Contains("://", StringComparison.Ordinal) ? text : $"http://{text}";
        return Uri.TryCreate(url, UriKind.Absolute, out Uri? server) && server.Scheme is "http" or "https"
            ? server
            : throw new KubeConfigException($"{cluster.File}: server \"{text}\" of cluster \"{cluster.Name}\" is not an http(s) URL");
    }

    private static Uri? ProxyOf(Entry cluster)
    {
        if (cluster.Text("proxy-url") is not { } text)
        {
            return null;
        }

        return Uri.TryCreate(text, UriKind.Absolute, out Uri? proxy) && proxy.Scheme is "http" or "https" or "socks5"
            ? proxy
            : throw new KubeConfigException($"{cluster.File}: proxy-url \"{text}\" of cluster \"{cluster.Name}\" must be an http, https or socks5 URL");
    }

    private static KubeConfig WithUser(KubeConfig config, Entry user)
    {
        config = config with
        {
            Token = user.Text("token"),
            TokenFile = user.FilePath("tokenFile"),
            Username = user.Text("username"),
            Password = user.Text("password"),
            ClientCertificatePem = user.Data("client-certificate-data"),
            ClientCertificateFile = user.FilePath("client-certificate"),
            ClientKeyPem = user.Data("client-key-data"),
            ClientKeyFile = user.FilePath("client-key"),
            Exec = ExecOf(user),
            Impersonate = ImpersonationOf(user),
        };
        bool certificate = (config.ClientCertificatePem ?? config.ClientCertificateFile) is not null;
        bool key = (config.ClientKeyPem ?? config.ClientKeyFile) is not null;
        if (certificate != key)
        {
            throw new KubeConfigException($"{user.File}: user \"{user.Name}\" has a client {(key ? "key but no certificate" : "certificate but no key")}");
        }

        if (user.Fields["auth-provider"] is not null)
        {
            throw new KubeConfigException($"{user.File}: user \"{user.Name}\" uses auth-provider, which Kubernetes removed in 1.26; use an exec plugin");
        }

        return config;
    }

    private static ExecPlugin? ExecOf(Entry user)
    {
        if (user.Fields["exec"] is not JsonObject fields)
        {
            return null;
        }

        var exec = new Entry(fields, user.Name, user.File);
        string version = exec.Text("apiVersion") ?? "";
        if (version is not ("client.authentication.k8s.io/v1" or "client.authentication.k8s.io/v1beta1"))
        {
            throw new KubeConfigException($"{user.File}: exec plugin of user \"{user.Name}\" has apiVersion \"{version}\"; client.authentication.k8s.io/v1 and v1beta1 are supported");
        }

        string command = exec.Text("command")
            ?? throw new KubeConfigException($"{user.File}: exec plugin of user \"{user.Name}\" has no command");
        var environment = new Dictionary<string, string>();
        foreach (JsonObject variable in (fields["env"] as JsonArray ?? []).OfType<JsonObject>())
        {
            environment[variable["name"]?.ToString() ?? ""] = variable["value"]?.ToString() ?? "";
        }

        return new ExecPlugin
        {
            ApiVersion = version,
            // A command with a slash is a path relative to the file; a bare name is looked up in PATH.
            Command = command.Contains('/', StringComparison.Ordinal) ? exec.FilePath("command")! : command,
            Arguments = Strings(fields["args"]),
            Environment = environment,
            ProvideClusterInfo = exec.Flag("provideClusterInfo"),
            InteractiveMode = exec.Text("interactiveMode") ?? "IfAvailable",
            InstallHint = exec.Text("installHint"),
        };
    }

    private static Impersonation? ImpersonationOf(Entry user)
    {
        string? name = user.Text("as");
        string? uid = user.Text("as-uid");
        IReadOnlyList<string> groups = Strings(user.Fields["as-groups"]);
        var extra = (user.Fields["as-user-extra"] as JsonObject ?? []).ToDictionary(pair => pair.Key, pair => Strings(pair.Value));
        return name is null && uid is null && groups.Count == 0 && extra.Count == 0 ? null : new Impersonation(name, uid, groups, extra);
    }

    private static IReadOnlyList<string> Strings(JsonNode? node) =>
        node is JsonArray array ? [.. array.Select(item => item?.ToString() ?? "")] : [];
}
