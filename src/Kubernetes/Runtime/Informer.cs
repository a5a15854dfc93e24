using System.Globalization;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Kubernetes.Runtime;

/// <summary>What an informer caches, and how.</summary>
public sealed record InformerOptions<T>
    where T : class, IKubeObject
{
    /// <summary>Empty: the whole cluster.</summary>
    public IReadOnlyList<string> Namespaces { get; init; } = [];

    public string? LabelSelector { get; init; }

    public string? FieldSelector { get; init; }

    /// <summary>Runs before an object is stored; what it drops takes no memory.</summary>
    public Func<T, T>? Transform { get; init; }

    /// <summary>Named functions from an object to the values it is filed under.</summary>
    public IReadOnlyDictionary<string, Func<T, IEnumerable<string>>>? Indexers { get; init; }

    /// <summary>Shows every object to the handlers again now and then (±10 %), from memory. Null: never.</summary>
    public TimeSpan? Resync { get; init; }

    /// <summary>Try to get the first list as a stream; servers that cannot are noticed and listed.</summary>
    public bool UseWatchList { get; init; } = true;

    public ILogger Logger { get; init; } = NullLogger.Instance;

    public Random Random { get; init; } = new();
}

/// <summary>The part of an informer that does not depend on its kind.</summary>
public abstract class Informer
{
    private protected Informer()
    {
    }

    public abstract ResourceKind Kind { get; }

    /// <summary>The store holds the first list.</summary>
    public abstract bool HasSynced { get; }

    /// <summary>Completes when the store holds the first list.</summary>
    public abstract Task WaitForSyncAsync(CancellationToken cancellationToken);

    /// <summary>Keeps the store up to date until cancelled. Several may run one informer; it stops with the last of them.</summary>
    public abstract Task RunAsync(CancellationToken cancellationToken);
}

/// <summary>
/// A cache of one kind that follows the server, and tells handlers what changed, each in order and at its own pace. Shared by
/// whoever needs the same objects.
/// </summary>
public sealed class Informer<T> : Informer
    where T : class, IKubeObject
{
    private readonly KubeClient client;
    private readonly ResourceType<T> type;
    private readonly InformerOptions<T> options;
    private readonly Lock gate = new();
    private readonly List<Subscription<T>> subscriptions = [];
    private readonly List<Waiter> waiters = [];
    private readonly HashSet<string> unsynced;
    private readonly Dictionary<string, string> reached = [];
    private readonly TaskCompletionSource synced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource handlerFailed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Session? session;
    private int users;

    private sealed record Session(CancellationTokenSource Stop, Task Loop);

    private sealed record Waiter(ObjectKey Key, string Version, TaskCompletionSource Seen);

    public Informer(KubeClient client, ResourceType<T> type, InformerOptions<T>? options = null)
    {
        this.client = client;
        this.type = type;
        this.options = options ?? new InformerOptions<T>();
        Store = new Store<T>(this.options.Indexers);
        unsynced = this.options.Namespaces.Count == 0 ? [""] : [.. this.options.Namespaces];
    }

    public override ResourceKind Kind => type.Kind;

    public Store<T> Store { get; }

    public override bool HasSynced => synced.Task.IsCompleted;

    public override Task WaitForSyncAsync(CancellationToken cancellationToken) => synced.Task.WaitAsync(cancellationToken);

    public override async Task RunAsync(CancellationToken cancellationToken)
    {
        Session shared;
        lock (gate)
        {
            if (users++ == 0)
            {
                var stop = new CancellationTokenSource();
                session = new Session(stop, LoopAsync(stop.Token));
            }

            shared = session!;
        }

        try
        {
            Task ended = await Task.WhenAny(shared.Loop, handlerFailed.Task).WaitAsync(cancellationToken).ConfigureAwait(false);
            await ended.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await LeaveAsync().ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Tells a handler of every change from now on, after showing it what is there already. It runs on its own, so it may be slow; it
    /// must not throw: that is a bug, and ends the informer.
    /// </summary>
    public Subscription<T> AddHandler(Func<StoreChange<T>, CancellationToken, ValueTask> handler)
    {
        lock (gate)
        {
            var subscription = new Subscription<T>(handler, Remove, e => handlerFailed.TrySetException(e));
            subscription.Offer(Store.Snapshot(StoreChangeKind.Added));
            if (HasSynced)
            {
                subscription.EndInitial();
            }

            subscriptions.Add(subscription);
            return subscription;
        }
    }

    public Subscription<T> AddHandler(Action<StoreChange<T>> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return AddHandler((change, _) =>
        {
            handler(change);
            return ValueTask.CompletedTask;
        });
    }

    /// <summary>
    /// Waits until the cache has seen a write of ours, so that the next look into it does not lead to writing the same again.
    /// </summary>
    public Task WaitForVersionAsync(ObjectKey key, string resourceVersion, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(resourceVersion);
        lock (gate)
        {
            if (HasSeen(key, resourceVersion))
            {
                return Task.CompletedTask;
            }

            var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            waiters.Add(new Waiter(key, resourceVersion, seen));
            return seen.Task.WaitAsync(cancellationToken);
        }
    }

    internal void Replace(string? ns, IReadOnlyList<T> items, string version)
    {
        IReadOnlyList<T> transformed = options.Transform is { } transform ? [.. items.Select(transform)] : items;
        lock (gate)
        {
            List<StoreChange<T>> changes = Store.Replace(transformed, ns, unsynced.Contains(ns ?? ""));
            Offer_NeedsLock(changes);
            if (unsynced.Remove(ns ?? "") && unsynced.Count == 0)
            {
                synced.TrySetResult();
                subscriptions.ForEach(subscription => subscription.EndInitial());
            }

            Reached_NeedsLock(ns, version);
        }
    }

    internal void Apply(string? ns, WatchEvent<T> next)
    {
        lock (gate)
        {
            if (next.Item is { } item)
            {
                T stored = options.Transform is { } transform ? transform(item) : item;
                StoreChange<T>? replaced = null;
                StoreChange<T>? change = next.Type == WatchEventType.Deleted ? Store.Delete(stored) : Store.Upsert(stored, out replaced);
                Offer_NeedsLock([.. new[] { replaced, change }.OfType<StoreChange<T>>()]);
            }

            Reached_NeedsLock(ns, next.ResourceVersion);
        }
    }

    private async Task LoopAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<string> scopes = options.Namespaces.Count == 0 ? [""] : options.Namespaces;
        var tasks = scopes.Select(ns => ReflectAsync(ns, cancellationToken)).ToList();
        if (options.Resync is { } interval)
        {
            tasks.Add(ResyncAsync(interval, cancellationToken));
        }

        await Task.WhenAll(tasks).ConfigureAwait(false);
    }

    private async Task ReflectAsync(string ns, CancellationToken cancellationToken)
    {
        var reflector = new Reflector<T>(client, type, this, new ReflectorOptions
        {
            Namespace = ns.Length == 0 ? null : ns,
            LabelSelector = options.LabelSelector,
            FieldSelector = options.FieldSelector,
            UseWatchList = options.UseWatchList,
            Logger = options.Logger,
            Random = options.Random,
        });
        await using (reflector.ConfigureAwait(false))
        {
            await reflector.RunAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task ResyncAsync(TimeSpan interval, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                TimeSpan wait = interval * (0.9 + (0.2 * options.Random.NextDouble()));
                await Task.Delay(wait, client.Time, cancellationToken).ConfigureAwait(false);
                lock (gate)
                {
                    Offer_NeedsLock(Store.Snapshot(StoreChangeKind.Resync));
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Stopped.
        }
    }

    private async Task LeaveAsync()
    {
        Session? last = null;
        lock (gate)
        {
            if (--users == 0)
            {
                last = session;
                session = null;
            }
        }

        if (last is not null)
        {
            await last.Stop.CancelAsync().ConfigureAwait(false);
            await last.Loop.ConfigureAwait(false);
            last.Stop.Dispose();
        }
    }

    private void Offer_NeedsLock(List<StoreChange<T>> changes)
    {
        foreach (Subscription<T> subscription in subscriptions)
        {
            subscription.Offer(changes);
        }
    }

    private void Remove(Subscription<T> subscription)
    {
        lock (gate)
        {
            subscriptions.Remove(subscription);
        }
    }

    private void Reached_NeedsLock(string? ns, string version)
    {
        if (version.Length > 0)
        {
            reached[ns ?? ""] = version;
        }

        if (waiters.Count == 0)
        {
            return;
        }

        foreach (Waiter waiter in waiters.Where(waiter => HasSeen(waiter.Key, waiter.Version)).ToList())
        {
            waiters.Remove(waiter);
            waiter.Seen.TrySetResult();
        }
    }

    // Versions of one resource are comparable where they are numbers (all of Kubernetes' own servers); elsewhere only equal ones count.
    private bool HasSeen(ObjectKey key, string wanted)
    {
        string? now = reached.GetValueOrDefault(options.Namespaces.Count == 0 ? "" : key.Namespace);
        if (now == wanted || Store.Get(key)?.Metadata.ResourceVersion == wanted)
        {
            return true;
        }

        return ulong.TryParse(wanted, CultureInfo.InvariantCulture, out ulong target)
            && ulong.TryParse(now, CultureInfo.InvariantCulture, out ulong reachedVersion)
            && reachedVersion >= target;
    }
}

/// <summary>A handler's place at an informer: its own queue of changes, and a task that feeds them to it one by one.</summary>
public sealed class Subscription<T> : IDisposable
    where T : class, IKubeObject
{
    private readonly Channel<StoreChange<T>?> changes = Channel.CreateUnbounded<StoreChange<T>?>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource stop = new();
    private readonly TaskCompletionSource synced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Action<Subscription<T>> remove;
    private readonly Action<Exception> failed;
    private int backlog;
    private int disposed;

    internal Subscription(Func<StoreChange<T>, CancellationToken, ValueTask> handler, Action<Subscription<T>> remove, Action<Exception> failed)
    {
        this.remove = remove;
        this.failed = failed;
        Completion = PumpAsync(handler, stop.Token);
    }

    /// <summary>Completes when the handler has been shown the whole first list.</summary>
    public Task Synced => synced.Task;

    /// <summary>Faults when the handler threw.</summary>
    public Task Completion { get; }

    /// <summary>Changes that wait for the handler.</summary>
    public int Backlog => Volatile.Read(ref backlog);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, 1) == 0)
        {
            remove(this);
            changes.Writer.TryComplete();
            stop.Cancel();
            stop.Dispose();
            synced.TrySetCanceled();
        }
    }

    internal void Offer(List<StoreChange<T>> batch)
    {
        foreach (StoreChange<T> change in batch)
        {
            Interlocked.Increment(ref backlog);
            changes.Writer.TryWrite(change);
        }
    }

    internal void EndInitial() => changes.Writer.TryWrite(null);

    private async Task PumpAsync(Func<StoreChange<T>, CancellationToken, ValueTask> handler, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (StoreChange<T>? change in changes.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                if (change is null)
                {
                    synced.TrySetResult();
                }
                else
                {
                    await handler(change, cancellationToken).ConfigureAwait(false);
                    Interlocked.Decrement(ref backlog);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Disposed.
        }
        catch (Exception e)
        {
            synced.TrySetException(e);
            failed(e);
            throw;
        }
    }
}
