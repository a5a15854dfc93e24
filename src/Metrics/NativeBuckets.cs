namespace OptiInfra.Metrics;

/// <summary>
/// Sparse exponential buckets as Prometheus defines them: at schema s, bucket i ends at 2^(i·2^-s), bounds inclusive.
/// When more buckets are in use than allowed, neighbours are merged and the schema falls by one.
/// Not thread-safe: the histogram's lock protects it. https://prometheus.io/docs/specs/native_histograms/
/// </summary>
internal sealed class NativeBuckets
{
    private const int MinSchema = -4;
    private const int MaxSchema = 8;

    /// <summary>The widest range of indexes kept densely; a wider one lowers the resolution.</summary>
    private const int MaxRange = 4096;

    private static readonly double[][] BoundsBySchema = [.. Enumerable.Range(0, MaxSchema + 1).Select(FractionBounds)];

    private readonly int _maxBuckets;
    private Window _positive = new();
    private Window _negative = new();

    public NativeBuckets(NativeHistogramOptions options)
        : this(SchemaFor(options.GrowthFactor), options.MaxBuckets, options.ZeroThreshold)
    {
    }

    public NativeBuckets(int schema, int maxBuckets, double zeroThreshold)
    {
        Schema = schema;
        _maxBuckets = Math.Max(8, maxBuckets);
        ZeroThreshold = zeroThreshold;
    }

    public int Schema { get; private set; }

    public double ZeroThreshold { get; }

    public long ZeroCount { get; private set; }

    public long Count { get; private set; }

    public Window Positive => _positive;

    public Window Negative => _negative;

    /// <summary>The coarsest schema whose buckets grow by no more than the factor.</summary>
    public static int SchemaFor(double growthFactor) =>
        growthFactor <= 1 ? MaxSchema : Math.Clamp(-(int)Math.Floor(Math.Log2(Math.Log2(growthFactor))), MinSchema, MaxSchema);

    /// <summary>The inclusive upper bound of a bucket.</summary>
    public static double UpperBound(int index, int schema) => Math.Pow(2, index * Math.Pow(2, -schema));

    /// <summary>The bucket of a positive value.</summary>
    public static int IndexOf(double value, int schema)
    {
        int exponent = Math.ILogB(value) + 1;
        double fraction = Math.ScaleB(value, -exponent);
        if (schema <= 0)
        {
            // An exact power of two belongs to the bucket it ends.
            int key = fraction == 0.5 ? exponent - 1 : exponent;
            int width = 1 << -schema;
            return (key + width - 1) >> -schema;
        }

        double[] bounds = BoundsBySchema[schema];
        int found = Array.BinarySearch(bounds, fraction);
        return (found >= 0 ? found : ~found) + ((exponent - 1) * bounds.Length);
    }

    public void Add(double value)
    {
        Count++;
        double size = Math.Abs(value);
        if (size <= ZeroThreshold)
        {
            ZeroCount++;
            return;
        }

        int index = IndexOf(size, Schema);
        Window window = value > 0 ? _positive : _negative;
        while (!window.Fits(index, MaxRange) && Schema > MinSchema)
        {
            Halve();
            index = IndexOf(size, Schema);
            window = value > 0 ? _positive : _negative;
        }

        window.Add(index, 1);
        while (_positive.Used + _negative.Used > _maxBuckets && Schema > MinSchema)
        {
            Halve();
        }
    }

    public void Clear()
    {
        _positive = new Window();
        _negative = new Window();
        ZeroCount = 0;
        Count = 0;
    }

    /// <summary>Adds another set of buckets of any schema to this one, at the coarser of both resolutions.</summary>
    public void AddAll(NativeBuckets other)
    {
        while (Schema > other.Schema)
        {
            Halve();
        }

        int shift = other.Schema - Schema;
        foreach ((Window from, Window into) in new[] { (other._positive, _positive), (other._negative, _negative) })
        {
            foreach ((int index, long count) in from.Filled())
            {
                into.Add((index + (1 << shift) - 1) >> shift, count);
            }
        }

        ZeroCount += other.ZeroCount;
        Count += other.Count;
    }

    /// <summary>A copy which no longer changes.</summary>
    public NativeBuckets Copy()
    {
        var copy = new NativeBuckets(Schema, _maxBuckets, ZeroThreshold);
        copy.AddAll(this);
        return copy;
    }

    /// <summary>The value below which a share of all observations lies; NaN without observations.</summary>
    public double Quantile(double share)
    {
        if (Count == 0)
        {
            return double.NaN;
        }

        long rank = Math.Max(1, (long)Math.Ceiling(share * Count));
        foreach ((int index, long count) in _negative.Filled().Reverse())
        {
            rank -= count;
            if (rank <= 0)
            {
                return -Middle(index);
            }
        }

        rank -= ZeroCount;
        if (rank <= 0)
        {
            return 0;
        }

        foreach ((int index, long count) in _positive.Filled())
        {
            rank -= count;
            if (rank <= 0)
            {
                return Middle(index);
            }
        }

        return double.NaN;
    }

    /// <summary>The geometric middle of a bucket halves the worst relative error.</summary>
    private double Middle(int index) => Math.Sqrt(UpperBound(index, Schema) * UpperBound(index - 1, Schema));

    private void Halve()
    {
        Schema--;
        _positive = _positive.Halved();
        _negative = _negative.Halved();
    }

    private static double[] FractionBounds(int schema)
    {
        int count = 1 << schema;
        return [.. Enumerable.Range(0, count).Select(index => Math.Pow(2, (double)index / count) / 2)];
    }

    /// <summary>Counts of consecutive bucket indexes, growing at either end.</summary>
    internal sealed class Window
    {
        private long[] _counts = [];
        private int _start;

        /// <summary>How many buckets hold anything.</summary>
        public int Used { get; private set; }

        public bool Fits(int index, int range) =>
            _counts.Length == 0 || Math.Max(index, _start + _counts.Length - 1) - (long)Math.Min(index, _start) < range;

        public void Add(int index, long count)
        {
            if (_counts.Length == 0)
            {
                _counts = new long[8];
                _start = index - 2;
            }
            else if (index < _start || index >= _start + _counts.Length)
            {
                Grow(index);
            }

            ref long cell = ref _counts[index - _start];
            Used += cell == 0 ? 1 : 0;
            cell += count;
        }

        public IEnumerable<(int Index, long Count)> Filled()
        {
            for (int offset = 0; offset < _counts.Length; offset++)
            {
                if (_counts[offset] != 0)
                {
                    yield return (_start + offset, _counts[offset]);
                }
            }
        }

        public Window Halved()
        {
            var halved = new Window();
            foreach ((int index, long count) in Filled())
            {
                halved.Add((index + 1) >> 1, count);
            }

            return halved;
        }

        private void Grow(int index)
        {
            int slack = _counts.Length / 2;
            int start = index < _start ? index - slack : _start;
            int end = index >= _start + _counts.Length ? index + 1 + slack : _start + _counts.Length;
            long[] counts = new long[end - start];
            _counts.CopyTo(counts, _start - start);
            _counts = counts;
            _start = start;
        }
    }
}
