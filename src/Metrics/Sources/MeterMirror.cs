using System.Diagnostics.Metrics;

namespace OptiInfra.Metrics.Sources;

/// <summary>
/// Shows the registry as a Meter, so that OpenTelemetry or any other listener can export it: <c>AddMeter(MeterMirror.MeterName)</c>.
/// Counters and gauges are read when the listener asks and cost nothing in between; each observation of a histogram is passed on
/// while somebody listens. Families created later are mirrored from the next scrape or <see cref="Refresh"/> on.
/// </summary>
public sealed class MeterMirror : IDisposable
{
    public const string MeterName = "OptiInfra.Metrics";

    private readonly MetricRegistry _registry;
    private readonly Meter _meter;
    private readonly HashSet<string> _mirrored = new(StringComparer.Ordinal);
    private readonly List<Histogram> _histograms = [];
    private readonly Lock _lock = new();
    private readonly IDisposable _subscription;

    public MeterMirror(MetricRegistry registry)
    {
        _registry = registry;
        _meter = new Meter(new MeterOptions(MeterName) { Tags = registry.Options.StaticLabels.Select(label => KeyValuePair.Create(label.Key, (object?)label.Value)) });
        Refresh();
        _subscription = registry.OnCollect(Refresh);
    }

    /// <summary>Mirrors the families that are new.</summary>
    public void Refresh()
    {
        lock (_lock)
        {
            foreach (MetricFamily family in _registry.Families)
            {
                if (_mirrored.Add(family.Name))
                {
                    Mirror(family);
                }
            }
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (Histogram histogram in _histograms)
            {
                histogram.MirrorTo(null);
            }
        }

        _subscription.Dispose();
        _meter.Dispose();
    }

    private void Mirror(MetricFamily family)
    {
        switch (family)
        {
            case Counter counter:
                _meter.CreateObservableCounter(family.BaseName, () => counter.AllSeries().Select(series => new Measurement<double>(series.Value, TagsOf(series))), family.Unit, family.Help);
                break;
            case Gauge gauge:
                _meter.CreateObservableGauge(family.BaseName, () => gauge.AllSeries().Select(series => new Measurement<double>(series.Value, TagsOf(series))), family.Unit, family.Help);
                break;
            case Histogram histogram:
                _histograms.Add(histogram);
                histogram.MirrorTo(_meter.CreateHistogram(family.BaseName, family.Unit, family.Help, tags: null, new InstrumentAdvice<double> { HistogramBucketBoundaries = histogram.Buckets }));
                break;
            default:
                // Info, state sets and summaries have no counterpart that listeners would understand.
                break;
        }
    }

    internal static KeyValuePair<string, object?>[] TagsOf(Series series) =>
        [.. series.Family.LabelNames.Select((name, index) => KeyValuePair.Create(name, (object?)series.Values[index]))];
}
