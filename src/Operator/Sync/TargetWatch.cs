using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;
using OptiInfra.Kubernetes.Runtime;

namespace OptiInfra.Operator.Sync;

/// <summary>
/// Watches EndpointSlices, Pods and Services of the namespaces that have agents, once for all agents, and says which
/// Services changed. While the API server is away everything stays as it was last seen.
/// </summary>
internal sealed class TargetWatch(KubeClient client, Action changed, ILogger logger) : IAsyncDisposable
{
    private const string ByService = "service";
    private const string ByPod = "pod";

    private readonly Dictionary<string, Watched> namespaces = [];
    private readonly ConcurrentQueue<(string Namespace, string? Service)> touched = new();

    /// <summary>Starts to watch namespaces that are new here and stops for those that nobody needs any more.</summary>
    public async Task FollowAsync(IReadOnlyCollection<string> wanted)
    {
        foreach (string ns in wanted.Where(ns => !namespaces.ContainsKey(ns)).ToArray())
        {
            namespaces[ns] = Start(ns);
        }

        foreach (string ns in namespaces.Keys.Where(ns => !wanted.Contains(ns)).ToArray())
        {
            namespaces.Remove(ns, out Watched? watched);
            await watched!.DisposeAsync();
        }
    }

    /// <summary>What changed since the last call.</summary>
    public IEnumerable<(string Namespace, string? Service)> TakeTouched()
    {
        HashSet<(string, string?)> taken = [];
        while (touched.TryDequeue(out (string Namespace, string? Service) one))
        {
            taken.Add(one);
        }

        return taken;
    }

    /// <summary>What is known of a namespace; null until everything of it was seen once.</summary>
    public NamespaceView? View(string ns) =>
        namespaces.TryGetValue(ns, out Watched? watched) && watched.Informers.All(informer => informer.HasSynced) ? watched.View : null;

    public async ValueTask DisposeAsync()
    {
        foreach (Watched watched in namespaces.Values)
        {
            await watched.DisposeAsync();
        }
    }

    private Watched Start(string ns)
    {
        Informer<EndpointSlice> slices = new(client, KubeTypes.EndpointSlices, new InformerOptions<EndpointSlice>
        {
            Namespaces = [ns],
            Logger = logger,
            Indexers = new Dictionary<string, Func<EndpointSlice, IEnumerable<string>>>
            {
                [ByService] = slice => slice.ServiceName is { } name ? [name] : [],
                [ByPod] = PodsOf,
            },
        });
        Informer<Pod> pods = new(client, KubeTypes.Pods, new InformerOptions<Pod> { Namespaces = [ns], Logger = logger, Transform = Slim });
        Informer<Service> services = new(client, KubeTypes.Services, new InformerOptions<Service> { Namespaces = [ns], Logger = logger });
        slices.AddHandler(change => Touch(ns, change.Latest.ServiceName));
        services.AddHandler(change => Touch(ns, null));
        pods.AddHandler(change => OnPod(ns, change, slices.Store));
        NamespaceView view = new()
        {
            Slices = () => slices.Store.List(ns),
            SlicesOf = service => slices.Store.ByIndex(ByService, service),
            Pods = () => pods.Store.List(ns),
            Pod = name => pods.Store.Get(new ObjectKey(ns, name)),
            Services = () => services.Store.List(ns),
        };
        return new Watched(ns, [slices, pods, services], view, () => Touch(ns, null));
    }

    /// <summary>A Pod matters to selectors, and by its labels to the Services whose endpoint it is; its heartbeat does not.</summary>
    private void OnPod(string ns, StoreChange<Pod> change, Store<EndpointSlice> slices)
    {
        if (change is { Old: { } old, Current: { } current } && Same(old, current))
        {
            return;
        }

        touched.Enqueue((ns, ""));
        foreach (EndpointSlice slice in slices.ByIndex(ByPod, change.Key.Name))
        {
            touched.Enqueue((ns, slice.ServiceName));
        }

        changed();
    }

    private void Touch(string ns, string? service)
    {
        touched.Enqueue((ns, service));
        changed();
    }

    private static IEnumerable<string> PodsOf(EndpointSlice slice) =>
        from endpoint in slice.Endpoints ?? []
        where endpoint.TargetRef is { Kind: "Pod", Name: not null }
        select endpoint.TargetRef!.Name!;

    private static bool Same(Pod old, Pod current) =>
        old.Status?.PodIP == current.Status?.PodIP && old.Status?.Phase == current.Status?.Phase
        && old.Metadata.IsDeleting == current.Metadata.IsDeleting
        && SameTexts(old.Metadata.Labels, current.Metadata.Labels) && SameTexts(old.Metadata.Annotations, current.Metadata.Annotations);

    private static bool SameTexts(IReadOnlyDictionary<string, string>? left, IReadOnlyDictionary<string, string>? right) =>
        (left?.Count ?? 0) == (right?.Count ?? 0) && (left is null || left.All(pair => right!.GetValueOrDefault(pair.Key) == pair.Value));

    /// <summary>Keeps only what the resolver reads; Pods are the bulk of a cluster's objects.</summary>
    private static Pod Slim(Pod pod) => pod with
    {
        Metadata = new ObjectMeta
        {
            Name = pod.Metadata.Name,
            Namespace = pod.Metadata.Namespace,
            Uid = pod.Metadata.Uid,
            ResourceVersion = pod.Metadata.ResourceVersion,
            DeletionTimestamp = pod.Metadata.DeletionTimestamp,
            Labels = pod.Metadata.Labels,
            Annotations = pod.Metadata.Annotations?.Where(pair => pair.Key.StartsWith("prometheus.io/", StringComparison.Ordinal)).ToDictionary(),
        },
        Status = pod.Status is null ? null : new PodStatus { Phase = pod.Status.Phase, PodIP = pod.Status.PodIP },
    };

    private sealed class Watched : IAsyncDisposable
    {
        private readonly CancellationTokenSource stop = new();
        private readonly Task running;

        public Watched(string ns, Informer[] informers, NamespaceView view, Action synced)
        {
            Namespace = ns;
            Informers = informers;
            View = view;
            running = Task.WhenAll([.. informers.Select(informer => informer.RunAsync(stop.Token)), AnnounceAsync(synced)]);
        }

        public string Namespace { get; }

        public Informer[] Informers { get; }

        public NamespaceView View { get; }

        public async ValueTask DisposeAsync()
        {
            await stop.CancelAsync();
            try
            {
                await running;
            }
            catch (OperationCanceledException)
            {
                // That is what was asked.
            }

            stop.Dispose();
        }

        private async Task AnnounceAsync(Action synced)
        {
            foreach (Informer informer in Informers)
            {
                await informer.WaitForSyncAsync(stop.Token);
            }

            synced();
        }
    }
}
