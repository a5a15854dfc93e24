using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace OptiInfra.Kubernetes.Tests;

/// <summary>
/// A CONNECT proxy (for whoever says CONNECT) or a plain relay (for whoever does not) to one server. It notes the targets asked for, and
/// can swallow all bytes of its connections without closing them: what a dead network path looks like.
/// </summary>
internal sealed class TunnelProxy : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly Uri target;
    private readonly ConcurrentBag<Tunnel> tunnels = [];
    private readonly Task accepting;

    private TunnelProxy(Uri target)
    {
        this.target = target;
        listener.Start();
        accepting = AcceptAsync();
    }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");

    public ConcurrentQueue<string> Targets { get; } = new();

    public static TunnelProxy Start(Uri target) => new(target);

    /// <summary>New connections are closed at once.</summary>
    public volatile bool Refuses;

    public void CutPresentConnections()
    {
        foreach (Tunnel tunnel in tunnels)
        {
            tunnel.Dispose();
        }
    }

    public void SwallowPresentConnections()
    {
        foreach (Tunnel tunnel in tunnels)
        {
            tunnel.Swallows = true;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Stop();
        await accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (Tunnel tunnel in tunnels)
        {
            tunnel.Dispose();
        }

        stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            TcpClient client = await listener.AcceptTcpClientAsync(stop.Token);
            if (Refuses)
            {
                client.Dispose();
                continue;
            }

            _ = ServeAsync(client);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            NetworkStream near = client.GetStream();
            byte[] buffer = new byte[64 * 1024];
            int read = await near.ReadAsync(buffer, stop.Token);
            string first = Encoding.ASCII.GetString(buffer, 0, read);
            var server = new TcpClient();
            await server.ConnectAsync(IPAddress.Loopback, target.Port, stop.Token);
            var tunnel = new Tunnel(client, server);
            tunnels.Add(tunnel);
            if (first.StartsWith("CONNECT ", StringComparison.Ordinal))
            {
                Targets.Enqueue(first.Split(' ')[1]);
                await near.WriteAsync("HTTP/1.1 200 OK\r\n\r\n"u8.ToArray(), stop.Token);
            }
            else
            {
                await server.GetStream().WriteAsync(buffer.AsMemory(0, read), stop.Token);
            }

            await Task.WhenAny(tunnel.RelayAsync(near, server.GetStream(), stop.Token), tunnel.RelayAsync(server.GetStream(), near, stop.Token));
            if (!tunnel.Swallows)
            {
                tunnel.Dispose();
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
        {
            client.Dispose();
        }
    }

    private sealed class Tunnel(TcpClient near, TcpClient far) : IDisposable
    {
        public volatile bool Swallows;

        public async Task RelayAsync(NetworkStream from, NetworkStream to, CancellationToken cancellationToken)
        {
            byte[] buffer = new byte[64 * 1024];
            int read;
            while ((read = await from.ReadAsync(buffer, cancellationToken)) > 0)
            {
                if (!Swallows)
                {
                    await to.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                }
            }
        }

        public void Dispose()
        {
            near.Dispose();
            far.Dispose();
        }
    }
}
