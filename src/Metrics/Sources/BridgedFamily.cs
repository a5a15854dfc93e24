using System.Diagnostics.Metrics;

namespace OptiInfra.Metrics.Sources;

/// <summary>One instrument and the family it feeds; the state object of its callbacks.</summary>
internal sealed record BridgedInstrument(BridgedFamily Family, KeyValuePair<string, object?>[] Constants);

/// <summary>
/// One family fed by instruments. Tags come in any order, and which tags come depends on what happened (a route only when one
/// matched, an error only on failure). The family's labels are all tags seen so far; a tag that is missing has the empty value,
/// which Prometheus takes for no label. A new tag extends the labels, and the series that exist stay what they were.
/// </summary>
internal sealed class BridgedFamily
{
    private readonly Lock _lock = new();
    private readonly MetricFamily _family;
    private readonly MeterBridgeOptions _options;
    private Shape _shape;

    public BridgedFamily(MetricRegistry registry, string name, Instrument instrument, InstrumentKind kind, MeterBridgeOptions options)
    {
        Kind = kind;
        _options = options;
        string help = string.IsNullOrEmpty(instrument.Description) ? $"Instrument {instrument.Name} of meter {instrument.Meter.Name}." : instrument.Description;
        string unit = MeterNames.UnitName(instrument.Unit);
        var common = new MetricOptions { Unit = unit, SeriesLimit = options.SeriesLimit, IdleTimeout = kind.IsObservable && kind.Type == MetricType.Gauge ? options.ObservableTimeout : null };
        _family = kind.Type switch
        {
            MetricType.Counter => registry.CreateCounter(name, help, common),
            MetricType.Histogram => registry.CreateHistogram(name, help, new HistogramOptions { Unit = unit, SeriesLimit = options.SeriesLimit, Buckets = BucketsOf(instrument) }),
            _ => registry.CreateGauge(name, help, common),
        };

        // The family begins without labels, yet its one series without labels should only appear when something is measured so.
        _family.BecomeExtensible();
        _shape = new Shape([], []);
    }

    public InstrumentKind Kind { get; }

    /// <summary>Records a measurement. The constants are tags of the instrument and its meter, which a measurement does not repeat.</summary>
    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, ReadOnlySpan<KeyValuePair<string, object?>> constants)
    {
        while (true)
        {
            Shape shape = Volatile.Read(ref _shape);
            if (constants.Length == 0 && shape.IsOrderOf(tags) && _family.Find(tags) is { } known)
            {
                Apply(known, value);
                return;
            }

            LabelBuffer buffer = default;
            Span<string> values = buffer[..shape.Keys.Length];
            values.Fill("");
            if ((shape.Fill(constants, values) ?? shape.Fill(tags, values)) is { } unknown)
            {
                Extend(unknown);
                continue;
            }

            // Null when the labels grew in between: then once more with the new shape.
            if (_family.TryResolve(values) is { } series)
            {
                Apply(series, value);
                return;
            }
        }
    }

    private void Apply(Series series, double value)
    {
        switch (series)
        {
            case CounterSeries counter when Kind.IsAbsolute:
                counter.IncTo(value);
                break;
            case CounterSeries counter:
                counter.Inc(value);
                break;
            case HistogramSeries histogram:
                histogram.Observe(value);
                break;
            case GaugeSeries gauge when Kind.IsAbsolute:
                gauge.Set(value);
                break;
            case GaugeSeries gauge:
                gauge.Inc(value);
                break;
            default:
                break;
        }
    }

    /// <summary>Adds a tag to the labels, or to the tags that are left out.</summary>
    private void Extend(string key)
    {
        lock (_lock)
        {
            Shape shape = _shape;
            if (shape.Knows(key))
            {
                return;
            }

            string label = MeterNames.LabelName(key);
            bool left = _options.ExcludedTags.Contains(key, StringComparer.Ordinal)
                || MetricNames.IsForbidden(label, _family.Registry.Options.ForbiddenLabels)
                || label is "le" or "quantile"
                || _family.Registry.Options.StaticLabels.ContainsKey(label)
                || _family.LabelNames.Contains(label, StringComparer.Ordinal)
                || shape.Keys.Length == LabelBuffer.Capacity;
            if (left)
            {
                Volatile.Write(ref _shape, shape with { Ignored = [.. shape.Ignored, key] });
                return;
            }

            _family.ExtendLabels(label, "");
            Volatile.Write(ref _shape, shape with { Keys = [.. shape.Keys, key] });
        }
    }

    private static IReadOnlyList<double> BucketsOf(Instrument instrument)
    {
        IReadOnlyList<double>? advised = InstrumentKinds.AdvisedBuckets(instrument);
        return advised is { Count: > 0 } ? advised : MeterNames.UnitName(instrument.Unit) switch
        {
            "seconds" => HistogramOptions.RequestSeconds,
            "milliseconds" => [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000],
            "bytes" => HistogramOptions.Exponential(64, 4, 12),
            _ => [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000],
        };
    }

    /// <summary>Which tags are labels, in the order of the labels, and which are ignored. Immutable: replaced as a whole.</summary>
    private sealed record Shape(string[] Keys, string[] Ignored)
    {
        public bool Knows(string key) => Array.IndexOf(Keys, key) >= 0 || Array.IndexOf(Ignored, key) >= 0;

        /// <summary>The usual case: instrumented code passes the same keys, which are literals, in the same order every time.</summary>
        public bool IsOrderOf(ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            string[] keys = Keys;
            if (tags.Length != keys.Length)
            {
                return false;
            }

            for (int index = 0; index < tags.Length; index++)
            {
                if (!ReferenceEquals(keys[index], tags[index].Key))
                {
                    return false;
                }
            }

            return true;
        }

        /// <summary>Puts the tags' values in their places. Returns the first key that is not known.</summary>
        public string? Fill(ReadOnlySpan<KeyValuePair<string, object?>> tags, Span<string> values)
        {
            foreach ((string key, object? value) in tags)
            {
                int place = Array.IndexOf(Keys, key);
                if (place >= 0)
                {
                    values[place] = TagText.Of(value);
                }
                else if (Array.IndexOf(Ignored, key) < 0)
                {
                    return key;
                }
            }

            return null;
        }
    }
}
