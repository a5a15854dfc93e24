namespace OptiInfra.Metrics;

/// <summary>
/// A family of distributions whose quantiles are computed here. Quantiles of several replicas cannot be combined:
/// prefer a <see cref="Histogram"/> unless exactly this process's quantile is wanted.
/// </summary>
public sealed class Summary : MetricFamily<SummarySeries>
{
    internal Summary(MetricRegistry registry, string name, string help, string[] labelNames, SummaryOptions options)
        : base(registry, name, help, MetricType.Summary, labelNames, options)
    {
        if (options.Quantiles.Any(quantile => quantile is not (>= 0 and <= 1)) || options.WindowSteps < 1 || options.Window <= TimeSpan.Zero)
        {
            throw new ArgumentException($"summary '{name}' needs quantiles between 0 and 1 and a positive window", nameof(options));
        }

        Start();
    }

    internal SummaryOptions Settings => (SummaryOptions)Options;

    /// <inheritdoc cref="SummarySeries.Observe"/>
    public void Observe(double value) => Only.Observe(value);

    private protected override Series NewSeries(string[] values, int hash) => new SummarySeries(this, values, hash) { Fragment = FragmentOf(values) };
}

/// <summary>
/// One distribution: exponential buckets (0.55 % wide to each side) per step of the window. A step that is over is cleared and used again.
/// </summary>
public sealed class SummarySeries : Series
{
    private const int Schema = 6;
    private const int MaxBuckets = 4096;

    private readonly Lock _lock = new();
    private readonly NativeBuckets[] _steps;
    private readonly TimeProvider _time;
    private readonly TimeSpan _stepLength;
    private long _stepStart;
    private int _current;
    private long _count;
    private double _sum;

    internal SummarySeries(Summary family, string[] values, int hash)
        : base(family, values, hash)
    {
        _steps = [.. Enumerable.Range(0, family.Settings.WindowSteps).Select(_ => new NativeBuckets(Schema, MaxBuckets, 0))];
        _time = family.Registry.Options.Time;
        _stepLength = family.Settings.Window / family.Settings.WindowSteps;
        _stepStart = _time.GetTimestamp();
    }

    /// <summary>Records a value. NaN and the infinities are refused and counted.</summary>
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

        lock (_lock)
        {
            Turn();
            _steps[_current].Add(value);
            _count++;
            _sum += value;
        }
    }

    /// <summary>The value of a quantile in the window; NaN when nothing was observed in it.</summary>
    public double Quantile(double quantile) => Read([quantile]).Quantiles[0];

    internal (long Count, double Sum, double[] Quantiles) Read(IReadOnlyList<double> quantiles)
    {
        lock (_lock)
        {
            Turn();
            var window = new NativeBuckets(Schema, MaxBuckets, 0);
            foreach (NativeBuckets step in _steps)
            {
                window.AddAll(step);
            }

            return (_count, _sum, [.. quantiles.Select(window.Quantile)]);
        }
    }

    /// <summary>Moves the window to now, clearing the steps that left it.</summary>
    private void Turn()
    {
        long now = _time.GetTimestamp();
        TimeSpan passed = _time.GetElapsedTime(_stepStart, now);
        if (passed < _stepLength)
        {
            return;
        }

        long steps = passed.Ticks / _stepLength.Ticks;
        for (long step = 0; step < Math.Min(steps, _steps.Length); step++)
        {
            _current = (_current + 1) % _steps.Length;
            _steps[_current].Clear();
        }

        _stepStart += (long)(steps * _stepLength.TotalSeconds * _time.TimestampFrequency);
    }
}
