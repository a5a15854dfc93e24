using System.Collections.Immutable;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using OptiInfra.Compiler.Emit;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;
using OptiInfra.Operator.Feedback;
using OptiInfra.Operator.Sync;

namespace OptiInfra.Operator.Reconcile;

/// <summary>
/// All we keep about one stack: what its agents and policies compile to (the two shelves and the classes), what sync
/// reports as loaded, and what Prometheus was last seen doing. Reconcilers put texts in; one loop writes them; status
/// rules read.
/// </summary>
internal sealed class StackWorld(KubeClient client, ObjectApplier applier, TimeProvider clock, ILogger logger) : IDisposable
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(30);

    private readonly Channel<bool> work = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Lock gate = new();
    private readonly Dictionary<string, IReadOnlyList<ScrapeClass>> classesByKey = [];
    private ImmutableDictionary<string, SyncReport> reports = ImmutableDictionary<string, SyncReport>.Empty;
    private readonly HashSet<string> awaiting = [];
    private readonly CancellationTokenSource ended = new();
    private bool classesChanged;

    /// <summary>Cancelled when the stack is gone.</summary>
    public CancellationToken Ended => ended.Token;

    public required StackModel Model { get; set; }

    public required ObjectMeta Owner { get; set; }

    public Shelf Scrape { get; } = new(client, Artifacts.Scrape);

    public Shelf Rules { get; } = new(client, Artifacts.Rules);

    public StackSecrets Secrets { get; } = new(client, applier, clock, logger);

    /// <summary>The kinds of agents (dialect and role) that the stack's dashboards are made for.</summary>
    public HashSet<string> Looks { get; } = [];

    /// <summary>What Prometheus was last seen doing.</summary>
    public Observation Observed { get; set; } = Observation.Nothing;

    /// <summary>What each copy of sync says; empty where there is none.</summary>
    public ImmutableDictionary<string, SyncReport> Reports => reports;

    /// <summary>Told the keys that were just written.</summary>
    public required Action<IReadOnlyCollection<string>> Written { get; init; }

    /// <summary>Takes over what an earlier process wrote, and drops keys whose resource is gone.</summary>
    public async Task AdoptAsync(Func<string, string, bool> isAlive, CancellationToken stop)
    {
        string ours = $"{Contract.StackLabel}={Model.Name},{Contract.ArtifactLabel} in ({Artifacts.Scrape},{Artifacts.Rules})";
        KubeList<ConfigMap> maps = await client.ListAsync(KubeTypes.ConfigMaps, Model.Namespace, new ListOptions { LabelSelector = ours }, stop);
        foreach ((Shelf shelf, string artifact) in ((Shelf, string)[])[(Scrape, Artifacts.Scrape), (Rules, Artifacts.Rules)])
        {
            shelf.Adopt(maps.Items.Where(map => ArtifactFiles.Is(map, artifact) && map.Metadata.Labels?.GetValueOrDefault(Contract.BucketLabel) != ClassesBucket));
            foreach (string key in shelf.Keys.Where(key => !isAlive(artifact, key)))
            {
                shelf.Remove(key);
            }
        }

        string? classes = maps.Items.FirstOrDefault(map => map.Metadata.Labels?.GetValueOrDefault(Contract.BucketLabel) == ClassesBucket)?.Data?.GetValueOrDefault(Contract.ClassesFile);
        AdoptClasses(ClassText.Parse(classes ?? ""));
        awaiting.UnionWith(Scrape.Keys.Concat(Rules.Keys));
        Poke();
    }

    public const string ClassesBucket = "classes";

    /// <summary>Puts what an agent compiled to; an agent that compiled to nothing is taken out.</summary>
    public void Put(CompiledAgent agent)
    {
        PutClasses(agent.Key, agent.Classes);
        Secrets.Want(agent.Key, agent.Secrets);
        Scrape.Put(agent.Key, agent.Text);
        Poke();
    }

    public void Put(CompiledPolicy policy)
    {
        Rules.Put(policy.Key, policy.Text);
        Poke();
    }

    public void RemoveAgent(string key)
    {
        PutClasses(key, []);
        Secrets.Want(key, []);
        Scrape.Remove(key);
        Poke();
    }

    public void RemovePolicy(string key)
    {
        Rules.Remove(key);
        Poke();
    }

    /// <summary>There may be something to write.</summary>
    public void Poke() => work.Writer.TryWrite(true);

    /// <summary>Takes the reports of all copies; returns the keys that they may say something new about, or null for all.</summary>
    public IReadOnlyCollection<string>? TakeReports(ConfigMap? map)
    {
        ImmutableDictionary<string, SyncReport> before = reports;
        reports = (map?.Data ?? new Dictionary<string, string>()).ToImmutableDictionary(pair => pair.Key, pair => Parse(pair.Value));
        if (before.Count != reports.Count || before.Any(pair => reports.GetValueOrDefault(pair.Key)?.Waiting != pair.Value.Waiting))
        {
            return null;
        }

        lock (gate)
        {
            HashSet<string> keys = [.. awaiting];
            awaiting.RemoveWhere(key => IsLoaded(Scrape.PlaceOf(key, Model) ?? Rules.PlaceOf(key, Model)));
            foreach ((string replica, SyncReport report) in reports)
            {
                keys.UnionWith(Differences(before[replica].Refused, report.Refused).Select(file => Path.GetFileName(file)));
                keys.UnionWith(Differences(before[replica].Problems, report.Problems).Select(KeyOfJob));
            }

            return keys;
        }
    }

    /// <summary>These keys were written; the next reports may say that they are loaded.</summary>
    private void Await(IReadOnlyCollection<string> keys)
    {
        lock (gate)
        {
            awaiting.UnionWith(keys);
        }

        Written(keys);
    }

    private bool IsLoaded(ShelfPlace? place) => place is not { } written || reports.Values.All(report =>
        report.Loaded.TryGetValue(written.ConfigMap, out string? loaded) && ResourceVersions.Compare(written.Version, loaded) <= 0);

    private static IEnumerable<string> Differences(IReadOnlyDictionary<string, string> left, IReadOnlyDictionary<string, string> right) =>
        left.Keys.Union(right.Keys).Where(key => left.GetValueOrDefault(key) != right.GetValueOrDefault(key));

    private static string KeyOfJob(string job)
    {
        string[] parts = job.Split('/');
        return parts.Length < 2 ? job : Naming.Key(parts[0], parts[1]);
    }

    public void Dispose()
    {
        ended.Cancel();
        ended.Dispose();
        Secrets.Dispose();
    }

    /// <summary>Writes what is put, until stopped. A failure delays, it never loses.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        TimeSpan retry = FirstRetry;
        while (await work.Reader.WaitToReadAsync(stop))
        {
            work.Reader.TryRead(out _);
            try
            {
                await FlushAsync(stop);
                retry = FirstRetry;
            }
            catch (KubeException error)
            {
                logger.LogWarning("The ConfigMaps of stack {Stack} wait: {Reason}", $"{Model.Namespace}/{Model.Name}", error.Message);
                await Task.Delay(retry, clock, stop);
                retry = retry * 2 > LastRetry ? LastRetry : retry * 2;
                Poke();
            }
        }
    }

    private async Task FlushAsync(CancellationToken stop)
    {
        // Classes first: targets of a class that no job reads would wait for the next write.
        if (TakeClasses() is { } classes)
        {
            try
            {
                await applier.ApplyAsync(ConfigMaps.Classes(Model, classes), OptiResources.Stacks.Kind, Owner, stop);
            }
            catch (KubeException)
            {
                classesChanged = true;
                throw;
            }
        }

        Await(await Scrape.FlushAsync(Model, Owner, stop));
        Await(await Rules.FlushAsync(Model, Owner, stop));
        if (Scrape.HasWork || Rules.HasWork)
        {
            Poke();
        }
    }

    /// <summary>The classes are written again even when nothing changed: somebody touched their ConfigMap.</summary>
    public void RewriteClasses()
    {
        lock (gate)
        {
            classesChanged = true;
        }

        Poke();
    }

    private void PutClasses(string key, IReadOnlyList<ScrapeClass> classes)
    {
        lock (gate)
        {
            IReadOnlyList<ScrapeClass> before = classesByKey.GetValueOrDefault(key) ?? [];
            if (before.Select(item => item.Id).SequenceEqual(classes.Select(item => item.Id)))
            {
                return;
            }

            _ = classes.Count == 0 ? classesByKey.Remove(key) : (classesByKey[key] = classes) is null;
            classesChanged = true;
        }
    }

    /// <summary>Classes of keys that are kept from before this process, until their agents are compiled.</summary>
    private void AdoptClasses(IReadOnlyList<ScrapeClass> known)
    {
        lock (gate)
        {
            foreach (string key in Scrape.Keys)
            {
                string text = Scrape.Text(key) ?? "";
                ScrapeClass[] used = [.. known.Where(item => text.Contains(item.Id, StringComparison.Ordinal))];
                if (used.Length > 0)
                {
                    classesByKey.TryAdd(key, used);
                }
            }

            classesChanged = true;
        }
    }

    private List<ScrapeClass>? TakeClasses()
    {
        lock (gate)
        {
            if (!classesChanged || Model.Discovery != DiscoveryMode.Resolved)
            {
                return null;
            }

            classesChanged = false;
            return [.. classesByKey.Values.SelectMany(classes => classes)];
        }
    }

    private static SyncReport Parse(string text)
    {
        try
        {
            return JsonSerializer.Deserialize(text, SyncJson.Default.SyncReport) ?? new SyncReport();
        }
        catch (JsonException error)
        {
            return new SyncReport { Waiting = $"the report of sync is unreadable: {error.Message}" };
        }
    }
}
