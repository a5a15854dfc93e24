namespace OptiInfra.Metrics;

/// <summary>
/// What the registry says about itself: what it refused, cut or let overflow, and what failed while it was being read.
/// Reports never raise reports: these families have few labels, all values of which are names of families.
/// </summary>
internal sealed class SelfMetrics
{
    private readonly MetricRegistry _registry;
    private Counter? _overflows;
    private Counter? _rejections;
    private Counter? _truncations;
    private Counter? _callbackErrors;
    private Gauge? _series;
    private Histogram? _scrapeDuration;
    private Gauge? _scrapeSize;
    private long _callbackFailures;

    public SelfMetrics(MetricRegistry registry) => _registry = registry;

    /// <summary>Failures of collect callbacks so far; kept even when self-metrics are off.</summary>
    public long CallbackFailures => Interlocked.Read(ref _callbackFailures);

    /// <summary>Creates the families. Apart from the constructor, because creating a family needs a registry that is complete.</summary>
    public void Start()
    {
        if (!_registry.Options.SelfMetrics)
        {
            return;
        }

        var unbounded = new MetricOptions { SeriesLimit = int.MaxValue };
        _series = _registry.CreateGauge("metrics_series", "Series the family holds.", unbounded, "family");
        _overflows = _registry.CreateCounter("metrics_series_overflow_total", "Lookups answered with the overflow series because the family is full.", unbounded, "family");
        _rejections = _registry.CreateCounter("metrics_rejected_values_total", "Negative, infinite or undefined values that were not recorded.", unbounded, "family");
        _truncations = _registry.CreateCounter("metrics_truncated_labels_total", "Label values that were cut because they were too long.", unbounded, "family");
        _callbackErrors = _registry.CreateCounter("metrics_callback_errors_total", "Failures inside the metrics: callbacks before a scrape, measurements of a bridge, the recording of a request.");
        _scrapeDuration = _registry.CreateHistogram("metrics_scrape_duration_seconds", "Time to produce a scrape.", new HistogramOptions { Buckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5] });
        _scrapeSize = _registry.CreateGauge("metrics_scrape_size_bytes", "Size of the last scrape before compression.");
    }

    public void Overflowed(MetricFamily family) => _overflows?.WithLabels(family.Name).Inc();

    public void Rejected(MetricFamily family) => _rejections?.WithLabels(family.Name).Inc();

    public void Truncated(MetricFamily family) => _truncations?.WithLabels(family.Name).Inc();

    /// <summary>
    /// Runs code of others. Whatever it throws is counted, and the scrape goes on without it: a metric must never take
    /// down what it measures.
    /// </summary>
    public void Guard(Action callback)
    {
        try
        {
            callback();
        }
        catch (Exception)
        {
            Failed();
        }
    }

    /// <inheritdoc cref="Guard"/>
    public async Task GuardAsync(Func<CancellationToken, Task> callback, CancellationToken deadline)
    {
        try
        {
            await callback(deadline).WaitAsync(deadline);
        }
        catch (Exception)
        {
            Failed();
        }
    }

    public void Scraped(TimeSpan duration, long bytes)
    {
        _scrapeDuration?.Observe(duration.TotalSeconds);
        _scrapeSize?.Set(bytes);
    }

    /// <summary>A failure inside the metrics, of whatever kind: counted here, never passed on.</summary>
    public void Failed()
    {
        Interlocked.Increment(ref _callbackFailures);
        _callbackErrors?.Inc();
    }

    /// <summary>Brings <c>metrics_series</c> up to date.</summary>
    public void Refresh()
    {
        if (_series is null)
        {
            return;
        }

        foreach (MetricFamily family in _registry.Families)
        {
            _series.WithLabels(family.Name).Set(family.SeriesCount);
        }
    }
}
