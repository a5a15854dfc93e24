using OptiInfra.PromQL.Data;
using OptiInfra.PromQL.Engine;
using OptiInfra.PromQL.Syntax;

namespace OptiInfra.PromQL.Builtins;

/// <summary>
/// Estimates from native histograms. Inside exponential buckets observations are taken to be spread evenly on a logarithmic
/// scale, inside the zero bucket and explicit buckets on a linear one. Before 3.0 it was linear everywhere.
/// </summary>
internal static class NativeHistograms
{
    public static double Quantile(double q, FloatHistogram histogram, string metric, Evaluator evaluator)
    {
        if (q is < 0 or > 1)
        {
            return q < 0 ? double.NegativeInfinity : double.PositiveInfinity;
        }
        if (histogram.Count == 0 || double.IsNaN(q))
        {
            return double.NaN;
        }
        // NaN observations are counted but in no bucket, so then one must count from below.
        bool hasNaN = double.IsNaN(histogram.Sum);
        bool fromBelow = hasNaN || q < 0.5;
        List<HistogramBucket> buckets = histogram.AllBuckets();
        if (!fromBelow)
        {
            buckets.Reverse();
        }
        double rank = (fromBelow ? q : 1 - q) * histogram.Count;
        double count = 0;
        HistogramBucket bucket = default;
        int next = 0;
        while (next < buckets.Count)
        {
            bucket = buckets[next++];
            count += bucket.Count;
            if (bucket.Count != 0 && count >= rank)
            {
                break;
            }
        }
        if (histogram.HasCustomBounds && EdgeOfCustom(bucket) is { } edge)
        {
            return edge;
        }
        bucket = histogram.HasCustomBounds ? bucket with { Lower = double.IsNegativeInfinity(bucket.Lower) ? 0 : bucket.Lower } : OneSidedZero(histogram, bucket, strict: true);
        count = Math.Min(count, histogram.Count);
        if (count < rank)
        {
            if (!hasNaN)
            {
                return bucket.Upper;
            }
            evaluator.Notes.Inform($"input to histogram_quantile has NaN observations, result is NaN for metric name {StringSyntax.Quote(metric)}");
            return double.NaN;
        }
        rank = fromBelow ? rank - (count - bucket.Count) : count - rank;
        if (hasNaN && count + buckets.Skip(next).Sum(b => b.Count) < histogram.Count)
        {
            evaluator.Notes.Inform($"input to histogram_quantile has NaN observations, result is skewed higher for metric name {StringSyntax.Quote(metric)}");
        }
        return Interpolate(bucket, rank / bucket.Count, linear: histogram.HasCustomBounds || !evaluator.IsV3);
    }

    public static double Fraction(double lower, double upper, FloatHistogram histogram, string metric, Evaluator evaluator)
    {
        if (histogram.Count == 0 || double.IsNaN(lower) || double.IsNaN(upper))
        {
            return double.NaN;
        }
        if (lower >= upper)
        {
            return 0;
        }
        List<HistogramBucket> buckets = histogram.AllBuckets();
        double count = histogram.Count;
        if (double.IsNaN(histogram.Sum))
        {
            count = buckets.Sum(bucket => bucket.Count);
            if (count < histogram.Count)
            {
                evaluator.Notes.Inform($"input to histogram_fraction has NaN observations, which are excluded from all fractions for metric name {StringSyntax.Quote(metric)}");
            }
        }
        return (Rank(upper) - Rank(lower)) / histogram.Count;

        double Rank(double value)
        {
            double rank = 0;
            foreach (HistogramBucket each in buckets)
            {
                HistogramBucket bucket = OneSidedZero(histogram, each, strict: false);
                if (bucket.Lower >= value)
                {
                    return Math.Min(rank, count);
                }
                if (bucket.Upper > value)
                {
                    bool linear = !evaluator.IsV3 || histogram.HasCustomBounds || (each.Lower <= 0 && each.Upper >= 0);
                    return Math.Min(rank + bucket.Count * PlaceIn(bucket, value, linear), count);
                }
                rank += bucket.Count;
            }
            return count;
        }
    }

    /// <summary>Outside the explicit bounds there is nothing to interpolate between.</summary>
    private static double? EdgeOfCustom(HistogramBucket bucket) =>
        double.IsNegativeInfinity(bucket.Lower) ? (bucket.Upper <= 0 ? bucket.Upper : null)
        : double.IsPositiveInfinity(bucket.Upper) ? bucket.Lower : null;

    /// <summary>A histogram with observations on one side of zero has none in the other half of its zero bucket.</summary>
    private static HistogramBucket OneSidedZero(FloatHistogram histogram, HistogramBucket bucket, bool strict)
    {
        bool isZero = strict ? bucket.Lower < 0 && bucket.Upper > 0 : bucket.Lower <= 0 && bucket.Upper >= 0;
        return !isZero ? bucket
            : histogram.Negative.IsEmpty && !histogram.Positive.IsEmpty ? bucket with { Lower = 0 }
            : histogram.Positive.IsEmpty && !histogram.Negative.IsEmpty ? bucket with { Upper = 0 }
            : bucket;
    }

    private static double Interpolate(HistogramBucket bucket, double fraction, bool linear)
    {
        if (linear || (bucket.Lower <= 0 && bucket.Upper >= 0))
        {
            return bucket.Lower + (bucket.Upper - bucket.Lower) * fraction;
        }
        double logLower = Math.Log2(Math.Abs(bucket.Lower)), logUpper = Math.Log2(Math.Abs(bucket.Upper));
        return bucket.Lower > 0
            ? Math.Pow(2, logLower + (logUpper - logLower) * fraction)
            : -Math.Pow(2, logUpper + (logLower - logUpper) * (1 - fraction));
    }

    private static double PlaceIn(HistogramBucket bucket, double value, bool linear)
    {
        if (linear)
        {
            return (value - bucket.Lower) / (bucket.Upper - bucket.Lower);
        }
        double logLower = Math.Log2(Math.Abs(bucket.Lower)), logUpper = Math.Log2(Math.Abs(bucket.Upper)), log = Math.Log2(Math.Abs(value));
        return value > 0 ? (log - logLower) / (logUpper - logLower) : 1 - (log - logUpper) / (logLower - logUpper);
    }
}
