using System.Globalization;
using System.Text;

namespace OptiInfra.PromQL.Data;

internal enum ResetHint
{
    Unknown,
    Reset,
    NoReset,
    Gauge,
}

/// <summary>Why two native histograms cannot be added: exponential against explicit bounds, or different explicit bounds.</summary>
internal enum HistogramConflict
{
    None,
    Schema,
    Bounds,
}

/// <summary>
/// A native histogram with float counts, as PromQL computes with them: immutable, every operation gives a new one.
/// Histograms of different resolution or zero bucket are brought to the coarser of the two before they are combined.
/// </summary>
internal sealed record FloatHistogram
{
    public ResetHint Hint { get; init; }

    public int Schema { get; init; }

    public double ZeroThreshold { get; init; }

    public double ZeroCount { get; init; }

    public double Count { get; init; }

    public double Sum { get; init; }

    public HistogramBuckets Positive { get; init; } = HistogramBuckets.None;

    public HistogramBuckets Negative { get; init; } = HistogramBuckets.None;

    /// <summary>Upper bounds of a histogram with explicit buckets; the last one, +Inf, is left out.</summary>
    public IReadOnlyList<double> CustomBounds { get; init; } = [];

    public bool HasCustomBounds => Schema == HistogramBuckets.CustomSchema;

    public FloatHistogram Times(double factor) => Scale(value => value * factor);

    public FloatHistogram DividedBy(double divisor) => divisor == 0
        ? Scale(value => value / divisor) with { Positive = HistogramBuckets.None, Negative = HistogramBuckets.None }
        : Scale(value => value / divisor);

    /// <summary>Without empty buckets.</summary>
    public FloatHistogram Compact() => this with { Positive = Positive.WithoutEmpty(), Negative = Negative.WithoutEmpty() };

    public FloatHistogram ToSchema(int schema) => schema >= Schema || HasCustomBounds ? this : this with
    {
        Schema = schema,
        Positive = Positive.Coarser(Schema - schema),
        Negative = Negative.Coarser(Schema - schema),
    };

    public FloatHistogram? Plus(FloatHistogram other, out HistogramConflict conflict) => Combine(other, 1, out conflict);

    public FloatHistogram? Minus(FloatHistogram other, out HistogramConflict conflict) => Combine(other, -1, out conflict);

    /// <summary>Whether a counter has been reset between <paramref name="previous"/> and this histogram.</summary>
    public bool IsResetSince(FloatHistogram previous)
    {
        if (Hint is ResetHint.Reset or ResetHint.NoReset)
        {
            return Hint == ResetHint.Reset;
        }
        if (Count < previous.Count || Conflict(previous) != HistogramConflict.None || Schema > previous.Schema
            || ZeroThreshold < previous.ZeroThreshold)
        {
            return true;
        }
        (double previousZeros, double threshold) = previous.ZeroBucketAt(ZeroThreshold);
        if (threshold != ZeroThreshold || ZeroCount < previousZeros)
        {
            return true;
        }
        FloatHistogram before = previous.ToSchema(Schema);
        return OutsideZero(Positive, ZeroThreshold).HasLostSince(before.OutsideZero(before.Positive, ZeroThreshold))
            || OutsideZero(Negative, ZeroThreshold).HasLostSince(before.OutsideZero(before.Negative, ZeroThreshold));
    }

    /// <summary>All buckets from the lowest to the highest, the zero bucket among them when it is populated.</summary>
    public List<HistogramBucket> AllBuckets()
    {
        var all = new List<HistogramBucket>();
        ReadOnlySpan<(int Index, double Count)> negative = Negative.All;
        for (int i = negative.Length - 1; i >= 0; i--)
        {
            HistogramBucket mirrored = PositiveBucket(negative[i].Index, negative[i].Count);
            double upper = -mirrored.Lower;
            all.Add(new(-mirrored.Upper, upper < 0 && upper > -ZeroThreshold ? -ZeroThreshold : upper, mirrored.Count));
        }
        if (ZeroCount > 0)
        {
            all.Add(new(-ZeroThreshold, ZeroThreshold, ZeroCount));
        }
        foreach ((int index, double count) in Positive.All)
        {
            HistogramBucket bucket = PositiveBucket(index, count);
            all.Add(bucket.Lower > 0 && bucket.Lower < ZeroThreshold ? bucket with { Lower = ZeroThreshold } : bucket);
        }
        return all;
    }

    /// <summary>Equal in every number, bit by bit; the reset hint is no part of the data.</summary>
    public bool Equals(FloatHistogram? other) => other is not null && Matches(other, BitwiseEqual);

    public override int GetHashCode() => HashCode.Combine(Schema, Count, Sum, ZeroCount);

    /// <summary>The same shape, with numbers compared by <paramref name="equal"/>.</summary>
    public bool Matches(FloatHistogram other, Func<double, double, bool> equal) =>
        Schema == other.Schema && equal(Count, other.Count) && equal(Sum, other.Sum)
        && ZeroThreshold == other.ZeroThreshold && equal(ZeroCount, other.ZeroCount)
        && (!HasCustomBounds || CustomBounds.SequenceEqual(other.CustomBounds))
        && Positive.Matches(other.Positive, equal) && Negative.Matches(other.Negative, equal);

    /// <summary>As Prometheus prints it: <c>{count:3, sum:4, (1,2]:3}</c>, with its populated buckets.</summary>
    public override string ToString()
    {
        var text = new StringBuilder($"{{count:{GoNumber.Format(Count)}, sum:{GoNumber.Format(Sum)}");
        foreach (HistogramBucket bucket in AllBuckets().Where(b => b.Count != 0))
        {
            bool fromStart = HasCustomBounds ? double.IsNegativeInfinity(bucket.Lower) : bucket.Lower < 0;
            bool toEnd = HasCustomBounds || bucket.Upper > 0;
            text.Append(fromStart ? ", [" : ", (").Append(GoNumber.Format(bucket.Lower)).Append(',').Append(GoNumber.Format(bucket.Upper))
                .Append(toEnd ? "]:" : "):").Append(GoNumber.Format(bucket.Count));
        }
        return text.Append('}').ToString();
    }

    /// <summary>The notation of test files: <c>{{schema:1 count:3 sum:4 buckets:[1 2]}}</c>.</summary>
    public string ToNotation()
    {
        var parts = new List<string>();
        Add("schema", Schema);
        Add("count", Count);
        Add("sum", Sum);
        Add("z_bucket", ZeroCount);
        Add("z_bucket_w", ZeroThreshold);
        if (HasCustomBounds)
        {
            parts.Add($"custom_values:[{string.Join(' ', CustomBounds.Select(GoNumber.Format))}]");
        }
        if (Hint != ResetHint.Unknown)
        {
            parts.Add("counter_reset_hint:" + (Hint switch { ResetHint.Reset => "reset", ResetHint.NoReset => "not_reset", _ => "gauge" }));
        }
        AddBuckets("offset", "buckets", Positive);
        AddBuckets("n_offset", "n_buckets", Negative);
        return $"{{{{{string.Join(' ', parts)}}}}}";

        void Add(string key, double value)
        {
            if (value != 0)
            {
                parts.Add($"{key}:{GoNumber.Format(value)}");
            }
        }

        void AddBuckets(string offsetKey, string key, HistogramBuckets buckets)
        {
            if (buckets.IsEmpty)
            {
                return;
            }
            int first = buckets.All[0].Index;
            var counts = new double[buckets.All[^1].Index - first + 1];
            foreach ((int index, double count) in buckets.All)
            {
                counts[index - first] = count;
            }
            if (first != 0)
            {
                parts.Add(string.Create(CultureInfo.InvariantCulture, $"{offsetKey}:{first}"));
            }
            parts.Add($"{key}:[{string.Join(' ', counts.Select(GoNumber.Format))}]");
        }
    }

    private static bool BitwiseEqual(double a, double b) => BitConverter.DoubleToInt64Bits(a) == BitConverter.DoubleToInt64Bits(b);

    private FloatHistogram Scale(Func<double, double> change) => this with
    {
        ZeroCount = change(ZeroCount),
        Count = change(Count),
        Sum = change(Sum),
        Positive = Positive.Map(change),
        Negative = Negative.Map(change),
    };

    private HistogramConflict Conflict(FloatHistogram other) =>
        HasCustomBounds != other.HasCustomBounds ? HistogramConflict.Schema
        : HasCustomBounds && !CustomBounds.SequenceEqual(other.CustomBounds) ? HistogramConflict.Bounds
        : HistogramConflict.None;

    private FloatHistogram? Combine(FloatHistogram other, double sign, out HistogramConflict conflict)
    {
        conflict = Conflict(other);
        if (conflict != HistogramConflict.None)
        {
            return null;
        }
        FloatHistogram left = this;
        double otherZeros = other.ZeroCount;
        double otherThreshold = other.ZeroThreshold;
        while (otherThreshold != left.ZeroThreshold)
        {
            if (left.ZeroThreshold > otherThreshold)
            {
                (otherZeros, otherThreshold) = other.ZeroBucketAt(left.ZeroThreshold);
            }
            if (otherThreshold > left.ZeroThreshold)
            {
                left = left.WithZeroBucketAt(otherThreshold);
            }
        }
        int schema = Math.Min(left.Schema, other.Schema);
        left = left.ToSchema(schema);
        FloatHistogram right = other.ToSchema(schema);
        return left with
        {
            Hint = sign > 0 ? CombinedHint(other.Hint) : left.Hint,
            Count = left.Count + sign * other.Count,
            Sum = left.Sum + sign * other.Sum,
            ZeroCount = left.ZeroCount + sign * otherZeros,
            Positive = left.Positive.Plus(right.OutsideZero(right.Positive, left.ZeroThreshold), sign),
            Negative = left.Negative.Plus(right.OutsideZero(right.Negative, left.ZeroThreshold), sign),
        };
    }

    private ResetHint CombinedHint(ResetHint other) =>
        Hint == other ? Hint : Hint == ResetHint.Gauge || other == ResetHint.Gauge ? ResetHint.Gauge : ResetHint.Unknown;

    private HistogramBucket PositiveBucket(int index, double count) => new(
        HistogramBuckets.UpperBound(index - 1, Schema, CustomBounds), HistogramBuckets.UpperBound(index, Schema, CustomBounds), count);

    /// <summary>Without the buckets that lie wholly inside a zero bucket of that width.</summary>
    private HistogramBuckets OutsideZero(HistogramBuckets buckets, double threshold) => HasCustomBounds || threshold == 0
        ? buckets
        : buckets.Where(index => HistogramBuckets.UpperBound(index, Schema, CustomBounds) > threshold);

    /// <summary>
    /// The zero count this histogram would have with a wider zero bucket, and the width it really takes: one that ends
    /// inside a populated bucket must take that bucket whole.
    /// </summary>
    private (double Count, double Threshold) ZeroBucketAt(double threshold)
    {
        if (threshold == ZeroThreshold)
        {
            return (ZeroCount, threshold);
        }
        while (true)
        {
            double count = ZeroCount;
            threshold = Absorb(Positive, threshold, ref count);
            double afterPositive = threshold;
            threshold = Absorb(Negative, threshold, ref count);
            if (threshold == afterPositive)
            {
                return (count, threshold);
            }
            // A wider bucket on the negative side changes what the positive side has to give: once more.
        }
    }

    private double Absorb(HistogramBuckets buckets, double threshold, ref double count)
    {
        foreach ((int index, double population) in buckets.All)
        {
            HistogramBucket bucket = PositiveBucket(index, population);
            if (bucket.Lower >= threshold)
            {
                break;
            }
            count += population;
            if (bucket.Upper > threshold)
            {
                return population != 0 ? bucket.Upper : threshold;
            }
        }
        return threshold;
    }

    private FloatHistogram WithZeroBucketAt(double wanted)
    {
        (double count, double threshold) = ZeroBucketAt(wanted);
        return this with
        {
            ZeroCount = count,
            ZeroThreshold = threshold,
            Positive = Positive.Where(index => PositiveBucket(index, 0).Lower >= threshold).WithoutEmpty(),
            Negative = Negative.Where(index => PositiveBucket(index, 0).Lower >= threshold).WithoutEmpty(),
        };
    }
}
