using System.Globalization;
using OptiInfra.PromQL.Data;
using OptiInfra.PromQL.Engine;
using OptiInfra.PromQL.Syntax;

namespace OptiInfra.PromQL.Builtins;

/// <summary>Functions of classic histograms (a series per bucket, told by the label le) and native ones.</summary>
internal static class HistogramFunctions
{
    public static List<EvalSeries> Quantile(FunctionCall call)
    {
        EvalSeries q = call.Args[0][0];
        Annotations notes = call.Evaluator.Notes;
        for (int i = 0; i < call.Steps.Count; i++)
        {
            Quantiles.WarnUnlessValid(notes, q.Float(i));
        }
        return PerHistogram(
            call, call.Args[1],
            (native, name, i) => NativeHistograms.Quantile(q.Float(i), native, name, call.Evaluator),
            (buckets, name, i) =>
            {
                double value = ClassicHistograms.Quantile(q.Float(i), buckets, out bool forced);
                if (forced)
                {
                    notes.Inform("input to histogram_quantile needed to be fixed for monotonicity (see "
                        + "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile) for metric name "
                        + StringSyntax.Quote(name));
                }
                return value;
            });
    }

    public static List<EvalSeries> Fraction(FunctionCall call)
    {
        EvalSeries lower = call.Args[0][0], upper = call.Args[1][0];
        return PerHistogram(
            call, call.Args[2],
            (native, name, i) => NativeHistograms.Fraction(lower.Float(i), upper.Float(i), native, name, call.Evaluator),
            (buckets, _, i) => ClassicHistograms.Fraction(lower.Float(i), upper.Float(i), buckets));
    }

    /// <summary>A number of every native histogram; floats are left out.</summary>
    public static List<EvalSeries> Map(FunctionCall call, Func<FloatHistogram, double> compute)
    {
        var result = new List<EvalSeries>();
        foreach (EvalSeries input in call.Args[0].Where(series => series.HasHistograms))
        {
            var output = new EvalSeries(call.Evaluator.NameDropped(input.Labels), call.Steps.Count) { DropName = true };
            for (int i = 0; i < call.Steps.Count; i++)
            {
                output[i] = input[i].Histogram is { } histogram ? compute(histogram) : SampleValue.None;
            }
            result.Add(output);
        }
        return call.Finished(result);
    }

    public static double Variance(FloatHistogram histogram, Evaluator evaluator)
    {
        double mean = histogram.Sum / histogram.Count;
        Compensated variance = default;
        foreach (HistogramBucket bucket in histogram.AllBuckets().Where(b => b.Count != 0))
        {
            // Where a bucket's observations lie: in the middle, geometrically so for exponential buckets.
            double value = histogram.HasCustomBounds ? (bucket.Upper + bucket.Lower) / 2
                : bucket.Lower <= 0 && bucket.Upper >= 0 ? 0
                : Math.CopySign(Math.Sqrt(bucket.Upper * bucket.Lower), bucket.Upper);
            double delta = value - mean;
            variance = variance.Plus(bucket.Count * delta * delta);
        }
        // An infinite sum leaves a rounding error of NaN in 2.x.
        return double.IsInfinity(variance.Sum) && !evaluator.IsV3 ? double.NaN : variance.Total / histogram.Count;
    }

    /// <summary>One classic histogram: its labels without le, and the series of its buckets.</summary>
    private sealed record Classic(EvalSeries Output, string Name, List<(double Bound, EvalSeries Series)> Buckets)
    {
        public bool Has(int step) => Buckets.Exists(bucket => bucket.Series.TryFloat(step, out _));

        public List<ClassicBucket> At(int step)
        {
            List<ClassicBucket> buckets = [];
            foreach ((double bound, EvalSeries series) in Buckets)
            {
                if (series.TryFloat(step, out double count))
                {
                    buckets.Add(new ClassicBucket(bound, count));
                }
            }
            return buckets;
        }
    }

    private static List<EvalSeries> PerHistogram(
        FunctionCall call, List<EvalSeries> input, Func<FloatHistogram, string, int, double> native, Func<List<ClassicBucket>, string, int, double> classic)
    {
        Dictionary<Labels, Classic> classics = Classics(call, input);
        var result = new List<EvalSeries>();
        var conflicts = new HashSet<(Labels, int)>();
        foreach (EvalSeries series in input.Where(series => series.HasHistograms))
        {
            var output = new EvalSeries(call.Evaluator.NameDropped(series.Labels), call.Steps.Count) { DropName = true };
            for (int i = 0; i < call.Steps.Count; i++)
            {
                if (series[i].Histogram is not { } value)
                {
                    continue;
                }
                if (classics.TryGetValue(series.Labels, out Classic? same) && same.Has(i))
                {
                    call.Evaluator.Notes.Warn($"vector contains a mix of classic and native histograms for metric name {StringSyntax.Quote(series.Labels.Name)}");
                    conflicts.Add((series.Labels, i));
                    continue;
                }
                output[i] = native(value, series.Labels.Name, i);
            }
            result.Add(output);
        }
        foreach ((Labels labels, Classic histogram) in classics)
        {
            for (int i = 0; i < call.Steps.Count; i++)
            {
                if (!conflicts.Contains((labels, i)) && histogram.At(i) is { Count: > 0 } buckets)
                {
                    histogram.Output[i] = classic(buckets, histogram.Name, i);
                }
            }
            result.Add(histogram.Output);
        }
        return call.Finished(result);
    }

    private static Dictionary<Labels, Classic> Classics(FunctionCall call, List<EvalSeries> input)
    {
        Evaluator evaluator = call.Evaluator;
        var classics = new Dictionary<Labels, Classic>();
        foreach (EvalSeries series in input.Where(series => Enumerable.Range(0, call.Steps.Count).Any(i => series.TryFloat(i, out _))))
        {
            string le = series.Labels[Labels.BucketBound];
            if (!TryBound(le, out double bound))
            {
                evaluator.Notes.Warn($"bucket label \"le\" is missing or has a malformed value of {StringSyntax.Quote(le)} for metric name {StringSyntax.Quote(series.Labels.Name)}");
                continue;
            }
            Labels key = series.Labels.Without(Labels.BucketBound);
            if (!classics.TryGetValue(key, out Classic? histogram))
            {
                histogram = new Classic(new EvalSeries(evaluator.NameDropped(key), call.Steps.Count) { DropName = true }, evaluator.IsV3 ? key.Name : "", []);
                classics.Add(key, histogram);
            }
            histogram.Buckets.Add((bound, series));
        }
        return classics;
    }

    private static bool TryBound(string text, out double bound)
    {
        switch (text.TrimStart('+', '-').ToLowerInvariant())
        {
            case "inf" or "infinity":
                bound = text[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity;
                return true;
            case "nan":
                bound = double.NaN;
                return true;
            default:
                return double.TryParse(text, NumberStyles.Float & ~(NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite), CultureInfo.InvariantCulture, out bound);
        }
    }
}
