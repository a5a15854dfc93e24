using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace OptiInfra.ApiServer.Access;

/// <summary>
/// A certificate authority made for one server, the server's certificate, one for the administrator, and a token that
/// says the same. With plain HTTP there are no certificates.
/// </summary>
internal sealed class Credentials
{
    private static readonly TimeSpan Life = TimeSpan.FromDays(365);

    private X509Certificate2? authority;

    public required string Token { get; init; }

    public string CaPem { get; private init; } = "";

    public X509Certificate2? ServerCertificate { get; private init; }

    public string ClientCertificatePem { get; private init; } = "";

    public string ClientKeyPem { get; private init; } = "";

    public static Credentials Create(DevApiServerOptions options)
    {
        string token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        if (options.Http)
        {
            return new Credentials { Token = token };
        }

        DateTimeOffset from = options.Clock.GetUtcNow().AddMinutes(-5);
        using ECDsa caKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest caRequest = new("CN=optiinfra-dev-ca", caKey, HashAlgorithmName.SHA256);
        caRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        caRequest.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        X509Certificate2 ca = caRequest.CreateSelfSigned(from, from + Life);
        (X509Certificate2 server, _) = Issue(ca, "CN=optiinfra-dev-apiserver", from, server: true);
        (X509Certificate2 client, string clientKey) = Issue(ca, "O=system:masters,CN=admin", from, server: false);
        return new Credentials
        {
            Token = token,
            CaPem = ca.ExportCertificatePem(),
            authority = ca,
            ServerCertificate = server,
            ClientCertificatePem = client.ExportCertificatePem(),
            ClientKeyPem = clientKey,
        };
    }

    /// <summary>Whether a client certificate was issued by this server's authority.</summary>
    public bool Trusts(X509Certificate2 certificate)
    {
        using X509Chain chain = new();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority!);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        return chain.Build(certificate);
    }

    public string Kubeconfig(Uri url)
    {
        string cluster = CaPem.Length == 0 ? "" : $"\n    certificate-authority-data: {Base64(CaPem)}";
        string user = CaPem.Length == 0
            ? $"token: {Token}"
            : $"client-certificate-data: {Base64(ClientCertificatePem)}\n    client-key-data: {Base64(ClientKeyPem)}";
        return $"""
            apiVersion: v1
            kind: Config
            clusters:
            - name: optiinfra-dev
              cluster:
                server: {url.GetLeftPart(UriPartial.Authority)}{cluster}
            users:
            - name: admin
              user:
                {user}
            contexts:
            - name: optiinfra-dev
              context:
                cluster: optiinfra-dev
                user: admin
                namespace: default
            current-context: optiinfra-dev

            """;
    }

    /// <summary>Written for the owner only, and in one step, so that nobody reads half a file.</summary>
    public static async Task WriteKubeconfigAsync(string path, string text, CancellationToken cancellationToken)
    {
        string full = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        string fresh = full + ".new";
        await File.WriteAllTextAsync(fresh, text, cancellationToken).ConfigureAwait(false);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(fresh, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        File.Move(fresh, full, overwrite: true);
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.ASCII.GetBytes(text));

    private static (X509Certificate2 Certificate, string KeyPem) Issue(X509Certificate2 ca, string subject, DateTimeOffset from, bool server)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(server ? "1.3.6.1.5.5.7.3.1" : "1.3.6.1.5.5.7.3.2")], false));
        if (server)
        {
            SubjectAlternativeNameBuilder names = new();
            names.AddDnsName("localhost");
            names.AddDnsName("kubernetes.default.svc");
            names.AddIpAddress(IPAddress.Loopback);
            names.AddIpAddress(IPAddress.IPv6Loopback);
            request.CertificateExtensions.Add(names.Build());
        }

        byte[] serial = RandomNumberGenerator.GetBytes(12);
        using X509Certificate2 issued = request.Create(ca, from, from + Life - TimeSpan.FromHours(1), serial);
        using X509Certificate2 withKey = issued.CopyWithPrivateKey(key);
        return (X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pfx), null), key.ExportPkcs8PrivateKeyPem());
    }
}
