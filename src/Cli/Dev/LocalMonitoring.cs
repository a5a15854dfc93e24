using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using OptiInfra.Crds;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;
using OptiInfra.Operator;
using OptiInfra.Operator.Feedback;
using OptiInfra.Operator.Sync;

namespace OptiInfra.Cli.Dev;

/// <summary>How monitoring runs on this machine.</summary>
internal sealed record LocalMonitoringOptions
{
    public required KubeConfig Cluster { get; init; }

    /// <summary>The stack that this Prometheus serves.</summary>
    public ObjectKey Stack { get; init; } = new("optiinfra-system", "default");

    /// <summary>Its spec; mode and address are filled in.</summary>
    public JsonObject? StackSpec { get; init; }

    /// <summary>Where Prometheus keeps its configuration, data and log.</summary>
    public required string Folder { get; init; }

    /// <summary>Null runs operator and sync without one.</summary>
    public Tool? Prometheus { get; init; }

    public int PrometheusPort { get; init; }

    public TimeSpan Feedback { get; init; } = TimeSpan.FromSeconds(1);

    public required ILogger Logger { get; init; }
}

/// <summary>
/// Operator and sync in this process and a real Prometheus beside it, for any cluster that a kubeconfig leads to. It
/// installs the kinds and one stack, and leaves them there.
/// </summary>
internal sealed class LocalMonitoring : IAsyncDisposable
{
    /// <summary>What Prometheus runs until sync brings the stack's configuration.</summary>
    private const string EmptyConfiguration = "global: {}\n";

    private readonly LocalMonitoringOptions options;
    private readonly KubeClient client;
    private readonly PrometheusProcess? prometheus;
    private readonly string configuration;
    private CancellationTokenSource stop = new();
    private Task operating = Task.CompletedTask;
    private Task syncing = Task.CompletedTask;

    private LocalMonitoring(LocalMonitoringOptions options, KubeClient client, PrometheusProcess? prometheus, string configuration)
    {
        this.options = options;
        this.client = client;
        this.prometheus = prometheus;
        this.configuration = configuration;
    }

    public Uri? Prometheus => prometheus?.Address;

    /// <summary>Completes when a part of it failed; says which.</summary>
    public Task Failure => Task.WhenAny(operating, syncing).Unwrap();

    public static async Task<LocalMonitoring> StartAsync(LocalMonitoringOptions options, CancellationToken stop)
    {
        string configuration = Path.Combine(options.Folder, "prometheus");
        GenerationDirectory directory = new(configuration);
        if (directory.Current.IsEmpty)
        {
            directory.Write(GenerationDirectory.NoFiles.Add("prometheus.yml", EmptyConfiguration));
        }

        PrometheusProcess? prometheus = options.Prometheus is { } tool
            ? await PrometheusProcess.StartAsync(tool, directory.ConfigFile, Path.Combine(options.Folder, "data"), options.PrometheusPort, stop)
            : null;
        LocalMonitoring monitoring = new(options, new KubeClient(options.Cluster), prometheus, configuration);
        try
        {
            await monitoring.InstallAsync(stop);
            monitoring.Resume();
            return monitoring;
        }
        catch
        {
            await monitoring.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops operator and sync as a crash would, Prometheus goes on; <see cref="Resume"/> starts them again.</summary>
    public async Task PauseAsync()
    {
        await stop.CancelAsync();
        await Task.WhenAll(operating, syncing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Resume()
    {
        stop.Dispose();
        stop = new CancellationTokenSource();
        StartOperator();
        StartSync();
    }

    public async ValueTask DisposeAsync()
    {
        await PauseAsync();
        stop.Dispose();
        if (prometheus is not null)
        {
            await prometheus.DisposeAsync();
        }

        client.Dispose();
    }

    private async Task InstallAsync(CancellationToken cancellation)
    {
        Manifests manifests = new(client);
        await manifests.InstallKindsAsync(cancellation);
        JsonObject spec = (JsonObject?)options.StackSpec?.DeepClone() ?? [];
        spec["mode"] = "external";
        JsonObject server = spec["prometheus"] as JsonObject ?? [];
        server["url"] = (prometheus?.Address ?? new Uri("http://127.0.0.1:9090")).AbsoluteUri;
        spec["prometheus"] = server.DeepClone();
        await manifests.ApplyAsync(new JsonObject
        {
            ["apiVersion"] = OptiResources.Stacks.Kind.ApiVersion,
            ["kind"] = OptiResources.Stacks.Kind.Kind,
            ["metadata"] = new JsonObject { ["name"] = options.Stack.Name, ["namespace"] = options.Stack.Namespace },
            ["spec"] = spec,
        }, cancellation);
    }

    private void StartOperator()
    {
        OperatorOptions wanted = new() { LeaderElection = false, Listen = null, Feedback = new FeedbackOptions { Interval = options.Feedback } };
        operating = new OperatorApp(wanted, client, KubeMetrics.None, TimeProvider.System, options.Logger).RunAsync(stop.Token);
    }

    private void StartSync()
    {
        if (prometheus is not null)
        {
            syncing = SyncAsync(prometheus.Address, stop.Token);
        }
        else
        {
            syncing = new TaskCompletionSource().Task.WaitAsync(stop.Token);
        }
    }

    private async Task SyncAsync(Uri address, CancellationToken cancellation)
    {
        SyncOptions wanted = new() { Stack = options.Stack.Name, Namespace = options.Stack.Namespace, Directory = configuration, Prometheus = address };
        await using SyncApp app = new(wanted, client, TimeProvider.System, options.Logger);
        await app.RunAsync(cancellation);
    }
}
