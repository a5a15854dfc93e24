using OptiInfra.PromQL.Data;

namespace OptiInfra.PromQL.Builtins;

/// <summary>A cumulative bucket: how many observations were at most <paramref name="Bound"/>.</summary>
internal readonly record struct ClassicBucket(double Bound, double Count);

/// <summary>Estimates from cumulative buckets, linear inside each of them.</summary>
internal static class ClassicHistograms
{
    /// <summary>Differences between buckets below this are rounding, not data.</summary>
    private const double Tolerance = 1e-12;

    public static double Quantile(double q, List<ClassicBucket> buckets, out bool forcedMonotonic)
    {
        forcedMonotonic = false;
        if (double.IsNaN(q))
        {
            return double.NaN;
        }
        if (q is < 0 or > 1)
        {
            return q < 0 ? double.NegativeInfinity : double.PositiveInfinity;
        }
        if (!Normalize(buckets))
        {
            return double.NaN;
        }
        bool forced = MakeMonotonic(buckets);
        if (buckets.Count < 2 || buckets[^1].Count == 0)
        {
            return double.NaN;
        }
        forcedMonotonic = forced;
        double rank = q * buckets[^1].Count;
        int index = buckets.FindIndex(0, buckets.Count - 1, bucket => bucket.Count >= rank);
        if (index < 0)
        {
            return buckets[^2].Bound;
        }
        if (index == 0)
        {
            return buckets[0].Bound <= 0 ? buckets[0].Bound : buckets[0].Bound * (rank / buckets[0].Count);
        }
        ClassicBucket below = buckets[index - 1];
        return below.Bound + (buckets[index].Bound - below.Bound) * ((rank - below.Count) / (buckets[index].Count - below.Count));
    }

    public static double Fraction(double lower, double upper, List<ClassicBucket> buckets)
    {
        if (!Normalize(buckets) || buckets[^1].Count == 0 || double.IsNaN(lower) || double.IsNaN(upper))
        {
            return double.NaN;
        }
        if (lower >= upper)
        {
            return 0;
        }
        double count = buckets[^1].Count;
        return (Rank(upper, buckets) - Rank(lower, buckets)) / count;
    }

    private static double Rank(double value, List<ClassicBucket> buckets)
    {
        double start = double.NegativeInfinity, rank = 0;
        foreach (ClassicBucket bucket in buckets)
        {
            if (start >= value)
            {
                break;
            }
            if (bucket.Bound > value)
            {
                rank += (bucket.Count - rank) * (value - start) / (bucket.Bound - start);
                break;
            }
            (start, rank) = (bucket.Bound, bucket.Count);
        }
        return rank > buckets[^1].Count ? buckets[^1].Count : rank;
    }

    /// <summary>Sorts and merges equal bounds; false when there is no bucket for +Inf.</summary>
    private static bool Normalize(List<ClassicBucket> buckets)
    {
        buckets.Sort((a, b) => a.Bound.CompareTo(b.Bound));
        if (!double.IsPositiveInfinity(buckets[^1].Bound))
        {
            return false;
        }
        int last = 0;
        for (int i = 1; i < buckets.Count; i++)
        {
            if (buckets[i].Bound == buckets[last].Bound)
            {
                buckets[last] = new ClassicBucket(buckets[last].Bound, buckets[last].Count + buckets[i].Count);
            }
            else
            {
                buckets[++last] = buckets[i];
            }
        }
        buckets.RemoveRange(last + 1, buckets.Count - last - 1);
        return true;
    }

    private static bool MakeMonotonic(List<ClassicBucket> buckets)
    {
        bool forced = false;
        double previous = buckets[0].Count;
        for (int i = 1; i < buckets.Count; i++)
        {
            double count = buckets[i].Count;
            if (count == previous)
            {
                continue;
            }
            bool rounding = AlmostEqual.Test(previous, count, Tolerance);
            if (rounding || count < previous)
            {
                buckets[i] = buckets[i] with { Count = previous };
                forced |= !rounding;
                continue;
            }
            previous = count;
        }
        return forced;
    }
}
