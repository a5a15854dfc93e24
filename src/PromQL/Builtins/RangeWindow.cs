using OptiInfra.PromQL.Data;
using OptiInfra.PromQL.Types;

namespace OptiInfra.PromQL.Builtins;

/// <summary>What a function over a range sees at one step: the samples of one series in one range, in the order of time.</summary>
internal readonly ref struct RangeWindow
{
    public required ReadOnlySpan<FloatPoint> Floats { get; init; }

    public required ReadOnlySpan<HistogramPoint> Histograms { get; init; }

    /// <summary>The bounds of the range; samples on the lower one are in it before Prometheus 3.0 only.</summary>
    public required long Start { get; init; }

    public required long End { get; init; }

    public bool IsEmpty => Floats.IsEmpty && Histograms.IsEmpty;
}

/// <summary>Where a range selector or a subquery takes the samples of one series from, at any step.</summary>
internal sealed class RangeSource(StoredSeries series, RangeSpec spec)
{
    public Labels Labels => series.Labels;

    public RangeWindow At(long time)
    {
        long end = (spec.At ?? time) - spec.Offset;
        long start = end - spec.Range;
        ReadOnlySpan<FloatPoint> floats = series.Floats;
        ReadOnlySpan<HistogramPoint> histograms = series.Histograms;
        int firstFloat = FirstAfter(floats, start, spec.LeftOpen), lastFloat = FirstAfter(floats, end, orEqual: true);
        int firstHistogram = 0, lastHistogram = 0;
        if (!histograms.IsEmpty)
        {
            firstHistogram = FirstAfter(histograms, start, spec.LeftOpen);
            lastHistogram = FirstAfter(histograms, end, orEqual: true);
        }
        return new RangeWindow
        {
            Floats = lastFloat > firstFloat ? floats[firstFloat..lastFloat] : default,
            Histograms = lastHistogram > firstHistogram ? histograms[firstHistogram..lastHistogram] : default,
            Start = start,
            End = end,
        };
    }

    /// <summary>The index of the first point later than <paramref name="time"/>, or at it unless those are to be skipped, too.</summary>
    private static int FirstAfter(ReadOnlySpan<FloatPoint> points, long time, bool orEqual)
    {
        int low = 0, high = points.Length;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            bool skip = orEqual ? points[middle].Time <= time : points[middle].Time < time;
            (low, high) = skip ? (middle + 1, high) : (low, middle);
        }
        return low;
    }

    private static int FirstAfter(ReadOnlySpan<HistogramPoint> points, long time, bool orEqual)
    {
        int index = 0;
        while (index < points.Length && (orEqual ? points[index].Time <= time : points[index].Time < time))
        {
            index++;
        }
        return index;
    }
}

/// <summary>The range part of a selector: its length, offset and fixed time in milliseconds.</summary>
internal readonly record struct RangeSpec(long Range, long Offset, long? At, bool LeftOpen)
{
    public static bool IsLeftOpen(PrometheusVersion version) => version >= PrometheusVersion.V30;
}
