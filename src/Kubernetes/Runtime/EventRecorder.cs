using System.Globalization;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Kubernetes.Runtime;

/// <summary>Who reports, and how patiently.</summary>
public sealed record EventRecorderOptions
{
    /// <summary>The controller's name, as in <c>optiinfra.io/operator</c>.</summary>
    public required string Controller { get; init; }

    /// <summary>The process; a pod's name.</summary>
    public required string Instance { get; init; }

    /// <summary>Events that may wait; more are dropped, never a reconciliation held up.</summary>
    public int QueueLength { get; init; } = 1000;

    public int Attempts { get; init; } = 12;

    public TimeSpan RetryWait { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often the count of a series that goes on is written.</summary>
    public TimeSpan SeriesRefresh { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>A series without news for this long has ended.</summary>
    public TimeSpan SeriesEnd { get; init; } = TimeSpan.FromMinutes(6);

    public ILogger Logger { get; init; } = NullLogger.Instance;

    public Random Random { get; init; } = new();
}

public enum KubeEventType
{
    Normal,
    Warning,
}

/// <summary>
/// Tells people what happened, in <c>kubectl describe</c>. The same news again becomes a series: the first is created, the second
/// makes it a series, more are only counted and the count written every half hour and at the end. Recording never waits and
/// never fails; events are a courtesy, and dropped rather than waited for.
/// </summary>
public sealed class EventRecorder
{
    private readonly KubeClient client;
    private readonly EventRecorderOptions options;
    private readonly TimeProvider time;
    private readonly Channel<News> queue;
    private readonly Dictionary<SeriesKey, Series> series = [];
    private long dropped;

    private sealed record SeriesKey(KubeEventType Type, string Reason, string Action, string? Uid, string? Kind, string? Namespace, string? Name);

    private sealed record News(SeriesKey Key, ObjectReference Regarding, string Note, DateTimeOffset At);

    private sealed class Series(ObjectKey key)
    {
        public ObjectKey Key { get; set; } = key;

        public int Count { get; set; } = 1;

        public int Written { get; set; } = 1;

        public DateTimeOffset Last { get; set; }

        public DateTimeOffset WrittenAt { get; set; }
    }

    public EventRecorder(KubeClient client, EventRecorderOptions options)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(options);
        this.client = client;
        this.options = options;
        time = client.Time;
        queue = Channel.CreateBounded<News>(new BoundedChannelOptions(options.QueueLength) { SingleReader = true });
    }

    /// <summary>Events that there was no room for.</summary>
    public long Dropped => Interlocked.Read(ref dropped);

    /// <summary>Records that something happened to an object. Returns at once.</summary>
    public void Record(ResourceKind kind, ObjectMeta about, KubeEventType type, string reason, string action, string note)
    {
        ObjectReference regarding = ObjectReference.To(kind, about);
        var key = new SeriesKey(type, reason, action, regarding.Uid, regarding.Kind, regarding.Namespace, regarding.Name);
        if (!queue.Writer.TryWrite(new News(key, regarding, note, time.GetUtcNow())))
        {
            Interlocked.Increment(ref dropped);
        }
    }

    /// <summary>Writes events until stopped; then what is queued, for a few seconds.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            while (true)
            {
                await WriteQueuedAsync(stop).ConfigureAwait(false);
                await RefreshSeriesAsync(stop).ConfigureAwait(false);
                await WaitAsync(stop).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await FlushAsync().ConfigureAwait(false);
        }
    }

    private async Task FlushAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5), time);
        try
        {
            await WriteQueuedAsync(patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            options.Logger.LogInformation("{Count} events were not written before the stop", queue.Reader.Count);
        }
    }

    // Sleeps until there is news, or until a series has to be looked after; without series there is no timer at all.
    private async Task WaitAsync(CancellationToken stop)
    {
        Task<bool> news = queue.Reader.WaitToReadAsync(stop).AsTask();
        if (series.Count == 0)
        {
            await news.ConfigureAwait(false);
            return;
        }

        using var done = CancellationTokenSource.CreateLinkedTokenSource(stop);
        await Task.WhenAny(news, Task.Delay(options.SeriesEnd / 6, time, done.Token)).ConfigureAwait(false);
        await done.CancelAsync().ConfigureAwait(false);
        stop.ThrowIfCancellationRequested();
    }

    private async Task WriteQueuedAsync(CancellationToken cancellationToken)
    {
        while (queue.Reader.TryRead(out News? news))
        {
            if (!series.TryGetValue(news.Key, out Series? known))
            {
                ObjectKey key = await CreateAsync(news, cancellationToken).ConfigureAwait(false);
                series[news.Key] = new Series(key) { Last = news.At, WrittenAt = news.At };
                continue;
            }

            known.Count++;
            known.Last = news.At;
            if (known.Count == 2)
            {
                await PatchAsync(known, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task RefreshSeriesAsync(CancellationToken cancellationToken)
    {
        DateTimeOffset now = time.GetUtcNow();
        foreach ((SeriesKey key, Series known) in series.ToList())
        {
            bool ended = now - known.Last >= options.SeriesEnd;
            if (known.Count > known.Written && (ended || now - known.WrittenAt >= options.SeriesRefresh))
            {
                await PatchAsync(known, cancellationToken).ConfigureAwait(false);
            }

            if (ended)
            {
                series.Remove(key);
            }
        }
    }

    private async Task<ObjectKey> CreateAsync(News news, CancellationToken cancellationToken)
    {
        // Cluster-scoped objects have no namespace; their events live in the default one.
        string ns = news.Regarding.Namespace is { Length: > 0 } own ? own : "default";
        string subject = news.Regarding.Name ?? "";
        long nanoseconds = (news.At.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) * 100;
        string suffix = nanoseconds.ToString("x", CultureInfo.InvariantCulture);
        string name = $"{(subject.Length > 200 ? subject[..200] : subject)}.{suffix}";
        var manifest = new JsonObject
        {
            ["apiVersion"] = KubeTypes.Events.Kind.ApiVersion,
            ["kind"] = KubeTypes.Events.Kind.Kind,
            ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = ns },
            ["eventTime"] = MicroTime(news.At),
            ["type"] = news.Key.Type.ToString(),
            ["reason"] = Cut(news.Key.Reason, 128),
            ["action"] = Cut(news.Key.Action, 128),
            ["note"] = Cut(news.Note, 1024),
            ["reportingController"] = options.Controller,
            ["reportingInstance"] = Cut(options.Instance, 128),
            ["regarding"] = Reference(news.Regarding),
        };
        await TryAsync(token => client.CreateAsync(KubeTypes.Events.Kind, manifest, token), cancellationToken).ConfigureAwait(false);
        return new ObjectKey(ns, name);
    }

    private async Task PatchAsync(Series known, CancellationToken cancellationToken)
    {
        var change = new JsonObject
        {
            ["series"] = new JsonObject { ["count"] = known.Count, ["lastObservedTime"] = MicroTime(known.Last) },
        };
        known.Written = known.Count;
        known.WrittenAt = known.Last;
        await TryAsync(token => client.PatchAsync(KubeTypes.Events.Kind, known.Key, KubePatch.Merge(change), token), cancellationToken).ConfigureAwait(false);
    }

    // A refusal will not become a yes; an outage may end.
    private async Task TryAsync(Func<CancellationToken, Task> write, CancellationToken cancellationToken)
    {
        for (int attempt = 1; attempt <= options.Attempts; attempt++)
        {
            try
            {
                await write(cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (KubeApiException e) when ((int)e.Code is >= 400 and < 500 && !e.IsTooManyRequests)
            {
                options.Logger.LogInformation("an event was refused: {Message}", e.Message);
                return;
            }
            catch (KubeException e)
            {
                options.Logger.LogInformation("an event could not be written (attempt {Attempt}): {Message}", attempt, e.Message);
            }

            await Task.Delay(options.RetryWait * (0.75 + (0.5 * options.Random.NextDouble())), time, cancellationToken).ConfigureAwait(false);
        }
    }

    private static JsonObject Reference(ObjectReference reference)
    {
        var json = new JsonObject
        {
            ["apiVersion"] = reference.ApiVersion,
            ["kind"] = reference.Kind,
            ["name"] = reference.Name,
        };
        foreach ((string field, string? value) in new[] { ("namespace", reference.Namespace), ("uid", reference.Uid), ("resourceVersion", reference.ResourceVersion) })
        {
            if (value is { Length: > 0 })
            {
                json[field] = value;
            }
        }

        return json;
    }

    private static string Cut(string text, int length) => text.Length <= length ? text : text[..length];

    private static string MicroTime(DateTimeOffset moment) =>
        moment.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
}
