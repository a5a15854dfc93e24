using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using OptiInfra.Compiler.Compile;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;
using OptiInfra.Kubernetes.Runtime;
using OptiInfra.Operator.Sync;

namespace OptiInfra.Operator.Reconcile;

/// <summary>
/// What the operator knows: the caches of everything it reads, one <see cref="StackWorld"/> per stack, and what became of
/// every agent and policy. Reconcilers and status rules share it.
/// </summary>
internal sealed class Fleet
{
    private readonly KubeClient client;
    private readonly ILogger logger;
    private readonly TimeProvider clock;
    private readonly ConcurrentDictionary<ObjectKey, Lazy<Task<StackWorld>>> worlds = new();

    public Fleet(KubeClient client, IReadOnlyList<string> namespaces, TimeProvider clock, ILogger logger)
    {
        this.client = client;
        this.clock = clock;
        this.logger = logger;
        Applier = new ObjectApplier(client);
        Agents = new Informer<OptiAgent>(client, OptiResources.Agents, new InformerOptions<OptiAgent>
        {
            Namespaces = namespaces,
            Logger = logger,
            Transform = agent => agent with { Metadata = Slim(agent.Metadata) },
        });
        Policies = new Informer<AlertPolicy>(client, OptiResources.Policies, new InformerOptions<AlertPolicy>
        {
            Namespaces = namespaces,
            Logger = logger,
            Transform = policy => policy with { Metadata = Slim(policy.Metadata) },
        });
        Stacks = new Informer<MonitoringStack>(client, OptiResources.Stacks, new InformerOptions<MonitoringStack> { Namespaces = namespaces, Logger = logger });
        NamespaceLabels = new Informer<PartialObject>(client, PartialObject.Type(KubeTypes.Namespaces.Kind), new InformerOptions<PartialObject> { Logger = logger });
        Written = new Informer<PartialObject>(client, PartialObject.Type(KubeTypes.ConfigMaps.Kind), new InformerOptions<PartialObject>
        {
            Namespaces = namespaces,
            Logger = logger,
            LabelSelector = $"{Contract.ManagedByLabel}={Contract.ManagedBy},{Contract.StackLabel},{Contract.ArtifactLabel}",
        });
        Reports = new Informer<ConfigMap>(client, KubeTypes.ConfigMaps, new InformerOptions<ConfigMap>
        {
            Namespaces = namespaces,
            Logger = logger,
            LabelSelector = $"{Contract.StackLabel},{Contract.ArtifactLabel}={SyncReport.Artifact}",
        });
    }

    public Informer<OptiAgent> Agents { get; }

    public Informer<AlertPolicy> Policies { get; }

    public Informer<MonitoringStack> Stacks { get; }

    public Informer<PartialObject> NamespaceLabels { get; }

    /// <summary>Metadata of the ConfigMaps we wrote: enough to see that somebody else did.</summary>
    public Informer<PartialObject> Written { get; }

    public Informer<ConfigMap> Reports { get; }

    public IReadOnlyList<Informer> Informers => [Agents, Policies, Stacks, NamespaceLabels, Written, Reports];

    public ObjectApplier Applier { get; }

    public ConcurrentDictionary<ObjectKey, ResourceState> AgentStates { get; } = new();

    public ConcurrentDictionary<ObjectKey, ResourceState> PolicyStates { get; } = new();

    /// <summary>Told the keys (of which artifact does not matter: agents and policies are asked both) that a world has written.</summary>
    public Action<StackWorld, IReadOnlyCollection<string>> OnWritten { get; set; } = (_, _) => { };

    /// <summary>Told of every world that comes to life, to run its loops.</summary>
    public Action<StackWorld> OnWorld { get; set; } = _ => { };

    public MonitoringStack? StackFor(StackReference? wanted, string ns)
    {
        IReadOnlyDictionary<string, string>? labels = NamespaceLabels.Store.Get(new ObjectKey("", ns))?.Metadata.Labels;
        return StackSelection.For(wanted, ns, labels, Stacks.Store.List().Where(stack => !stack.Metadata.IsDeleting));
    }

    /// <summary>The world of a stack; the first to ask brings it to life.</summary>
    public Task<StackWorld> WorldOfAsync(MonitoringStack stack, CancellationToken stop)
    {
        ObjectKey key = ObjectKey.Of(stack);
        Lazy<Task<StackWorld>> world = worlds.GetOrAdd(key, _ => new Lazy<Task<StackWorld>>(() => CreateAsync(stack, stop)));
        if (world.Value.IsFaulted || world.Value.IsCanceled)
        {
            worlds.TryRemove(KeyValuePair.Create(key, world));
        }

        return world.Value;
    }

    public StackWorld? FindWorld(ObjectKey stack) =>
        worlds.TryGetValue(stack, out Lazy<Task<StackWorld>>? world) && world.Value.IsCompletedSuccessfully ? world.Value.Result : null;

    public IEnumerable<StackWorld> Worlds => worlds.Keys.Select(FindWorld).OfType<StackWorld>();

    public void ForgetWorld(ObjectKey stack)
    {
        StackWorld? world = FindWorld(stack);
        worlds.TryRemove(stack, out _);
        world?.Dispose();
    }

    /// <summary>The resource that a key on a shelf belongs to. Namespaces have no dots, so the first one ends it.</summary>
    public static ObjectKey Resource(string shelfKey)
    {
        int dot = shelfKey.IndexOf('.', StringComparison.Ordinal);
        return dot < 0 || !shelfKey.EndsWith(".yml", StringComparison.Ordinal) ? default : new ObjectKey(shelfKey[..dot], shelfKey[(dot + 1)..^4]);
    }

    private async Task<StackWorld> CreateAsync(MonitoringStack stack, CancellationToken stop)
    {
        StackWorld? world = null;
        world = new StackWorld(client, Applier, clock, logger)
        {
            Model = StackModel.From(stack),
            Owner = stack.Metadata,
            Written = keys => OnWritten(world!, keys),
        };
        world.TakeReports(Reports.Store.Get(ReportKey(ObjectKey.Of(stack))));
        await world.AdoptAsync(IsAlive, stop);
        OnWorld(world);
        return world;

        bool IsAlive(string artifact, string key) => artifact == Artifacts.Scrape
            ? Agents.Store.Get(Resource(key)) is { } agent && StackFor(agent.Spec.Stack, key.Split('.')[0]) is { } serving && ObjectKey.Of(serving) == ObjectKey.Of(stack)
            : Policies.Store.Get(Resource(key)) is { } policy && StackFor(policy.Spec.Stack, key.Split('.')[0]) is { } server && ObjectKey.Of(server) == ObjectKey.Of(stack);
    }

    public static ObjectKey ReportKey(ObjectKey stack) => new(stack.Namespace, Naming.StackObject(stack.Name, SyncReport.Artifact));

    /// <summary>Nothing of ours reads annotations of resources, and kubectl puts the whole object there once more.</summary>
    private static ObjectMeta Slim(ObjectMeta metadata) => metadata with { Annotations = null };
}
