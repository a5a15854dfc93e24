using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OptiInfra.Kubernetes.Client;

namespace OptiInfra.Kubernetes.Webhooks;

/// <summary>
/// The certificate to show to the next client. It may be exchanged at any moment: connections that exist keep theirs, new ones get the
/// new one.
/// </summary>
public sealed class ServingCertificates
{
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(10);

    private readonly Lock gate = new();
    private readonly string? folder;
    private readonly TimeProvider time;
    private readonly KubeMetrics metrics;
    private SslStreamCertificateContext current;
    private string text = "";
    private long lookedAt;

    /// <summary>Serves what it is given; see <see cref="Use"/>.</summary>
    public ServingCertificates(KeyPair first)
    {
        ArgumentNullException.ThrowIfNull(first);
        time = TimeProvider.System;
        metrics = KubeMetrics.None;
        current = Context(first.CertificatePem, first.KeyPem);
    }

    /// <summary>Serves <c>tls.crt</c> and <c>tls.key</c> of a folder, and looks for new ones at most every ten seconds.</summary>
    public ServingCertificates(string folder, TimeProvider time, KubeMetrics metrics)
    {
        this.folder = folder;
        this.time = time;
        this.metrics = metrics;
        (text, current) = Read();
        lookedAt = time.GetTimestamp();
    }

    /// <summary>The certificate of the moment.</summary>
    public SslStreamCertificateContext Current
    {
        get
        {
            lock (gate)
            {
                if (folder is not null && time.GetElapsedTime(lookedAt) >= Poll)
                {
                    lookedAt = time.GetTimestamp();
                    Reload_NeedsLock();
                }

                return current;
            }
        }
    }

    /// <summary>Shows this certificate from now on.</summary>
    public void Use(KeyPair pair)
    {
        ArgumentNullException.ThrowIfNull(pair);
        SslStreamCertificateContext next = Context(pair.CertificatePem, pair.KeyPem);
        lock (gate)
        {
            current = next;
        }
    }

    private void Reload_NeedsLock()
    {
        try
        {
            (string found, SslStreamCertificateContext next) = Read();
            if (found != text)
            {
                (text, current) = (found, next);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            // Half written, or certificate and key do not match yet: the old one serves until the next look.
            metrics.CertificateReadErrors.WithLabels().Inc();
        }
    }

    private (string Text, SslStreamCertificateContext Context) Read()
    {
        string certificate = File.ReadAllText(Path.Combine(folder!, "tls.crt"));
        string key = File.ReadAllText(Path.Combine(folder!, "tls.key"));
        metrics.CertificateReads.WithLabels().Inc();
        return (certificate + key, Context(certificate, key));
    }

    private static SslStreamCertificateContext Context(string certificatePem, string keyPem)
    {
        using X509Certificate2 pem = X509Certificate2.CreateFromPem(certificatePem, keyPem);
        // TLS on Windows needs a key that is not ephemeral; a trip through PKCS#12 gives one, and costs nothing elsewhere.
        X509Certificate2 certificate = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
        return SslStreamCertificateContext.Create(certificate, additionalCertificates: null, offline: true);
    }
}
