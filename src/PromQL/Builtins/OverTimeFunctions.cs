using OptiInfra.PromQL.Data;
using OptiInfra.PromQL.Engine;

namespace OptiInfra.PromQL.Builtins;

/// <summary>Aggregations of one series over time.</summary>
internal static class OverTimeFunctions
{
    public static SampleValue One(RangeWindow window, in RangeContext context) => 1.0;

    public static SampleValue Count(RangeWindow window, in RangeContext context) => (double)(window.Floats.Length + window.Histograms.Length);

    public static SampleValue Last(RangeWindow window, in RangeContext context) =>
        window.Histograms.IsEmpty || (!window.Floats.IsEmpty && window.Histograms[^1].Time < window.Floats[^1].Time)
            ? window.Floats[^1].Value
            : SampleValue.Of(window.Histograms[^1].Value);

    public static SampleValue First(RangeWindow window, in RangeContext context) =>
        window.Histograms.IsEmpty || (!window.Floats.IsEmpty && window.Histograms[0].Time > window.Floats[0].Time)
            ? window.Floats[0].Value
            : SampleValue.Of(window.Histograms[0].Value);

    public static SampleValue TimeOfLast(RangeWindow window, in RangeContext context) => Math.Max(
        window.Floats.IsEmpty ? long.MinValue : window.Floats[^1].Time,
        window.Histograms.IsEmpty ? long.MinValue : window.Histograms[^1].Time) / 1000.0;

    public static SampleValue TimeOfFirst(RangeWindow window, in RangeContext context) => Math.Min(
        window.Floats.IsEmpty ? long.MaxValue : window.Floats[0].Time,
        window.Histograms.IsEmpty ? long.MaxValue : window.Histograms[0].Time) / 1000.0;

    public static SampleValue Min(RangeWindow window, in RangeContext context) =>
        Extreme(window, context, (now, best) => now < best) is { } best ? best.Value : SampleValue.None;

    public static SampleValue Max(RangeWindow window, in RangeContext context) =>
        Extreme(window, context, (now, best) => now > best) is { } best ? best.Value : SampleValue.None;

    public static SampleValue TimeOfMin(RangeWindow window, in RangeContext context) =>
        Extreme(window, context, (now, best) => now <= best) is { } best ? best.Time / 1000.0 : SampleValue.None;

    public static SampleValue TimeOfMax(RangeWindow window, in RangeContext context) =>
        Extreme(window, context, (now, best) => now >= best) is { } best ? best.Time / 1000.0 : SampleValue.None;

    public static SampleValue Sum(RangeWindow window, in RangeContext context)
    {
        if (IsMixed(window, context))
        {
            return SampleValue.None;
        }
        if (window.Floats.IsEmpty)
        {
            return Fold(window, context, static (FloatHistogram sum, FloatHistogram next, int _, out HistogramConflict conflict) => sum.Plus(next, out conflict));
        }
        var sum = new Compensated(0);
        foreach (FloatPoint point in window.Floats)
        {
            sum = sum.Plus(point.Value);
        }
        return double.IsInfinity(sum.Sum) ? sum.Sum : sum.Total;
    }

    public static SampleValue Average(RangeWindow window, in RangeContext context)
    {
        if (IsMixed(window, context))
        {
            return SampleValue.None;
        }
        if (window.Floats.IsEmpty)
        {
            return Fold(window, context, MovedMean);
        }
        List<double> values = Values(window);
        return context.Evaluator.IsV3 ? Means.Of(values) : Means.Incremental(values, compensated: true);
    }

    public static SampleValue Quantile(RangeWindow window, in RangeContext context)
    {
        if (!HasFloats(window, context))
        {
            return SampleValue.None;
        }
        Quantiles.WarnUnlessValid(context.Notes, context.Scalars[0]);
        return Quantiles.Of(context.Scalars[0], Values(window));
    }

    public static SampleValue Variance(RangeWindow window, in RangeContext context)
    {
        if (!HasFloats(window, context))
        {
            return SampleValue.None;
        }
        Compensated mean = default, squares = default;
        double count = 0;
        foreach (FloatPoint point in window.Floats)
        {
            count++;
            double delta = point.Value - mean.Total;
            mean = mean.Plus(delta / count);
            squares = squares.Plus(delta * (point.Value - mean.Total));
        }
        return squares.Total / count;
    }

    public static SampleValue Deviation(RangeWindow window, in RangeContext context) =>
        Variance(window, context) is { IsPresent: true } variance ? Math.Sqrt(variance.Float) : SampleValue.None;

    /// <summary>The median distance from the median.</summary>
    public static SampleValue MedianDeviation(RangeWindow window, in RangeContext context)
    {
        if (!HasFloats(window, context))
        {
            return SampleValue.None;
        }
        List<double> values = Values(window);
        double median = Quantiles.Of(0.5, values);
        return Quantiles.Of(0.5, values.ConvertAll(value => Math.Abs(value - median)));
    }

    /// <summary>The mean of <paramref name="count"/> histograms, from the mean of all but the last.</summary>
    public static FloatHistogram? MovedMean(FloatHistogram mean, FloatHistogram next, int count, out HistogramConflict conflict) =>
        next.DividedBy(count).Minus(mean.DividedBy(count), out conflict) is { } move ? mean.Plus(move, out conflict) : null;

    private delegate FloatHistogram? HistogramStep(FloatHistogram state, FloatHistogram next, int count, out HistogramConflict conflict);

    private static SampleValue Fold(RangeWindow window, in RangeContext context, HistogramStep step)
    {
        FloatHistogram state = window.Histograms[0].Value;
        for (int i = 1; i < window.Histograms.Length; i++)
        {
            FloatHistogram? next = step(state, window.Histograms[i].Value, i + 1, out HistogramConflict conflict);
            if (next is null)
            {
                context.Notes.WarnOfConflict(conflict, context.MetricName);
                return SampleValue.None;
            }
            state = next;
        }
        return SampleValue.Of(state);
    }

    private static bool IsMixed(RangeWindow window, in RangeContext context)
    {
        bool mixed = !window.Floats.IsEmpty && !window.Histograms.IsEmpty;
        if (mixed)
        {
            context.Notes.WarnOfMix(context.MetricName);
        }
        return mixed;
    }

    private static bool HasFloats(RangeWindow window, in RangeContext context)
    {
        if (!window.Floats.IsEmpty && !window.Histograms.IsEmpty)
        {
            context.Notes.InformOfIgnoredHistograms(context.MetricName);
        }
        return !window.Floats.IsEmpty;
    }

    private static FloatPoint? Extreme(RangeWindow window, in RangeContext context, Func<double, double, bool> isBetter)
    {
        if (!HasFloats(window, context))
        {
            return null;
        }
        FloatPoint best = window.Floats[0];
        foreach (FloatPoint point in window.Floats)
        {
            if (isBetter(point.Value, best.Value) || double.IsNaN(best.Value))
            {
                best = point;
            }
        }
        return best;
    }

    private static List<double> Values(RangeWindow window)
    {
        var values = new List<double>(window.Floats.Length);
        foreach (FloatPoint point in window.Floats)
        {
            values.Add(point.Value);
        }
        return values;
    }
}
