using System.Collections.Immutable;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using OptiInfra.Compiler.Model;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;
using OptiInfra.Kubernetes.Runtime;
using OptiInfra.Operator.Prometheus;
using OptiInfra.Operator.Reconcile;
using FileSet = System.Collections.Immutable.ImmutableSortedDictionary<string, string>;

namespace OptiInfra.Operator.Sync;

/// <summary>
/// <c>sync</c> lives beside Prometheus and carries its stack's configuration from the API to Prometheus within a second:
///   Informer            watches the stack's ConfigMaps and Secrets (no waiting for the kubelet);
///   ArtifactFiles       turns them into files and target specifications;
///   TargetTable         resolves specifications to addresses (TargetWatch, TargetResolver) and writes file_sd files;
///   ReloadCycle         writes the rest as one generation, reloads, verifies, isolates what Prometheus refuses;
///   ReportWriter        tells the operator what is loaded.
/// Guarantees: Prometheus never reads half a change; what worked goes on working; without the API server, and without
/// the operator, everything stays as it was. It decides nothing about content: that is the compiler's work.
/// </summary>
internal sealed class SyncApp : IAsyncDisposable
{
    private readonly SyncOptions options;
    private readonly TimeProvider clock;
    private readonly ILogger logger;
    private readonly Channel<bool> signal = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Informer<ConfigMap> configMaps;
    private readonly Informer<Secret> secrets;
    private readonly PrometheusApi prometheus;
    private readonly TargetWatch watch;
    private readonly TargetTable table;
    private readonly SecretFolder secretFolder;
    private readonly ReloadCycle cycle;
    private readonly string targets;
    private readonly ReportWriter reports;
    private readonly Dictionary<string, string> taken = [];

    public SyncApp(SyncOptions options, KubeClient client, TimeProvider clock, ILogger logger)
    {
        this.options = options;
        this.clock = clock;
        this.logger = logger;
        string ours = $"{Contract.StackLabel}={options.Stack}";
        configMaps = new Informer<ConfigMap>(client, KubeTypes.ConfigMaps, new InformerOptions<ConfigMap>
        {
            Namespaces = [options.Namespace],
            LabelSelector = $"{ours},{Contract.ArtifactLabel} in ({Artifacts.Config},{Artifacts.Scrape},{Artifacts.Rules})",
            Logger = logger,
        });
        secrets = new Informer<Secret>(client, KubeTypes.Secrets, new InformerOptions<Secret>
        {
            Namespaces = [options.Namespace],
            LabelSelector = $"{ours},{Contract.ArtifactLabel}={Artifacts.Secrets}",
            Logger = logger,
        });
        configMaps.AddHandler(_ => Signal());
        secrets.AddHandler(_ => Signal());
        prometheus = new PrometheusApi(options.Prometheus);
        watch = new TargetWatch(client, Signal, logger);
        GenerationDirectory directory = new(options.Directory);
        targets = directory.Targets;
        table = new TargetTable(targets);
        secretFolder = new SecretFolder(directory.Secrets);
        cycle = new ReloadCycle(directory, prometheus);
        reports = new ReportWriter(client, new ObjectKey(options.Namespace, Naming.StackObject(options.Stack, SyncReport.Artifact)), options.Replica, logger);
    }

    /// <summary>Everything has been seen once and Prometheus runs it.</summary>
    public bool IsReady { get; private set; }

    public async Task RunAsync(CancellationToken stop)
    {
        using CancellationTokenSource ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task[] running = [configMaps.RunAsync(ending.Token), secrets.RunAsync(ending.Token), LoopAsync(ending.Token)];
        try
        {
            await await Task.WhenAny(running);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked to stop.
        }
        finally
        {
            await ending.CancelAsync();
            await Task.WhenAll(running).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await watch.DisposeAsync();
        prometheus.Dispose();
    }

    private async Task LoopAsync(CancellationToken stop)
    {
        await configMaps.WaitForSyncAsync(stop);
        await secrets.WaitForSyncAsync(stop);
        Signal();
        while (await signal.Reader.WaitToReadAsync(stop))
        {
            await Task.Delay(options.Gather, clock, stop);
            signal.Reader.TryRead(out _);
            if (!await PassAsync(stop))
            {
                _ = RetryAsync(stop);
            }
        }
    }

    /// <summary>Brings what the stores hold now to Prometheus; false when something is left to be tried again.</summary>
    private async Task<bool> PassAsync(CancellationToken stop)
    {
        IReadOnlyList<ConfigMap> maps = configMaps.Store.List();
        secretFolder.Write(secrets.Store.List());
        TakeSpecifications(maps);
        await watch.FollowAsync(table.Namespaces);
        foreach ((string ns, string? service) in watch.TakeTouched())
        {
            table.Touch(ns, service);
        }

        table.Flush(watch.View);
        FileSet files = ArtifactFiles.Of(maps);
        if (files.IsEmpty)
        {
            return await reports.WriteAsync(new SyncReport { Waiting = "the stack has no configuration yet" }, stop);
        }

        // Prometheus watches a folder from the moment it loads the job; one that is not there then it looks for again after minutes.
        foreach (ScrapeClass known in ClassText.Parse(files.GetValueOrDefault($"{Contract.ScrapeDirectory}/{Contract.ClassesFile}") ?? ""))
        {
            Directory.CreateDirectory(Path.Combine(targets, known.Id));
        }

        LoadState state = await cycle.LoadAsync(files, stop);
        IsReady = state == LoadState.Loaded;
        bool reported = await reports.WriteAsync(Report(maps, state), stop);
        return IsReady && reported;
    }

    private void TakeSpecifications(IReadOnlyList<ConfigMap> maps)
    {
        foreach (ConfigMap map in maps.Where(map => ArtifactFiles.Is(map, Artifacts.Scrape)))
        {
            string name = map.Metadata.Name!;
            if (taken.GetValueOrDefault(name) != map.Metadata.ResourceVersion)
            {
                taken[name] = map.Metadata.ResourceVersion ?? "";
                table.Put(name, ArtifactFiles.Specifications(map));
            }
        }

        foreach (string name in taken.Keys.Where(name => !maps.Any(map => map.Metadata.Name == name)).ToArray())
        {
            taken.Remove(name);
            table.Put(name, []);
        }
    }

    private SyncReport Report(IReadOnlyList<ConfigMap> maps, LoadState state)
    {
        if (state == LoadState.Unconfirmed)
        {
            logger.LogInformation("Prometheus at {Address} does not answer yet; its files are written", options.Prometheus);
            return new SyncReport { Waiting = $"Prometheus at {options.Prometheus} does not answer" };
        }

        foreach ((string file, Quarantined refused) in cycle.Quarantine)
        {
            logger.LogWarning("Prometheus refuses {File}; what was loaded before stays: {Reason}", file, refused.Reason);
        }

        return new SyncReport
        {
            Loaded = new SortedDictionary<string, string>(maps.ToDictionary(map => map.Metadata.Name!, map => map.Metadata.ResourceVersion ?? ""), StringComparer.Ordinal),
            Refused = new SortedDictionary<string, string>(cycle.Quarantine.ToDictionary(pair => pair.Key, pair => pair.Value.Reason), StringComparer.Ordinal),
            Problems = table.Problems.Take(SyncReport.MaxProblems).ToDictionary(),
        };
    }

    private void Signal() => signal.Writer.TryWrite(true);

    private async Task RetryAsync(CancellationToken stop)
    {
        await Task.Delay(options.Retry, clock, stop).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        Signal();
    }
}
