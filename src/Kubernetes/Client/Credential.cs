using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace OptiInfra.Kubernetes.Client;

/// <summary>Who we are, for one request: an Authorization header, a client certificate, both or neither.</summary>
internal sealed record Identity(AuthenticationHeaderValue? Authorization, X509Certificate2? Certificate)
{
    public static readonly Identity Anonymous = new(null, null);
}

/// <summary>Where an identity comes from, and when it is looked up again.</summary>
internal abstract class Credential : IDisposable
{
    public abstract ValueTask<Identity> GetAsync(CancellationToken cancellationToken);

    /// <summary>The server refused this identity (401). True when asking again may bring another one.</summary>
    public abstract bool Reject(Identity refused);

    public virtual void Dispose()
    {
    }

    public static Credential For(KubeConfig config, TimeProvider time)
    {
        if (config.Exec is { } plugin)
        {
            return new ExecCredential(plugin, config, time);
        }

        return config.TokenFile is not null || config.ClientCertificateFile is not null
            ? new FileCredential(config, time)
            : new FixedCredential(config);
    }

    internal static X509Certificate2 Certificate(string certificatePem, string keyPem, string where)
    {
        try
        {
            X509Certificate2 certificate = X509Certificate2.CreateFromPem(certificatePem, keyPem);
            // Windows' TLS cannot use a key that lives only in memory.
            return OperatingSystem.IsWindows()
                ? X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null)
                : certificate;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new KubeConfigException($"{where}: client certificate and key cannot be used: {e.Message}", e);
        }
    }
}

/// <summary>A token, a password or a certificate that stands in the kubeconfig itself.</summary>
internal sealed class FixedCredential(KubeConfig config) : Credential
{
    private readonly Identity identity = new(
        (config.Token, config.Username) switch
        {
            ({ } token, _) => new AuthenticationHeaderValue("Bearer", token),
            (_, { } user) => new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{config.Password}"))),
            _ => null,
        },
        config is { ClientCertificatePem: { } certificate, ClientKeyPem: { } key } ? Certificate(certificate, key, "kubeconfig") : null);

    public override ValueTask<Identity> GetAsync(CancellationToken cancellationToken) => ValueTask.FromResult(identity);

    public override bool Reject(Identity refused) => false;
}

/// <summary>
/// Tokens and certificates in files, which kubelets and cert-managers rotate. A token is read again after a minute (a rotated one is
/// valid long before the old one ends), a certificate after five; both at once when the server says 401.
/// </summary>
internal sealed class FileCredential(KubeConfig config, TimeProvider time) : Credential
{
    private static readonly TimeSpan TokenLife = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan CertificateLife = TimeSpan.FromMinutes(5);

    private readonly Lock gate = new();
    private string? token;
    private long tokenRead;
    private string? certificateText;
    private X509Certificate2? certificate;
    private long certificateRead;
    private Identity? current;

    public override ValueTask<Identity> GetAsync(CancellationToken cancellationToken)
    {
        lock (gate)
        {
            bool changed = ReadToken() | ReadCertificate();
            if (changed || current is null)
            {
                string? bearer = token ?? config.Token;
                current = new Identity(bearer is null ? null : new AuthenticationHeaderValue("Bearer", bearer), certificate);
            }

            return ValueTask.FromResult(current);
        }
    }

    public override bool Reject(Identity refused)
    {
        lock (gate)
        {
            tokenRead = 0;
            certificateRead = 0;
            return true;
        }
    }

    private bool ReadToken()
    {
        if (config.TokenFile is null || (tokenRead != 0 && time.GetElapsedTime(tokenRead) < TokenLife))
        {
            return false;
        }

        string? before = token;
        try
        {
            token = File.ReadAllText(config.TokenFile).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // While the kubelet swaps the file, the token we have still works.
            token = before ?? throw new KubeConfigException($"token file {config.TokenFile} cannot be read: {e.Message}", e);
        }

        tokenRead = time.GetTimestamp();
        return token != before;
    }

    private bool ReadCertificate()
    {
        if ((config.ClientCertificateFile ?? config.ClientCertificatePem) is null
            || (certificateRead != 0 && time.GetElapsedTime(certificateRead) < CertificateLife))
        {
            return false;
        }

        string where = config.ClientCertificateFile ?? "kubeconfig";
        string? before = certificateText;
        try
        {
            string pem = config.ClientCertificatePem ?? File.ReadAllText(config.ClientCertificateFile!);
            string key = config.ClientKeyPem ?? File.ReadAllText(config.ClientKeyFile!);
            if (pem + key != before)
            {
                certificate = Certificate(pem, key, where);
                certificateText = pem + key;
            }
        }
        catch (Exception e) when (certificate is not null && e is IOException or UnauthorizedAccessException or KubeConfigException)
        {
            // Half a rotation: certificate and key do not belong together yet. The next look will find them whole.
            certificateText = before;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new KubeConfigException($"{where}: client certificate or key cannot be read: {e.Message}", e);
        }

        certificateRead = time.GetTimestamp();
        return certificateText != before;
    }
}
