using System.Runtime.InteropServices;

namespace OptiInfra.PromQL.Data;

internal readonly record struct FloatPoint(long Time, double Value);

internal readonly record struct HistogramPoint(long Time, FloatHistogram Value);

/// <summary>One float or histogram; the default is "nothing".</summary>
internal readonly record struct SampleValue(double Float, FloatHistogram? Histogram, bool IsPresent)
{
    public static readonly SampleValue None;

    public static implicit operator SampleValue(double value) => new(value, null, true);

    public static SampleValue Of(FloatHistogram value) => new(0, value, true);
}

internal enum AppendResult
{
    Added,
    OutOfOrder,
    Duplicate,
}

/// <summary>
/// All samples of one series in the order of time: floats (with staleness markers) and histograms side by side,
/// and the floats once more without markers as soon as there is a marker, because range selectors skip them.
/// </summary>
internal sealed class StoredSeries(Labels labels)
{
    private readonly List<FloatPoint> floats = [];
    private List<FloatPoint>? unmarked;
    private List<HistogramPoint>? histograms;
    private long last = long.MinValue;

    public Labels Labels { get; } = labels;

    public ReadOnlySpan<FloatPoint> FloatsAndMarkers => CollectionsMarshal.AsSpan(floats);

    public ReadOnlySpan<FloatPoint> Floats => CollectionsMarshal.AsSpan(unmarked ?? floats);

    public ReadOnlySpan<HistogramPoint> Histograms => CollectionsMarshal.AsSpan(histograms);

    public AppendResult Append(long time, SampleValue sample)
    {
        if (time < last)
        {
            return AppendResult.OutOfOrder;
        }
        if (time == last)
        {
            return Repeats(time, sample) ? AppendResult.Added : AppendResult.Duplicate;
        }
        last = time;
        if (sample.Histogram is not null)
        {
            (histograms ??= []).Add(new HistogramPoint(time, WithHint(sample.Histogram)));
            return AppendResult.Added;
        }
        if (StaleMarker.Is(sample.Float))
        {
            unmarked ??= [.. floats];
        }
        else
        {
            unmarked?.Add(new FloatPoint(time, sample.Float));
        }
        floats.Add(new FloatPoint(time, sample.Float));
        return AppendResult.Added;
    }

    /// <summary>Storage itself tells counters that went on from those that were reset; queries and test files see it.</summary>
    private FloatHistogram WithHint(FloatHistogram histogram)
    {
        bool follows = histograms is { Count: > 0 } && (floats.Count == 0 || floats[^1].Time < histograms[^1].Time);
        if (histogram.Hint is ResetHint.Gauge or ResetHint.Reset || !follows)
        {
            return histogram.Hint == ResetHint.NoReset ? histogram with { Hint = ResetHint.Unknown } : histogram;
        }
        bool reset = (histogram with { Hint = ResetHint.Unknown }).IsResetSince(histograms![^1].Value);
        return histogram with { Hint = reset ? ResetHint.Reset : ResetHint.NoReset };
    }

    private bool Repeats(long time, SampleValue sample)
    {
        if (sample.Histogram is not null)
        {
            return histograms is [.., var h] && h.Time == time && h.Value.Equals(sample.Histogram);
        }
        return floats is [.., var f] && f.Time == time && BitConverter.DoubleToInt64Bits(f.Value) == BitConverter.DoubleToInt64Bits(sample.Float);
    }
}

/// <summary>
/// Series in memory, found by metric name and matchers; the whole database of rule tests and scripts.
/// Series come back in the order in which they were created.
/// </summary>
internal sealed class SeriesStore
{
    private readonly Dictionary<Labels, StoredSeries> byLabels = [];
    private readonly Dictionary<string, List<StoredSeries>> byName = new(StringComparer.Ordinal);
    private readonly List<StoredSeries> all = [];

    public IReadOnlyList<StoredSeries> All => all;

    public AppendResult Append(Labels labels, long time, SampleValue sample)
    {
        if (!byLabels.TryGetValue(labels, out StoredSeries? series))
        {
            series = new StoredSeries(labels);
            byLabels.Add(labels, series);
            all.Add(series);
            if (!byName.TryGetValue(labels.Name, out List<StoredSeries>? named))
            {
                byName.Add(labels.Name, named = []);
            }
            named.Add(series);
        }
        return series.Append(time, sample);
    }

    public IEnumerable<StoredSeries> Select(SeriesMatcher matcher)
    {
        IReadOnlyList<StoredSeries> candidates = matcher.Name is null ? all : byName.GetValueOrDefault(matcher.Name) ?? [];
        return candidates.Where(series => matcher.Matches(series.Labels));
    }

    public void Clear()
    {
        byLabels.Clear();
        byName.Clear();
        all.Clear();
    }
}
