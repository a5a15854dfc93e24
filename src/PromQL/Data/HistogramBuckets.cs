namespace OptiInfra.PromQL.Data;

/// <summary>One bucket of a native histogram with its bounds.</summary>
internal readonly record struct HistogramBucket(double Lower, double Upper, double Count);

/// <summary>
/// The buckets of one side of a native histogram: counts by index, sorted by index. What an index means in terms of
/// bounds is a matter of the schema (https://prometheus.io/docs/specs/native_histograms/). Immutable.
/// </summary>
internal sealed class HistogramBuckets
{
    /// <summary>The schema number that stands for explicit bounds instead of exponential ones.</summary>
    public const int CustomSchema = -53;

    public static readonly HistogramBuckets None = new([]);

    private readonly (int Index, double Count)[] sorted;

    private HistogramBuckets((int Index, double Count)[] sorted) => this.sorted = sorted;

    public bool IsEmpty => sorted.Length == 0;

    public ReadOnlySpan<(int Index, double Count)> All => sorted;

    /// <summary>Consecutive buckets from an index on.</summary>
    public static HistogramBuckets From(int offset, IReadOnlyList<double> counts) =>
        counts.Count == 0 ? None : new HistogramBuckets([.. counts.Select((count, i) => (offset + i, count))]);

    public HistogramBuckets Map(Func<double, double> change) =>
        IsEmpty ? this : new HistogramBuckets(Array.ConvertAll(sorted, b => (b.Index, change(b.Count))));

    public HistogramBuckets Where(Func<int, bool> keep) => new([.. sorted.Where(b => keep(b.Index))]);

    public HistogramBuckets WithoutEmpty() =>
        sorted.All(b => b.Count != 0) ? this : new HistogramBuckets([.. sorted.Where(b => b.Count != 0)]);

    /// <summary>Halves the resolution <paramref name="levels"/> times, merging buckets.</summary>
    public HistogramBuckets Coarser(int levels)
    {
        if (levels <= 0 || IsEmpty)
        {
            return this;
        }
        var merged = new List<(int Index, double Count)>();
        foreach ((int index, double count) in sorted)
        {
            int target = ((index - 1) >> levels) + 1;
            if (merged.Count > 0 && merged[^1].Index == target)
            {
                merged[^1] = (target, merged[^1].Count + count);
            }
            else
            {
                merged.Add((target, count));
            }
        }
        return new HistogramBuckets([.. merged]);
    }

    /// <summary>Adds (or with <paramref name="sign"/> -1 subtracts) bucket by bucket.</summary>
    public HistogramBuckets Plus(HistogramBuckets other, double sign)
    {
        if (other.IsEmpty)
        {
            return this;
        }
        var result = new List<(int, double)>(sorted.Length + other.sorted.Length);
        int i = 0, j = 0;
        while (i < sorted.Length || j < other.sorted.Length)
        {
            if (j == other.sorted.Length || (i < sorted.Length && sorted[i].Index < other.sorted[j].Index))
            {
                result.Add(sorted[i++]);
            }
            else if (i == sorted.Length || other.sorted[j].Index < sorted[i].Index)
            {
                result.Add((other.sorted[j].Index, sign * other.sorted[j].Count));
                j++;
            }
            else
            {
                result.Add((sorted[i].Index, sorted[i].Count + sign * other.sorted[j].Count));
                i++;
                j++;
            }
        }
        return new HistogramBuckets([.. result]);
    }

    /// <summary>Whether a populated bucket of <paramref name="previous"/> has shrunk or gone.</summary>
    public bool HasLostSince(HistogramBuckets previous)
    {
        int i = 0;
        foreach ((int index, double count) in previous.sorted)
        {
            while (i < sorted.Length && sorted[i].Index < index)
            {
                i++;
            }
            bool present = i < sorted.Length && sorted[i].Index == index;
            if (present ? sorted[i].Count < count : count != 0)
            {
                return true;
            }
        }
        return false;
    }

    public bool Matches(HistogramBuckets other, Func<double, double, bool> equal)
    {
        HistogramBuckets left = WithoutEmpty(), right = other.WithoutEmpty();
        return left.sorted.Length == right.sorted.Length
            && left.sorted.Zip(right.sorted).All(pair => pair.First.Index == pair.Second.Index && equal(pair.First.Count, pair.Second.Count));
    }

    /// <summary>The upper bound of the bucket of that index on the positive side.</summary>
    public static double UpperBound(int index, int schema, IReadOnlyList<double> customBounds)
    {
        if (schema == CustomSchema)
        {
            return index < 0 ? double.NegativeInfinity : index >= customBounds.Count ? double.PositiveInfinity : customBounds[index];
        }
        // The last regular bucket ends at the largest double: what would come next is the bucket of the infinities.
        if (schema < 0)
        {
            int exponent = index << -schema;
            return exponent == 1024 ? double.MaxValue : Math.ScaleB(1, exponent);
        }
        int fraction = index & ((1 << schema) - 1);
        int power = (index >> schema) + 1;
        double bound = 0.5 * Math.Pow(2, fraction / (double)(1 << schema));
        return fraction == 0 && power == 1025 ? double.MaxValue : Math.ScaleB(bound, power);
    }
}
