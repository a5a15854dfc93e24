using OptiInfra.PromQL.Data;
using OptiInfra.PromQL.Engine;
using OptiInfra.PromQL.Syntax;

namespace OptiInfra.PromQL.Builtins;

/// <summary>How a series changes over a range: rates, differences, trends.</summary>
internal static class RateFunctions
{
    public static SampleValue Rate(RangeWindow window, in RangeContext context) => Extrapolated(window, context, isCounter: true, perSecond: true);

    public static SampleValue Increase(RangeWindow window, in RangeContext context) => Extrapolated(window, context, isCounter: true, perSecond: false);

    public static SampleValue Delta(RangeWindow window, in RangeContext context) => Extrapolated(window, context, isCounter: false, perSecond: false);

    public static SampleValue InstantRate(RangeWindow window, in RangeContext context) => Instant(window, context, isRate: true);

    public static SampleValue InstantDelta(RangeWindow window, in RangeContext context) => Instant(window, context, isRate: false);

    public static SampleValue Slope(RangeWindow window, in RangeContext context) =>
        HasTwoFloats(window, context) ? Regression(window.Floats, window.Floats[0].Time).Slope : SampleValue.None;

    public static SampleValue Predict(RangeWindow window, in RangeContext context)
    {
        if (!HasTwoFloats(window, context))
        {
            return SampleValue.None;
        }
        (double slope, double intercept) = Regression(window.Floats, context.Time);
        return slope * context.Scalars[0] + intercept;
    }

    /// <summary>Double exponential smoothing: a moving average that follows the trend.</summary>
    public static SampleValue Smooth(RangeWindow window, in RangeContext context)
    {
        double smoothing = context.Scalars[0], trend = context.Scalars[1];
        RequireFactor("smoothing", smoothing);
        RequireFactor("trend", trend);
        if (!HasTwoFloats(window, context))
        {
            return SampleValue.None;
        }
        double before = 0, level = window.Floats[0].Value;
        double slope = window.Floats[1].Value - level;
        for (int i = 1; i < window.Floats.Length; i++)
        {
            double scaled = smoothing * window.Floats[i].Value;
            if (i > 1)
            {
                slope = trend * (level - before) + (1 - trend) * slope;
            }
            (before, level) = (level, scaled + (1 - smoothing) * (level + slope));
        }
        return level;
    }

    public static SampleValue Resets(RangeWindow window, in RangeContext context) => CountPairs(window, (before, now) =>
        before.Histogram is { } a && now.Histogram is { } b ? b.IsResetSince(a)
        : before.Histogram is not null || now.Histogram is not null || now.Float < before.Float);

    public static SampleValue Changes(RangeWindow window, in RangeContext context) => CountPairs(window, (before, now) =>
        before.Histogram is { } a && now.Histogram is { } b ? !a.Equals(b)
        : before.Histogram is not null || now.Histogram is not null
            || (now.Float != before.Float && !(double.IsNaN(now.Float) && double.IsNaN(before.Float))));

    private static void RequireFactor(string name, double value)
    {
        if (value is <= 0 or >= 1)
        {
            throw new EvaluationException($"invalid {name} factor. Expected: 0 < {name[..1]}f < 1, got: {GoNumber.FormatFixed(value, 6)}");
        }
    }

    private static bool HasTwoFloats(RangeWindow window, in RangeContext context)
    {
        if (window.Floats.Length > 0 && window.Histograms.Length > 0)
        {
            context.Notes.InformOfIgnoredHistograms(context.MetricName);
        }
        return window.Floats.Length >= 2;
    }

    /// <summary>
    /// The change between the first and the last sample, extended to the whole range: to its ends where samples come near
    /// enough to them, by half a sample's distance where they do not, and never below zero for a counter.
    /// </summary>
    private static SampleValue Extrapolated(RangeWindow window, in RangeContext context, bool isCounter, bool perSecond)
    {
        ReadOnlySpan<FloatPoint> floats = window.Floats;
        if (floats.Length > 0 && window.Histograms.Length > 0)
        {
            context.Notes.WarnOfMix(context.MetricName);
            return SampleValue.None;
        }
        int count = Math.Max(floats.Length, window.Histograms.Length);
        if (count < 2)
        {
            return SampleValue.None;
        }
        FloatHistogram? histogram = null;
        double change = 0;
        long first, last;
        if (floats.IsEmpty)
        {
            (first, last) = (window.Histograms[0].Time, window.Histograms[^1].Time);
            histogram = HistogramChange(window.Histograms, context, isCounter);
            if (histogram is null)
            {
                return SampleValue.None;
            }
        }
        else
        {
            (first, last) = (floats[0].Time, floats[^1].Time);
            change = FloatChange(floats, isCounter);
        }
        double sampled = (last - first) / 1000.0;
        double spacing = sampled / (count - 1);
        double threshold = spacing * 1.1;
        double toStart = (first - window.Start) / 1000.0, toEnd = (window.End - last) / 1000.0;
        toStart = toStart >= threshold ? spacing / 2 : toStart;
        if (isCounter && change > 0 && !floats.IsEmpty && floats[0].Value >= 0)
        {
            toStart = Math.Min(toStart, sampled * (floats[0].Value / change));
        }
        toEnd = toEnd >= threshold ? spacing / 2 : toEnd;
        double factor = (sampled + toStart + toEnd) / sampled;
        factor = perSecond ? factor / context.RangeSeconds : factor;
        return histogram is null ? change * factor : SampleValue.Of(histogram.Times(factor));
    }

    private static double FloatChange(ReadOnlySpan<FloatPoint> floats, bool isCounter)
    {
        double change = floats[^1].Value - floats[0].Value;
        for (int i = 1; isCounter && i < floats.Length; i++)
        {
            if (floats[i].Value < floats[i - 1].Value)
            {
                change += floats[i - 1].Value;
            }
        }
        return change;
    }

    private static FloatHistogram? HistogramChange(ReadOnlySpan<HistogramPoint> points, in RangeContext context, bool isCounter)
    {
        string metric = context.MetricName;
        FloatHistogram first = points[0].Value, last = points[^1].Value;
        bool anyGauge = false, allGauges = first.Hint == ResetHint.Gauge && last.Hint == ResetHint.Gauge;
        int schema = Math.Min(first.Schema, last.Schema);
        if (isCounter && points[1].Value.IsResetSince(first))
        {
            // The first sample adds nothing then, so its bucket layout must not matter either.
            first = new FloatHistogram { Schema = points[1].Value.Schema, CustomBounds = points[1].Value.CustomBounds };
            schema = Math.Min(first.Schema, last.Schema);
        }
        foreach (HistogramPoint point in points)
        {
            anyGauge |= point.Value.Hint == ResetHint.Gauge;
        }
        if (isCounter && anyGauge)
        {
            context.Notes.Warn($"this native histogram metric is not a counter: {StringSyntax.Quote(metric)}");
        }
        for (int i = 1; i < points.Length; i++)
        {
            FloatHistogram point = points[i].Value;
            if ((isCounter || i == points.Length - 1) && point.HasCustomBounds != first.HasCustomBounds)
            {
                context.Notes.WarnOfConflict(HistogramConflict.Schema, metric);
                return null;
            }
            schema = isCounter ? Math.Min(schema, point.Schema) : schema;
        }
        FloatHistogram? change = last.ToSchema(schema).Minus(first, out HistogramConflict conflict);
        FloatHistogram before = first;
        for (int i = 1; change is not null && isCounter && i < points.Length; i++)
        {
            FloatHistogram now = points[i].Value;
            change = now.IsResetSince(before) ? change.Plus(before, out conflict) : change;
            before = now;
        }
        if (change is null)
        {
            context.Notes.WarnOfConflict(conflict, metric);
            return null;
        }
        if (!isCounter && !allGauges)
        {
            context.Notes.Warn($"this native histogram metric is not a gauge: {StringSyntax.Quote(metric)}");
        }
        return (change with { Hint = ResetHint.Gauge }).Compact();
    }

    private static SampleValue Instant(RangeWindow window, in RangeContext context, bool isRate)
    {
        if (LastTwo(window) is not { } pair)
        {
            return SampleValue.None;
        }
        ((long Time, SampleValue Value) before, (long Time, SampleValue Value) now) = pair;
        double seconds = (now.Time - before.Time) / 1000.0;
        switch (before.Value.Histogram, now.Value.Histogram)
        {
            case (null, null):
                double change = isRate && now.Value.Float < before.Value.Float ? now.Value.Float : now.Value.Float - before.Value.Float;
                return isRate ? change / seconds : change;
            case ({ } a, { } b):
                return InstantHistogram(a, b, seconds, context, isRate);
            default:
                context.Notes.WarnOfMix(context.MetricName);
                return SampleValue.None;
        }
    }

    private static SampleValue InstantHistogram(FloatHistogram before, FloatHistogram now, double seconds, in RangeContext context, bool isRate)
    {
        int gauges = (before.Hint == ResetHint.Gauge ? 1 : 0) + (now.Hint == ResetHint.Gauge ? 1 : 0);
        if (isRate ? gauges > 0 : gauges < 2)
        {
            context.Notes.Warn($"this native histogram metric is not a {(isRate ? "counter" : "gauge")}: {StringSyntax.Quote(context.MetricName)}");
        }
        FloatHistogram? change = now;
        if (!isRate || !now.IsResetSince(before))
        {
            change = now.Minus(before, out HistogramConflict conflict);
            if (change is null)
            {
                context.Notes.WarnOfConflict(conflict, context.MetricName);
                return SampleValue.None;
            }
        }
        change = (change with { Hint = ResetHint.Gauge }).Compact();
        return SampleValue.Of(isRate ? change.DividedBy(seconds) : change);
    }

    private static ((long, SampleValue) Before, (long, SampleValue) Now)? LastTwo(RangeWindow window)
    {
        var last = new List<(long Time, SampleValue Value)>(4);
        foreach (FloatPoint point in window.Floats[Math.Max(0, window.Floats.Length - 2)..])
        {
            last.Add((point.Time, point.Value));
        }
        foreach (HistogramPoint point in window.Histograms[Math.Max(0, window.Histograms.Length - 2)..])
        {
            last.Add((point.Time, SampleValue.Of(point.Value)));
        }
        if (last.Count < 2)
        {
            return null;
        }
        last.Sort((a, b) => a.Time.CompareTo(b.Time));
        return last[^1].Time == last[^2].Time ? null : (last[^2], last[^1]);
    }

    private static SampleValue CountPairs(RangeWindow window, Func<SampleValue, SampleValue, bool> counts)
    {
        int count = 0, f = 0, h = 0;
        SampleValue before = SampleValue.None;
        while (f < window.Floats.Length || h < window.Histograms.Length)
        {
            bool takeFloat = h == window.Histograms.Length || (f < window.Floats.Length && window.Floats[f].Time < window.Histograms[h].Time);
            SampleValue now = takeFloat ? window.Floats[f++].Value : SampleValue.Of(window.Histograms[h++].Value);
            if (before.IsPresent && counts(before, now))
            {
                count++;
            }
            before = now;
        }
        return count;
    }

    /// <summary>Least squares over the samples; the intercept is the value at <paramref name="origin"/>.</summary>
    private static (double Slope, double Intercept) Regression(ReadOnlySpan<FloatPoint> floats, long origin)
    {
        Compensated x = default, y = default, xy = default, xx = default;
        bool constant = true;
        foreach (FloatPoint point in floats)
        {
            double at = (point.Time - origin) / 1e3;
            constant &= point.Value == floats[0].Value;
            x = x.Plus(at);
            y = y.Plus(point.Value);
            xy = xy.Plus(at * point.Value);
            xx = xx.Plus(at * at);
        }
        if (constant)
        {
            return double.IsInfinity(floats[0].Value) ? (double.NaN, double.NaN) : (0, floats[0].Value);
        }
        double n = floats.Length;
        double slope = (xy.Total - x.Total * y.Total / n) / (xx.Total - x.Total * x.Total / n);
        return (slope, y.Total / n - slope * x.Total / n);
    }
}
