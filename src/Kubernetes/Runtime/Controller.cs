using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Kubernetes.Runtime;

// The tour of this folder, in the order in which a change travels.
//   ReflectorState.cs, Reflector.cs   follow a collection of the server: list, watch, and every way in which these fail (a pure table
//                                     of states, and what is done in each)
//   Store.cs, Informer.cs             the cache that this keeps, what changed in it, and handlers that are told, each at its own pace
//   Predicates.cs                     which changes are worth a look
//   WorkQueue.cs                      keys to look at: once each, by priority, never one key with two workers, back-off
//   Controller.cs                     workers that hand keys to the reconcile function
//   OwnerReferences.cs, Finalizers.cs, Conditions.cs, ConflictRetry.cs   what reconcilers need when they write
//   EventRecorder.cs, LeaderElector.cs (and LeaseStore.cs)   telling people; being the only one
//   RuntimeHost.cs                    all of it started and stopped in the right order
// Guarantee: whatever is lost on the way (connections, events, versions, leaders), every object whose state differs from what was
// last reconciled is reconciled again. Not here: what to do about an object; that is the reconcile function's.

/// <summary>What a reconciliation wants next. An exception means: again, after a growing wait.</summary>
public readonly record struct ReconcileResult(TimeSpan? After = null)
{
    /// <summary>All is as it should be; look again when something changes.</summary>
    public static readonly ReconcileResult Done;

    /// <summary>Look again after this time, whatever happens.</summary>
    public static ReconcileResult RequeueAfter(TimeSpan after) => new(after);
}

/// <summary>Trying again cannot help until somebody changes something; it is counted and not retried.</summary>
public sealed class TerminalReconcileException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>How a controller works.</summary>
public sealed record ControllerOptions
{
    public int MaxConcurrentReconciles { get; init; } = 1;

    /// <summary>A reconciliation that takes longer is cancelled and counts as failed.</summary>
    public TimeSpan? ReconcileTimeout { get; init; }

    /// <summary>How long the first lists may take.</summary>
    public TimeSpan CacheSyncTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How long running reconciliations may go on after a stop.</summary>
    public TimeSpan ShutdownGrace { get; init; } = TimeSpan.FromSeconds(30);

    public WorkQueueOptions Queue { get; init; } = new();

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public KubeMetrics Metrics { get; init; } = KubeMetrics.None;

    public ILogger Logger { get; init; } = NullLogger.Instance;
}

/// <summary>The part of a controller that does not depend on its kind.</summary>
public abstract class Controller
{
    private protected Controller(string name) => Name = name;

    public string Name { get; }

    /// <summary>The informers that it reads and is told by.</summary>
    public abstract IReadOnlyCollection<Informer> Informers { get; }

    /// <summary>
    /// Starts listening to the informers, so that keys collect in the queue while somebody else still leads. Returns when the
    /// caches are complete.
    /// </summary>
    public abstract Task WarmUpAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Works until stopped. Then no reconciliation starts any more, running ones may finish within the grace period, and all are
    /// cancelled at once when <paramref name="abort"/> says so (leadership is gone).
    /// </summary>
    public abstract Task RunAsync(CancellationToken stop, CancellationToken abort = default);
}

/// <summary>
/// Brings objects of one kind in line with what they ask for. Changes of the kind itself, of what it owns and of what it
/// watches become keys in a queue; workers hand each key to the reconcile function, never one key to two of them. The
/// function reads caches, compares, writes the difference; it is told a key and not a change, because only the present counts.
/// <code>
/// var controller = new Controller&lt;Website&gt;("website", websites, ReconcileAsync).Owns(deployments);
/// await controller.RunAsync(stop);
/// </code>
/// </summary>
public sealed class Controller<T> : Controller, IDisposable
    where T : class, IKubeObject
{
    private readonly Informer<T> informer;
    private readonly Func<ObjectKey, CancellationToken, Task<ReconcileResult>> reconcile;
    private readonly ControllerOptions options;
    private readonly WorkQueue<ObjectKey> queue;
    private readonly ControllerMetrics metrics;
    private readonly List<Informer> informers = [];
    private readonly List<Func<(Task Synced, IDisposable Subscription)>> sources = [];
    private readonly List<IDisposable> subscriptions = [];
    private readonly List<Func<StoreChange<T>, bool>> predicates = [];
    private Task? warmUp;

    public Controller(
        string name,
        Informer<T> informer,
        Func<ObjectKey, CancellationToken, Task<ReconcileResult>> reconcile,
        ControllerOptions? options = null)
        : base(name)
    {
        ArgumentNullException.ThrowIfNull(informer);
        this.informer = informer;
        this.reconcile = reconcile;
        this.options = options ?? new ControllerOptions();
        queue = new WorkQueue<ObjectKey>(name, this.options.Queue with { Time = this.options.Time, Metrics = this.options.Metrics });
        metrics = new ControllerMetrics(name, this.options);
        Listen(informer, change => predicates.All(predicate => predicate(change)) ? [change.Key] : []);
    }

    public override IReadOnlyCollection<Informer> Informers => informers;

    /// <summary>The objects that this controller is for.</summary>
    public Store<T> Store => informer.Store;

    /// <summary>Looks only at changes of the kind itself that pass; see <see cref="Predicates"/>.</summary>
    public Controller<T> Where(Func<StoreChange<T>, bool> predicate)
    {
        predicates.Add(predicate);
        return this;
    }

    /// <summary>A change of an object that one of ours controls (ownerReference) is a reason to look at ours.</summary>
    public Controller<T> Owns<TChild>(Informer<TChild> children, Func<StoreChange<TChild>, bool>? predicate = null)
        where TChild : class, IKubeObject =>
        Watches(children, child => OwnerReferences.ControllerKey(child, informer.Kind) is { } key ? [key] : [], predicate);

    /// <summary>A change of another object is a reason to look at those of ours that the map names, for its old and its new state.</summary>
    public Controller<T> Watches<TOther>(Informer<TOther> others, Func<TOther, IEnumerable<ObjectKey>> map, Func<StoreChange<TOther>, bool>? predicate = null)
        where TOther : class, IKubeObject
    {
        ArgumentNullException.ThrowIfNull(others);
        Listen(others, change =>
        {
            if (predicate is not null && !predicate(change))
            {
                return [];
            }

            IEnumerable<ObjectKey> before = change.Old is { } old ? map(old) : [];
            IEnumerable<ObjectKey> after = change.Current is { } current ? map(current) : [];
            return before.Union(after);
        });
        return this;
    }

    /// <summary>Asks for one of ours to be looked at, for a reason of the caller's own.</summary>
    public void Enqueue(ObjectKey key, TimeSpan after = default) => queue.Add(key, 0, after);

    public override Task WarmUpAsync(CancellationToken cancellationToken) => warmUp ??= StartSourcesAsync(cancellationToken);

    public override async Task RunAsync(CancellationToken stop, CancellationToken abort = default)
    {
        using var running = CancellationTokenSource.CreateLinkedTokenSource(stop);
        List<Task> caches = [.. informers.Distinct().Select(source => source.RunAsync(running.Token))];
        Task work = WarmUpAndWorkAsync(running.Token, abort);
        try
        {
            // A cache ends only when stopped, or with a bug in a handler or map: then this controller is blind and must not go on.
            Task first = await Task.WhenAny([work, .. caches]).ConfigureAwait(false);
            await (first == work || stop.IsCancellationRequested ? work : first).ConfigureAwait(false);
        }
        finally
        {
            queue.Close();
            await running.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll([work, .. caches]).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            subscriptions.ForEach(subscription => subscription.Dispose());
        }
    }

    public void Dispose() => queue.Dispose();

    private void Listen<TSource>(Informer<TSource> source, Func<StoreChange<TSource>, IEnumerable<ObjectKey>> keysOf)
        where TSource : class, IKubeObject
    {
        informers.Add(source);
        sources.Add(() =>
        {
            Subscription<TSource> subscription = source.AddHandler(change =>
            {
                // What only might have changed must not hold up what did.
                int priority = change.IsInitial || change.Kind == StoreChangeKind.Resync ? WorkQueue<ObjectKey>.Low : 0;
                foreach (ObjectKey key in keysOf(change))
                {
                    queue.Add(key, priority);
                }
            });
            return (subscription.Synced, subscription);
        });
    }

    private async Task StartSourcesAsync(CancellationToken cancellationToken)
    {
        var synced = new List<Task>();
        foreach (Func<(Task Synced, IDisposable Subscription)> start in sources)
        {
            (Task done, IDisposable subscription) = start();
            synced.Add(done);
            subscriptions.Add(subscription);
        }

        try
        {
            await Task.WhenAll(synced).WaitAsync(options.CacheSyncTimeout, options.Time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            IEnumerable<string> missing = informers.Where(source => !source.HasSynced).Select(source => source.Kind.Plural).Distinct();
            throw new TimeoutException($"controller {Name}: no complete list of {string.Join(", ", missing)} within {options.CacheSyncTimeout.TotalSeconds:0} s; is the kind installed and may we list it?");
        }
    }

    private async Task WarmUpAndWorkAsync(CancellationToken stop, CancellationToken abort)
    {
        try
        {
            await WarmUpAsync(stop).ConfigureAwait(false);
            await WorkAsync(stop, abort).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Stopped before the caches were complete.
        }
    }

    private async Task WorkAsync(CancellationToken stop, CancellationToken abort)
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(abort);
        Task[] workers = [.. Enumerable.Range(0, options.MaxConcurrentReconciles).Select(_ => WorkerAsync(stop, cancel.Token))];
        Task all = Task.WhenAll(workers);
        try
        {
            await all.WaitAsync(stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            queue.Close();
            cancel.CancelAfter(options.ShutdownGrace);
            await all.ConfigureAwait(false);
        }
    }

    private async Task WorkerAsync(CancellationToken stop, CancellationToken cancel)
    {
        // A worker that starts synchronously would keep the others from starting.
        await Task.Yield();
        while (!stop.IsCancellationRequested && await queue.GetAsync(CancellationToken.None).ConfigureAwait(false) is { } item)
        {
            metrics.Active.Inc();
            try
            {
                await ReconcileOneAsync(item, cancel).ConfigureAwait(false);
            }
            finally
            {
                metrics.Active.Dec();
                queue.Done(item.Key);
            }
        }
    }

    private async Task ReconcileOneAsync(WorkItem<ObjectKey> item, CancellationToken cancel)
    {
        using IDisposable? scope = options.Logger.BeginScope(new Dictionary<string, object>
        {
            ["controller"] = Name,
            ["namespace"] = item.Key.Namespace,
            ["name"] = item.Key.Name,
            ["reconcileID"] = Guid.NewGuid(),
        });
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using CancellationTokenSource? timeout = options.ReconcileTimeout is { } allowed ? new CancellationTokenSource(allowed, options.Time) : null;
        using CancellationTokenRegistration link = timeout?.Token.Register(limit.Cancel) ?? default;
        long start = options.Time.GetTimestamp();
        try
        {
            ReconcileResult result = await reconcile(item.Key, limit.Token).ConfigureAwait(false);
            queue.Forget(item.Key);
            metrics.Succeeded(result);
            if (result.After is { } after)
            {
                queue.Add(item.Key, item.Priority, after);
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // Shutting down; whoever comes next starts from the state of the cluster.
        }
        catch (TerminalReconcileException e)
        {
            queue.Forget(item.Key);
            metrics.FailedForGood();
            options.Logger.LogError(e, "{Key}: reconciliation failed and is not retried: {Message}", item.Key, e.Message);
        }
        catch (Exception e)
        {
            metrics.Failed(timedOut: timeout is { IsCancellationRequested: true } && e is OperationCanceledException, panic: !IsExpected(e));
            queue.AddAfterFailure(item.Key, item.Priority);
            options.Logger.LogWarning(e, "{Key}: reconciliation failed ({Failures} in a row) and is retried: {Message}", item.Key, queue.Failures(item.Key), e.Message);
        }
        finally
        {
            metrics.Took(options.Time.GetElapsedTime(start));
        }
    }

    // The environment fails in these ways. Any other exception is a bug in the reconcile function: it is isolated to its key, but
    // counted as a panic.
    private static bool IsExpected(Exception e) =>
        e is KubeException or HttpRequestException or IOException or SocketException or TimeoutException or OperationCanceledException;
}
