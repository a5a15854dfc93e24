using Microsoft.Extensions.Logging;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;
using static OptiInfra.Kubernetes.Runtime.ReflectorState;

namespace OptiInfra.Kubernetes.Runtime;

/// <summary>What a reflector reads, and its limits; the defaults are client-go's.</summary>
internal sealed record ReflectorOptions
{
    public string? Namespace { get; init; }

    public string? LabelSelector { get; init; }

    public string? FieldSelector { get; init; }

    public bool UseWatchList { get; init; } = true;

    /// <summary>A watch is asked to last between this and twice this.</summary>
    public TimeSpan MinWatch { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>A watch without events that ended sooner than this counts as failed.</summary>
    public TimeSpan VeryShort { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Silence is not suspicious before this, however often bookmarks came.</summary>
    public TimeSpan MinIdle { get; init; } = TimeSpan.FromSeconds(30);

    public TimeSpan MaxInternalErrorRetry { get; init; } = TimeSpan.FromMinutes(1);

    public required ILogger Logger { get; init; }

    public required Random Random { get; init; }
}

/// <summary>
/// Keeps an informer's store equal to a collection of the server: does what its state asks for, and lets
/// <see cref="ReflectorState.Next"/> decide what comes then. It ends only when cancelled.
/// </summary>
internal sealed class Reflector<T>(KubeClient client, ResourceType<T> type, Informer<T> informer, ReflectorOptions options) : IAsyncDisposable
    where T : class, IKubeObject
{
    private readonly TimeProvider time = client.Time;
    private readonly Backoff backoff = new(client.Time, options.Random);
    private OpenWatch? open;
    private long internalErrorsSince;

    public ReflectorState State { get; private set; } = options.UseWatchList ? new Streaming("") : new Listing("0");

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (!cancellationToken.IsCancellationRequested)
            {
                State = Next(State, await AttemptAsync(State, cancellationToken).ConfigureAwait(false));
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The only way out.
        }
    }

    public async ValueTask DisposeAsync() => await CloseAsync().ConfigureAwait(false);

    private async Task<Outcome> AttemptAsync(ReflectorState state, CancellationToken cancellationToken)
    {
        try
        {
            return state switch
            {
                Streaming streaming => await StreamAsync(streaming, cancellationToken).ConfigureAwait(false),
                Listing listing => await ListAsync(listing, cancellationToken).ConfigureAwait(false),
                Watching watching => await WatchAsync(watching, cancellationToken).ConfigureAwait(false),
                Waiting waiting => await WaitAsync(waiting, cancellationToken).ConfigureAwait(false),
                _ => throw new InvalidOperationException($"unknown state {state}"),
            };
        }
        catch (KubeException e)
        {
            options.Logger.LogInformation("{Resource}: {State} failed: {Message}", type.Kind.Plural, state.GetType().Name, e.Message);
            await CloseAsync().ConfigureAwait(false);
            return new Outcome.Failed(e, "");
        }
    }

    private async Task<Outcome> WaitAsync(Waiting waiting, CancellationToken cancellationToken)
    {
        TimeSpan wait = backoff.Next();
        options.Logger.LogInformation("{Resource}: {Cause}; next attempt in {Wait:0.0} s", type.Kind.Plural, waiting.Cause, wait.TotalSeconds);
        await Task.Delay(wait, time, cancellationToken).ConfigureAwait(false);
        return new Outcome.Waited();
    }

    private async Task<Outcome> ListAsync(Listing state, CancellationToken cancellationToken)
    {
        client.Metrics.Relists.WithLabels(type.Kind.Plural, state.Version switch { "0" => "first", "" => "expired", _ => "failure" }).Inc();
        var list = new ListOptions
        {
            LabelSelector = options.LabelSelector,
            FieldSelector = options.FieldSelector,
            ResourceVersion = state.Version,
            // With a version the server answers from its cache, which does not page.
            Limit = state.Version is "" or "0" ? KubeClient.PageSize : 0,
        };
        KubeList<T> all = await client.ListAsync(type, options.Namespace, list, cancellationToken).ConfigureAwait(false);
        informer.Replace(options.Namespace, all.Items, all.ResourceVersion);
        return new Outcome.Listed(all.ResourceVersion);
    }

    // The present objects, up to the bookmark that ends them; the stream stays open for what comes after.
    private async Task<Outcome> StreamAsync(Streaming state, CancellationToken cancellationToken)
    {
        Open(new WatchOptions { ResourceVersion = state.Version, SendInitialEvents = true }, cancellationToken);
        // A server that never heard of initial events sends the objects and then waits for changes; so silence means "list".
        open!.EndAfter(options.MinIdle);
        var items = new Dictionary<ObjectKey, T>();
        while (await MoveNextAsync(cancellationToken).ConfigureAwait(false) is { } next)
        {
            open.EndAfter(next.EndsInitialEvents ? Timeout.InfiniteTimeSpan : options.MinIdle);
            if (next.EndsInitialEvents)
            {
                informer.Replace(options.Namespace, [.. items.Values], next.ResourceVersion);
                return new Outcome.Listed(next.ResourceVersion);
            }

            if (next.Item is { } item)
            {
                Collect(items, item, next.Type);
            }
        }

        await CloseAsync().ConfigureAwait(false);
        return new Outcome.Ended(state.Version, VeryShort: true);
    }

    private static void Collect(Dictionary<ObjectKey, T> items, T item, WatchEventType change)
    {
        if (change == WatchEventType.Deleted)
        {
            items.Remove(ObjectKey.Of(item));
        }
        else
        {
            items[ObjectKey.Of(item)] = item;
        }
    }

    private async Task<Outcome> WatchAsync(Watching state, CancellationToken cancellationToken)
    {
        if (open is null)
        {
            Open(new WatchOptions { ResourceVersion = state.Version }, cancellationToken);
        }

        string version = state.Version;
        int events = 0;
        long start = time.GetTimestamp();
        var silence = new Silence(time, options.MinIdle);
        try
        {
            while (await MoveNextAsync(cancellationToken).ConfigureAwait(false) is { } next)
            {
                events++;
                informer.Apply(options.Namespace, next);
                version = next.ResourceVersion.Length > 0 ? next.ResourceVersion : version;
                internalErrorsSince = 0;
                if (silence.Observe(next.Type == WatchEventType.Bookmark) is { } limit)
                {
                    open!.EndAfter(limit);
                }
            }
        }
        catch (KubeException e)
        {
            options.Logger.LogInformation("{Resource}: watch from {Version} failed: {Message}", type.Kind.Plural, version, e.Message);
            await CloseAsync().ConfigureAwait(false);
            return new Outcome.Failed(e, version, MayRetryInternalError());
        }

        await CloseAsync().ConfigureAwait(false);
        return new Outcome.Ended(version, VeryShort: events == 0 && time.GetElapsedTime(start) < options.VeryShort);
    }

    private bool MayRetryInternalError()
    {
        if (internalErrorsSince == 0)
        {
            internalErrorsSince = time.GetTimestamp();
        }

        return time.GetElapsedTime(internalErrorsSince) < options.MaxInternalErrorRetry;
    }

    private void Open(WatchOptions watch, CancellationToken cancellationToken)
    {
        client.Metrics.Watches.WithLabels(type.Kind.Plural).Inc();
        open = new OpenWatch(time, idle => client.WatchAsync(type, options.Namespace, watch with
        {
            LabelSelector = options.LabelSelector,
            FieldSelector = options.FieldSelector,
            Timeout = options.MinWatch * (1 + options.Random.NextDouble()),
        }, idle), cancellationToken);
    }

    private async Task<WatchEvent<T>?> MoveNextAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await open!.Events.MoveNextAsync().ConfigureAwait(false) ? open.Events.Current : null;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new KubeTransportException($"watch of {type.Kind.Plural} fell silent; the connection is taken for dead");
        }
    }

    private async Task CloseAsync()
    {
        if (open is { } watch)
        {
            open = null;
            await watch.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>A running watch, and the clock that ends it when it has been silent for too long.</summary>
    private sealed class OpenWatch : IAsyncDisposable
    {
        private readonly CancellationTokenSource idle;
        private readonly CancellationTokenRegistration link;

        public OpenWatch(TimeProvider time, Func<CancellationToken, IAsyncEnumerable<WatchEvent<T>>> watch, CancellationToken stop)
        {
            idle = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
            link = stop.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), idle);
            Events = watch(idle.Token).GetAsyncEnumerator(idle.Token);
        }

        public IAsyncEnumerator<WatchEvent<T>> Events { get; }

        public void EndAfter(TimeSpan silence) => idle.CancelAfter(silence);

        public async ValueTask DisposeAsync()
        {
            await Events.DisposeAsync().ConfigureAwait(false);
            await link.DisposeAsync().ConfigureAwait(false);
            idle.Dispose();
        }
    }
}

/// <summary>
/// How long a watch may be silent: three times the interval at which its bookmarks came. Servers need not send bookmarks, so
/// without two of them there is no limit but the watch's own deadline.
/// </summary>
internal sealed class Silence(TimeProvider time, TimeSpan floor)
{
    private long lastBookmark;
    private TimeSpan? limit;

    /// <summary>An event came; returns the limit to set from now on, if there is one.</summary>
    public TimeSpan? Observe(bool bookmark)
    {
        if (bookmark)
        {
            if (lastBookmark != 0)
            {
                TimeSpan seen = time.GetElapsedTime(lastBookmark) * 3;
                limit = seen > floor ? seen : floor;
            }

            lastBookmark = time.GetTimestamp();
        }

        return limit;
    }
}
