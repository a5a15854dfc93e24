using System.Diagnostics;

namespace OptiInfra.Metrics.Exposition;

/// <summary>
/// Produces scrape bodies. Readers that ask for the same thing while it is being produced share one body, so two Prometheus
/// replicas cost one collection; each still reads at its own pace, since the body is complete before the first byte is sent.
/// </summary>
internal sealed class Scraper(MetricRegistry registry)
{
    private readonly Lock _lock = new();
    private readonly SegmentPool _pool = new();
    private readonly Dictionary<ExpositionFormat, SharedBody> _inProgress = [];

    /// <summary>Readers whose body is being produced now.</summary>
    public int Waiting
    {
        get
        {
            lock (_lock)
            {
                return _inProgress.Values.Sum(body => body.Readers);
            }
        }
    }

    /// <summary>A complete body. The caller disposes it once it is sent.</summary>
    public async Task<SharedBody> ScrapeAsync(ExpositionFormat format, IReadOnlySet<string>? names, TimeSpan patience, CancellationToken cancellationToken)
    {
        SharedBody body;
        bool joined = false;
        bool shareable = names is null or { Count: 0 };
        lock (_lock)
        {
            if (shareable && _inProgress.TryGetValue(format, out SharedBody? running))
            {
                running.AddReader();
                body = running;
                joined = true;
            }
            else
            {
                body = new SharedBody(new SegmentedBuffer(_pool));
                if (shareable)
                {
                    _inProgress[format] = body;
                }
            }
        }

        try
        {
            if (joined)
            {
                await body.Ready.WaitAsync(cancellationToken);
            }
            else
            {
                await ProduceAsync(body, format, names, patience);
            }

            return body;
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    private async Task ProduceAsync(SharedBody body, ExpositionFormat format, IReadOnlySet<string>? names, TimeSpan patience)
    {
        long start = Stopwatch.GetTimestamp();
        try
        {
            // One reader going away must not fail the others, so only time ends a collection.
            await registry.CollectAsync(patience);
            registry.WriteCollected(body.Buffer, format, names);
            body.Complete(null);
        }
        catch (Exception problem)
        {
            body.Complete(problem);
            throw;
        }
        finally
        {
            lock (_lock)
            {
                if (_inProgress.TryGetValue(format, out SharedBody? current) && current == body)
                {
                    _inProgress.Remove(format);
                }
            }

            registry.Self.Scraped(Stopwatch.GetElapsedTime(start), body.Buffer.Length);
        }
    }
}

/// <summary>A body with a number of readers; the last one to dispose it gives the memory back.</summary>
internal sealed class SharedBody(SegmentedBuffer buffer) : IDisposable
{
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _readers = 1;

    public SegmentedBuffer Buffer { get; } = buffer;

    public Task Ready => _ready.Task;

    public int Readers => Volatile.Read(ref _readers);

    /// <summary>Only while the body is being produced, under the scraper's lock.</summary>
    public void AddReader() => Interlocked.Increment(ref _readers);

    public void Complete(Exception? problem)
    {
        if (problem is null)
        {
            _ready.SetResult();
        }
        else
        {
            _ready.SetException(problem);

            // Nobody may have joined; then nobody else will ever look at the failure.
            _ = _ready.Task.Exception;
        }
    }

    public void Dispose()
    {
        if (Interlocked.Decrement(ref _readers) == 0)
        {
            Buffer.Dispose();
        }
    }
}
