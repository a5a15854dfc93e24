using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using OptiInfra.ApiServer;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;
using OptiInfra.Kubernetes.Runtime;

namespace OptiInfra.Bench.Kubernetes;

/// <summary>What the runtime costs: to fill a cache, to keep it, to do nothing, and to be cut off again and again.</summary>
internal static class RuntimeMeasurements
{
    private const int Objects = 10_000;

    public static Measurement[] All { get; } =
    [
        new("kubernetes.cache", CacheAsync),
        new("kubernetes.reconnects", ReconnectsAsync),
        new("kubernetes.queue", QueueAsync),
    ];

    private static async Task<IReadOnlyList<Figure>> CacheAsync()
    {
        await using DevApiServer server = await DevApiServer.StartAsync(new DevApiServerOptions { Http = true });
        using var client = new KubeClient(new KubeConfig { Server = server.Url });
        long json = await FillAsync(client);

        await SyncAsync(client); // the first one also compiles
        var informer = new Informer<ConfigMap>(client, KubeTypes.ConfigMaps, new InformerOptions<ConfigMap> { LabelSelector = "bench=yes" });
        long before = Heap();
        using var stop = new CancellationTokenSource();
        var watch = Stopwatch.StartNew();
        Task running = informer.RunAsync(stop.Token);
        await informer.WaitForSyncAsync(CancellationToken.None);
        double seconds = watch.Elapsed.TotalSeconds;
        double perObject = (double)(Heap() - before) / Objects;
        double overhead = perObject - ((double)json / Objects);

        double requests = client.Requests();
        TimeSpan cpu = Process.GetCurrentProcess().TotalProcessorTime;
        watch.Restart();
        await Task.Delay(TimeSpan.FromSeconds(5));
        double idle = (Process.GetCurrentProcess().TotalProcessorTime - cpu) / watch.Elapsed * 100;
        double idleRequests = client.Requests() - requests;
        await stop.CancelAsync();
        await running;
        GC.KeepAlive(informer);
        return
        [
            new Figure("10,000 objects: first list to complete cache", seconds, "s", 1),
            new Figure("10,000 objects: heap per object beyond its JSON", overhead, "B", 2000),
            new Figure("idle for 5 s: requests", idleRequests, "", 0),
            new Figure("idle for 5 s: processor, server included", idle, "%", 1),
        ];
    }

    private static async Task SyncAsync(KubeClient client)
    {
        using var stop = new CancellationTokenSource();
        var informer = new Informer<ConfigMap>(client, KubeTypes.ConfigMaps, new InformerOptions<ConfigMap> { LabelSelector = "bench=yes" });
        Task running = informer.RunAsync(stop.Token);
        await informer.WaitForSyncAsync(CancellationToken.None);
        await stop.CancelAsync();
        await running;
    }

    private static async Task<long> FillAsync(KubeClient client)
    {
        long bytes = 0;
        await Parallel.ForEachAsync(Enumerable.Range(0, Objects), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, cancellationToken) =>
        {
            var manifest = new JsonObject
            {
                ["apiVersion"] = "v1",
                ["kind"] = "ConfigMap",
                ["metadata"] = new JsonObject { ["namespace"] = "default", ["name"] = $"bench-{i}", ["labels"] = new JsonObject { ["bench"] = "yes", ["app"] = $"a{i % 100}" } },
                ["data"] = new JsonObject { ["key"] = new string('x', 500) },
            };
            JsonObject created = await client.CreateAsync(KubeTypes.ConfigMaps.Kind, manifest, cancellationToken);
            Interlocked.Add(ref bytes, Encoding.UTF8.GetByteCount(created.ToJsonString()));
        });
        return bytes;
    }

    /// <summary>A server that ends every watch after one bookmark; the heap must not notice how often.</summary>
    private static async Task<IReadOnlyList<Figure>> ReconnectsAsync()
    {
        const int Many = 10_000;
        using var server = new HangUpServer();
        using var client = new KubeClient(new KubeConfig { Server = server.Address });
        int watches = 0;
        async Task WatchAsync(int times)
        {
            for (int i = 0; i < times; i++)
            {
                await foreach (WatchEvent<ConfigMap> next in client.WatchAsync(KubeTypes.ConfigMaps, null, new WatchOptions { ResourceVersion = "5" }, CancellationToken.None))
                {
                    watches += next.Type == WatchEventType.Bookmark ? 1 : 0;
                }
            }
        }

        await WatchAsync(500);
        long before = Heap();
        var watch = Stopwatch.StartNew();
        await WatchAsync(Many);
        double each = watch.Elapsed.TotalMicroseconds / Many;
        double growth = (Heap() - before) / 1024.0;
        return
        [
            new Figure("10,000 reconnects: growth of the heap", Math.Max(0, growth), "KiB", 256),
            new Figure("one reconnect (connection, request, frame)", each, "µs"),
        ];
    }

    private static async Task<IReadOnlyList<Figure>> QueueAsync()
    {
        const int Keys = 200_000;
        using var queue = new WorkQueue<int>("bench");
        var watch = Stopwatch.StartNew();
        for (int i = 0; i < Keys; i++)
        {
            queue.Add(i, i % 2 == 0 ? WorkQueue<int>.Low : 0);
        }

        for (int i = 0; i < Keys; i++)
        {
            WorkItem<int>? item = await queue.GetAsync(CancellationToken.None);
            queue.Done(item!.Key);
        }

        return [new Figure("queue: add, get and done of a key, 200,000 waiting", watch.Elapsed.TotalNanoseconds / Keys, "ns")];
    }

    private static long Heap()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return GC.GetTotalMemory(forceFullCollection: true);
    }

    private static double Requests(this KubeClient client) => client.Metrics.Requests.AllSeries().Sum(series => series.Value);

    /// <summary>Answers every request on a connection with one bookmark, and hangs up.</summary>
    private sealed class HangUpServer : IDisposable
    {
        private static readonly byte[] Answer = Encoding.ASCII.GetBytes(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
            + """{"type":"BOOKMARK","object":{"kind":"ConfigMap","apiVersion":"v1","metadata":{"resourceVersion":"6"}}}""" + "\n");

        private readonly TcpListener listener = new(IPAddress.Loopback, 0);

        public HangUpServer()
        {
            listener.Start();
            _ = ServeAsync();
        }

        public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");

        public void Dispose() => listener.Dispose();

        private async Task ServeAsync()
        {
            byte[] request = new byte[4096];
            try
            {
                while (true)
                {
                    using TcpClient client = await listener.AcceptTcpClientAsync();
                    NetworkStream stream = client.GetStream();
                    await stream.ReadAtLeastAsync(request, 16, throwOnEndOfStream: false);
                    await stream.WriteAsync(Answer);
                    client.Client.Shutdown(SocketShutdown.Send);
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException)
            {
                // The measurement is over.
            }
        }
    }
}
