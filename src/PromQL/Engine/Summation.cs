using OptiInfra.PromQL.Data;
using OptiInfra.PromQL.Syntax;

namespace OptiInfra.PromQL.Engine;

/// <summary>
/// A sum that carries its rounding error along (Kahan's method as improved by Neumaier):
/// adding a million small numbers to a large one loses none of them.
/// </summary>
internal readonly record struct Compensated(double Sum, double Error = 0)
{
    public double Total => Sum + Error;

    public Compensated Plus(double value)
    {
        double sum = Sum + value;
        if (double.IsInfinity(sum))
        {
            return new Compensated(sum);
        }
        double lost = Math.Abs(Sum) >= Math.Abs(value) ? (Sum - sum) + value : (value - sum) + Sum;
        return new Compensated(sum, Error + lost);
    }
}

internal static class Means
{
    /// <summary>The compensated sum through the count; from where the sum would overflow on, the mean itself is moved.</summary>
    public static double Of(IReadOnlyList<double> values)
    {
        var sum = new Compensated(values[0]);
        for (int i = 1; i < values.Count; i++)
        {
            Compensated next = sum.Plus(values[i]);
            if (double.IsInfinity(next.Sum))
            {
                return MoveOn(values, i, new Compensated(sum.Sum / i, sum.Error / i));
            }
            sum = next;
        }
        return sum.Sum / values.Count + sum.Error / values.Count;
    }

    /// <summary>The way of Prometheus 2.x: the mean is moved by every value.</summary>
    public static double Incremental(IReadOnlyList<double> values, bool compensated)
    {
        var mean = new Compensated(0);
        double plain = 0;
        for (int i = 0; i < values.Count; i++)
        {
            double value = values[i];
            double current = compensated ? mean.Sum : plain;
            double count = i + 1;
            // Once infinite, the mean stays so: the difference below would make it NaN.
            bool stays = double.IsInfinity(current)
                && (double.IsInfinity(value) ? (current > 0) == (value > 0) : !double.IsNaN(value));
            if (stays)
            {
                continue;
            }
            double move = value / count - current / count;
            mean = mean.Plus(move);
            plain = i == 0 ? value : plain + move;
        }
        return !compensated ? plain : double.IsInfinity(mean.Sum) ? mean.Sum : mean.Total;
    }

    private static double MoveOn(IReadOnlyList<double> values, int from, Compensated mean)
    {
        for (int i = from; i < values.Count; i++)
        {
            double count = i + 1;
            double weight = (count - 1) / count;
            mean = new Compensated(weight * mean.Sum, weight * mean.Error).Plus(values[i] / count);
        }
        return mean.Total;
    }
}

internal static class Quantiles
{
    /// <summary>The quantile of some values, halfway ones interpolated.</summary>
    public static double Of(double q, List<double> values)
    {
        if (values.Count == 0 || double.IsNaN(q))
        {
            return double.NaN;
        }
        if (q is < 0 or > 1)
        {
            return q < 0 ? double.NegativeInfinity : double.PositiveInfinity;
        }
        values.Sort(); // NaN first, as Prometheus has it.
        double rank = q * (values.Count - 1);
        double below = Math.Floor(rank);
        double weight = rank - below;
        int lower = (int)Math.Max(0, below);
        int upper = Math.Min(values.Count - 1, lower + 1);
        return values[lower] * (1 - weight) + values[upper] * weight;
    }

    public static void WarnUnlessValid(Annotations notes, double q)
    {
        if (double.IsNaN(q) || q < 0 || q > 1)
        {
            notes.Warn($"quantile value should be between 0 and 1, got {GoNumber.Format(q)}");
        }
    }
}

/// <summary>Remarks that several functions make in the same words.</summary>
internal static class CommonNotes
{
    public static void WarnOfConflict(this Annotations notes, HistogramConflict conflict, string metric) => notes.Warn(
        conflict == HistogramConflict.Schema
            ? $"vector contains a mix of histograms with exponential and custom buckets schemas for metric name {StringSyntax.Quote(metric)}"
            : $"vector contains histograms with incompatible custom buckets for metric name {StringSyntax.Quote(metric)}");

    public static void WarnOfMix(this Annotations notes, string metric) =>
        notes.Warn($"encountered a mix of histograms and floats for metric name {StringSyntax.Quote(metric)}");

    public static void InformOfIgnoredHistograms(this Annotations notes, string metric) =>
        notes.Inform($"ignored histograms in a range containing both floats and histograms for metric name {StringSyntax.Quote(metric)}");
}
