using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using OptiInfra.Metrics.Sources;

namespace OptiInfra.Metrics;

/// <summary>A family of distributions, in classic buckets, native buckets, or both.</summary>
public sealed class Histogram : MetricFamily<HistogramSeries>
{
    private readonly double[] _bounds;

    internal Histogram(MetricRegistry registry, string name, string help, string[] labelNames, HistogramOptions options)
        : base(registry, name, help, MetricType.Histogram, labelNames, options)
    {
        _bounds = Checked(name, options);
        SearchBounds = Padded(_bounds);
        Start();
    }

    /// <summary>The finite upper bounds.</summary>
    public IReadOnlyList<double> Buckets => _bounds;

    /// <summary>The bounds, filled up with +Inf to whole vectors and at least one +Inf.</summary>
    internal double[] SearchBounds { get; }

    internal int BoundCount => _bounds.Length;

    internal ReadOnlySpan<double> Bounds => _bounds;

    internal NativeHistogramOptions? Native => ((HistogramOptions)Options).Native;

    /// <inheritdoc cref="HistogramSeries.Observe(double)"/>
    public void Observe(double value) => Only.Observe(value);

    /// <inheritdoc cref="HistogramSeries.Observe(double, Exemplar)"/>
    public void Observe(double value, Exemplar exemplar) => Only.Observe(value, exemplar);

    /// <inheritdoc cref="HistogramSeries.Time"/>
    public HistogramSeries.Timer Time() => Only.Time();

    /// <summary>Where observations are passed on to, if anywhere.</summary>
    internal System.Diagnostics.Metrics.Histogram<double>? Mirror { get; private set; }

    internal void MirrorTo(System.Diagnostics.Metrics.Histogram<double>? mirror)
    {
        Mirror = mirror;
        HasExtras = Options.Exemplars || mirror is not null;
    }

    /// <summary>
    /// The value below which a share of all observations of all series lies, interpolated inside its bucket as <c>histogram_quantile</c> does;
    /// 0 without observations.
    /// </summary>
    public double Quantile(double share)
    {
        long[] counts = new long[_bounds.Length + 1];
        long[] one = new long[counts.Length];
        long total = 0;
        foreach (HistogramSeries series in AllSeries())
        {
            total += series.Read(one).Count;
            for (int index = 0; index < counts.Length; index++)
            {
                counts[index] += one[index];
            }
        }

        double rank = share * total;
        double below = 0;
        for (int index = 0; index < _bounds.Length && total > 0; index++)
        {
            if (counts[index] > 0 && below + counts[index] >= rank)
            {
                double start = index > 0 ? _bounds[index - 1] : Math.Min(0, _bounds[0]);
                return start + ((_bounds[index] - start) * ((rank - below) / counts[index]));
            }

            below += counts[index];
        }

        return total > 0 && _bounds.Length > 0 ? _bounds[^1] : 0;
    }

    private protected override Series NewSeries(string[] values, int hash) => new HistogramSeries(this, values, hash) { Fragment = FragmentOf(values) };

    private static double[] Checked(string name, HistogramOptions options)
    {
        // A trailing +Inf is what other libraries ask for; here it is always there.
        double[] bounds = [.. options.Buckets];
        if (bounds.Length > 0 && double.IsPositiveInfinity(bounds[^1]))
        {
            bounds = bounds[..^1];
        }

        for (int index = 0; index < bounds.Length; index++)
        {
            if (!double.IsFinite(bounds[index]) || (index > 0 && bounds[index] <= bounds[index - 1]))
            {
                throw new ArgumentException($"buckets of histogram '{name}' must be finite and ascending, but bound {index} is {bounds[index]}", nameof(options));
            }
        }

        return bounds;
    }

    private static double[] Padded(double[] bounds)
    {
        double[] padded = new double[((bounds.Length / Vector256<double>.Count) + 1) * Vector256<double>.Count];
        Array.Fill(padded, double.PositiveInfinity);
        bounds.CopyTo(padded, 0);
        return padded;
    }
}

/// <summary>
/// One distribution. An observation takes a tiny lock (one atomic exchange), adds to one bucket and to the sum, and releases it:
/// cheaper than two atomic operations, and sum and count always belong together.
/// </summary>
public sealed class HistogramSeries : Series
{
    /// <summary>Up to this many bounds a linear vector search is faster than a binary one.</summary>
    private const int LinearLimit = 64;

    private readonly double[] _search;
    private readonly long[] _counts;
    private readonly NativeBuckets? _native;
    private Exemplar?[]? _exemplars;
    private KeyValuePair<string, object?>[]? _mirrorTags;
    private double _sum;
    private int _locked;

    internal HistogramSeries(Histogram family, string[] values, int hash)
        : base(family, values, hash)
    {
        _search = family.SearchBounds;
        _counts = new long[family.BoundCount + 1];
        _native = family.Native is { } native ? new NativeBuckets(native) : null;
    }

    /// <summary>How many observations were made.</summary>
    public long Count
    {
        get
        {
            Span<long> counts = stackalloc long[_counts.Length];
            return Read(counts).Count;
        }
    }

    /// <summary>The sum of all observations.</summary>
    public double Sum
    {
        get
        {
            Span<long> counts = stackalloc long[_counts.Length];
            return Read(counts).Sum;
        }
    }

    /// <summary>Records a value. NaN and the infinities are refused and counted, since one of them would spoil the sum for ever.</summary>
    public void Observe(double value)
    {
        if (!double.IsFinite(value))
        {
            Family.Registry.Self.Rejected(Family);
            return;
        }

        if (!Alive())
        {
            return;
        }

        int bucket = Search(value);
        Enter();
        _counts[bucket]++;
        _sum += value;
        if (_native is null)
        {
            Volatile.Write(ref _locked, 0);
        }
        else
        {
            AddNativeAndLeave(_native, value);
        }

        if (Family.HasExtras)
        {
            Extras(bucket, value);
        }
    }

    /// <summary>Records a value and remembers where it came from.</summary>
    public void Observe(double value, Exemplar exemplar)
    {
        Observe(value);
        if (double.IsFinite(value))
        {
            Volatile.Write(ref Exemplars()[Search(value)], exemplar.At(value, Family.Registry.Options.Time));
        }
    }

    /// <summary>Measures, on dispose, the seconds since this call: <c>using (histogram.Time()) { … }</c>.</summary>
    public Timer Time() => new(this, Stopwatch.GetTimestamp());

    /// <summary>The exemplar of a bucket, if there is one.</summary>
    internal Exemplar? ExemplarOf(int bucket) => _exemplars is { } exemplars ? Volatile.Read(ref exemplars[bucket]) : null;

    /// <summary>A consistent copy: counts by bucket (not cumulative), their sum and the sum of the values.</summary>
    internal (long Count, double Sum) Read(Span<long> counts)
    {
        Enter();
        _counts.CopyTo(counts);
        double sum = _sum;
        Volatile.Write(ref _locked, 0);
        long count = 0;
        foreach (long value in counts)
        {
            count += value;
        }

        return (count, sum);
    }

    /// <summary>The same together with a copy of the native buckets.</summary>
    internal (long Count, double Sum, NativeBuckets? Native) ReadAll(Span<long> counts)
    {
        Enter();
        double sum;
        NativeBuckets? native;
        try
        {
            _counts.CopyTo(counts);
            sum = _sum;
            native = _native?.Copy();
        }
        finally
        {
            Volatile.Write(ref _locked, 0);
        }

        long count = 0;
        foreach (long value in counts)
        {
            count += value;
        }

        return (count, sum, native);
    }

    /// <summary>Native buckets may have to grow, which may fail; the lock must not stay behind.</summary>
    private void AddNativeAndLeave(NativeBuckets native, double value)
    {
        try
        {
            native.Add(value);
        }
        finally
        {
            Volatile.Write(ref _locked, 0);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Extras(int bucket, double value)
    {
        if (Family.Options.Exemplars)
        {
            Exemplar.Offer(ref Exemplars()[bucket], value, Family.Registry.Options.Time);
        }

        if (((Histogram)Family).Mirror is { Enabled: true } mirror)
        {
            mirror.Record(value, _mirrorTags ??= MeterMirror.TagsOf(this));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Enter()
    {
        if (Interlocked.Exchange(ref _locked, 1) != 0)
        {
            EnterContended();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void EnterContended()
    {
        var wait = new SpinWait();
        do
        {
            wait.SpinOnce();
        }
        while (Volatile.Read(ref _locked) != 0 || Interlocked.Exchange(ref _locked, 1) != 0);
    }

    /// <summary>The first bucket whose bound is not below the value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Search(double value)
    {
        if (_search.Length > LinearLimit)
        {
            int found = Array.BinarySearch(_search, 0, _counts.Length - 1, value);
            return found >= 0 ? found : ~found;
        }

        ref double first = ref MemoryMarshal.GetArrayDataReference(_search);
        Vector256<double> wanted = Vector256.Create(value);
        for (int index = 0; ; index += Vector256<double>.Count)
        {
            uint reached = Vector256.LessThanOrEqual(wanted, Vector256.LoadUnsafe(ref first, (nuint)index)).ExtractMostSignificantBits();
            if (reached != 0)
            {
                return index + BitOperations.TrailingZeroCount(reached);
            }
        }
    }

    private Exemplar?[] Exemplars() => _exemplars ?? Interlocked.CompareExchange(ref _exemplars, new Exemplar?[_counts.Length], null) ?? _exemplars;

    /// <summary>A running measurement.</summary>
    public readonly struct Timer : IDisposable, IEquatable<Timer>
    {
        private readonly HistogramSeries? _histogram;
        private readonly long _start;

        internal Timer(HistogramSeries histogram, long start)
        {
            _histogram = histogram;
            _start = start;
        }

        /// <summary>The time since the measurement began.</summary>
        public TimeSpan Elapsed => Stopwatch.GetElapsedTime(_start);

        public static bool operator ==(Timer left, Timer right) => left.Equals(right);

        public static bool operator !=(Timer left, Timer right) => !left.Equals(right);

        public void Dispose() => _histogram?.Observe(Elapsed.TotalSeconds);

        public bool Equals(Timer other) => ReferenceEquals(_histogram, other._histogram) && _start == other._start;

        public override bool Equals(object? obj) => obj is Timer other && Equals(other);

        public override int GetHashCode() => HashCode.Combine(_histogram, _start);
    }
}
