using System.Text.Json.Nodes;
using OptiInfra.ApiServer;
using OptiInfra.Kubernetes.Client;

namespace OptiInfra.Cli.Dev;

/// <summary>How a laptop cluster runs; see <see cref="DevCluster"/>.</summary>
internal sealed record DevOptions
{
    /// <summary>Where it keeps everything; without it a temporary folder that is removed at the end.</summary>
    public string? Folder { get; init; }

    /// <summary>Folder or file with resources to apply; without it the samples of the demo fleet.</summary>
    public string? Apply { get; init; }

    public int ApiPort { get; init; }

    public int PrometheusPort { get; init; }

    public bool Fleet { get; init; } = true;
}

/// <summary>
/// A cluster on a laptop: embedded API server, operator and sync in this process; Prometheus and the demo fleet as
/// processes beside it. It stops what it started, in reverse order.
/// </summary>
internal sealed class DevCluster : IAsyncDisposable
{
    /// <summary>Quick enough to watch, slow enough not to warm the laptop.</summary>
    private static readonly JsonObject StackSpec = new()
    {
        ["defaults"] = new JsonObject { ["interval"] = "5s", ["timeout"] = "4s", ["evaluationInterval"] = "5s" },
        ["alertmanager"] = new JsonObject { ["enabled"] = false },
    };

    private readonly Stack<IAsyncDisposable> parts = new();
    private readonly bool isTemporary;

    private DevCluster(string folder, bool isTemporary)
    {
        Folder = folder;
        this.isTemporary = isTemporary;
    }

    public string Folder { get; }

    public string KubeconfigPath => Path.Combine(Folder, "kubeconfig");

    public Uri Api { get; private set; } = null!;

    public KubeClient Client { get; private set; } = null!;

    public Tool? PrometheusTool { get; private set; }

    public Uri? Prometheus { get; private set; }

    public DemoFleet? Fleet { get; private set; }

    /// <summary>What could not be applied, one line each.</summary>
    public IReadOnlyList<string> Problems { get; private set; } = [];

    /// <summary>Completes when a part of it failed.</summary>
    public Task Failure { get; private set; } = Task.CompletedTask;

    public static async Task<DevCluster> StartAsync(DevOptions options, Action<string> progress, CancellationToken stop)
    {
        string folder = options.Folder is { } named ? Directory.CreateDirectory(named).FullName : Directory.CreateTempSubdirectory("optiinfra-dev-").FullName;
        DevCluster cluster = new(folder, options.Folder is null);
        try
        {
            await cluster.StartPartsAsync(options, progress, stop);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        while (parts.TryPop(out IAsyncDisposable? part))
        {
            await part.DisposeAsync();
        }

        if (isTemporary)
        {
            Directory.Delete(Folder, recursive: true);
        }
    }

    private async Task StartPartsAsync(DevOptions options, Action<string> progress, CancellationToken stop)
    {
        FileLog log = new(Path.Combine(Folder, "optiinfra.log"), TimeProvider.System);
        parts.Push(new Later(log.Dispose));
        progress("starting the API server");
        DevApiServer server = await DevApiServer.StartAsync(new DevApiServerOptions { Listen = $"127.0.0.1:{options.ApiPort}", KubeconfigPath = KubeconfigPath }, stop);
        parts.Push(server);
        Api = server.Url;
        KubeConfig config = KubeConfig.Load(new KubeConfigSource { Path = KubeconfigPath });
        Client = new KubeClient(config);
        parts.Push(new Later(Client.Dispose));

        PrometheusTool = await Toolbox.FindAsync("prometheus", stop);
        bool usable = PrometheusTool?.Version >= Toolbox.OldestPrometheus;
        progress(usable ? $"starting Prometheus {PrometheusTool!.Version}, operator and sync" : "starting the operator");
        LocalMonitoring monitoring = await LocalMonitoring.StartAsync(new LocalMonitoringOptions
        {
            Cluster = config,
            Folder = Folder,
            Prometheus = usable ? PrometheusTool : null,
            PrometheusPort = options.PrometheusPort,
            StackSpec = StackSpec,
            Logger = log,
        }, stop);
        parts.Push(monitoring);
        Prometheus = monitoring.Prometheus;
        Failure = monitoring.Failure;
        await ApplyAsync(options, progress, stop);
        await StartFleetAsync(options, progress, stop);
    }

    private async Task ApplyAsync(DevOptions options, Action<string> progress, CancellationToken stop)
    {
        (IReadOnlyList<(string Source, JsonObject Manifest)> manifests, List<string> problems) = ManifestFiles.Read(options.Apply);
        progress($"applying {manifests.Count} resources");
        Manifests apply = new(Client);
        foreach ((string source, JsonObject manifest) in manifests)
        {
            if ((string?)manifest["kind"] == "MonitoringStack")
            {
                continue; // The one of this machine serves all.
            }

            if (options.Apply is null && manifest["spec"] is JsonObject spec)
            {
                // The fleet has no databases, so there is nothing that its exporters could export.
                spec.Remove("exporters");
            }

            try
            {
                await apply.ApplyAsync(manifest, stop);
            }
            catch (Exception refused) when (refused is KubeApiException or System.Text.Json.JsonException)
            {
                problems.Add($"{source}: {refused.Message}");
            }
        }

        Problems = problems;
    }

    private async Task StartFleetAsync(DevOptions options, Action<string> progress, CancellationToken stop)
    {
        if (!options.Fleet || DemoFleet.Program() is not { } program)
        {
            return;
        }

        progress("starting the demo fleet");
        Manifests apply = new(Client);
        foreach (JsonObject manifest in DemoFleet.Objects())
        {
            await apply.ApplyAsync(manifest, stop);
        }

        Fleet = await DemoFleet.StartAsync(program, Path.Combine(Folder, "fleet"), stop);
        parts.Push(Fleet);
    }

    private sealed class Later(Action dispose) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            dispose();
            return ValueTask.CompletedTask;
        }
    }
}
