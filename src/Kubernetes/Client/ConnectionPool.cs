using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace OptiInfra.Kubernetes.Client;

/// <summary>
/// Connections made with one client certificate and one certificate authority. Calls and watches have separate ones, so that no
/// call waits for a stream that a watch holds. A retired pool closes when its last user has gone: rotation fails no call.
/// </summary>
internal sealed class ConnectionPool : IDisposable
{
    private readonly Lock gate = new();
    private readonly HttpMessageInvoker calls;
    private readonly HttpMessageInvoker watches;
    private int users;
    private bool retired;

    public ConnectionPool(KubeConfig config, X509Certificate2? certificate, X509Certificate2Collection? authorities)
    {
        calls = new HttpMessageInvoker(Handler(config, certificate, authorities, forWatches: false));
        watches = new HttpMessageInvoker(Handler(config, certificate, authorities, forWatches: true));
    }

    public HttpMessageInvoker For(bool watch) => watch ? watches : calls;

    public bool TryEnter()
    {
        lock (gate)
        {
            users += retired ? 0 : 1;
            return !retired;
        }
    }

    public void Leave()
    {
        lock (gate)
        {
            users--;
            CloseIfUnused_NeedsLock();
        }
    }

    /// <summary>No new users; close when the present ones are gone.</summary>
    public void Retire()
    {
        lock (gate)
        {
            retired = true;
            CloseIfUnused_NeedsLock();
        }
    }

    public void Dispose()
    {
        calls.Dispose();
        watches.Dispose();
    }

    private void CloseIfUnused_NeedsLock()
    {
        if (retired && users == 0)
        {
            Dispose();
        }
    }

    private static SocketsHttpHandler Handler(KubeConfig config, X509Certificate2? certificate, X509Certificate2Collection? authorities, bool forWatches)
    {
        var handler = new SocketsHttpHandler
        {
            EnableMultipleHttp2Connections = true,
            // The pings find dead connections early, but .NET may stop sending them on a connection that is full or was told to go
            // away; the deadlines of watches and calls are what we rely on.
            KeepAlivePingDelay = TimeSpan.FromSeconds(30),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(15),
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.Always,
            PooledConnectionLifetime = forWatches ? Timeout.InfiniteTimeSpan : TimeSpan.FromMinutes(10),
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(2),
            ConnectTimeout = TimeSpan.FromSeconds(10),
            AutomaticDecompression = forWatches || config.DisableCompression ? DecompressionMethods.None : DecompressionMethods.GZip,
            AllowAutoRedirect = false,
            UseCookies = false,
            ActivityHeadersPropagator = null,
            ConnectCallback = ConnectAsync,
            UseProxy = config.ProxyUrl is not null,
            Proxy = config.ProxyUrl is { } proxy ? new WebProxy(proxy) : null,
        };
        handler.SslOptions = Tls(config, certificate, authorities);
        return handler;
    }

    private static SslClientAuthenticationOptions Tls(KubeConfig config, X509Certificate2? certificate, X509Certificate2Collection? authorities)
    {
        var options = new SslClientAuthenticationOptions
        {
            ClientCertificates = certificate is null ? null : [certificate],
        };
        if (config.InsecureSkipTlsVerify)
        {
            options.RemoteCertificateValidationCallback = (_, _, _, _) => config.InsecureSkipTlsVerify;
        }
        else if (authorities is not null)
        {
            options.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            options.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        }

        return options;
    }

    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 30);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 10);
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
