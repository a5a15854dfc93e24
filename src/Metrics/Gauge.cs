namespace OptiInfra.Metrics;

/// <summary>A family of values that go up and down.</summary>
public sealed class Gauge : MetricFamily<GaugeSeries>
{
    internal Gauge(MetricRegistry registry, string name, string help, string[] labelNames, MetricOptions options)
        : base(registry, name, help, MetricType.Gauge, labelNames, options) => Start();

    /// <inheritdoc cref="GaugeSeries.Value"/>
    public double Value => Only.Value;

    /// <inheritdoc cref="GaugeSeries.Set"/>
    public void Set(double value) => Only.Set(value);

    /// <inheritdoc cref="GaugeSeries.Inc"/>
    public void Inc(double amount = 1) => Only.Inc(amount);

    /// <inheritdoc cref="GaugeSeries.Dec"/>
    public void Dec(double amount = 1) => Only.Dec(amount);

    /// <inheritdoc cref="GaugeSeries.TrackInProgress"/>
    public GaugeSeries.InProgress TrackInProgress() => Only.TrackInProgress();

    private protected override Series NewSeries(string[] values, int hash) => new GaugeSeries(this, values, hash) { Fragment = FragmentOf(values) };
}

/// <summary>One value.</summary>
public sealed class GaugeSeries : Series
{
    private double _value;

    internal GaugeSeries(MetricFamily family, string[] values, int hash)
        : base(family, values, hash)
    {
    }

    /// <summary>The value now.</summary>
    public double Value => Volatile.Read(ref _value);

    /// <summary>Replaces the value. Costs one store.</summary>
    public void Set(double value)
    {
        if (Alive())
        {
            Volatile.Write(ref _value, value);
        }
    }

    /// <summary>Sets the value to a moment, in seconds since 1970.</summary>
    public void SetTo(DateTimeOffset moment) => Set(moment.ToUnixTimeMilliseconds() / 1000.0);

    /// <summary>Adds an amount, which may be negative. An undefined amount is refused and counted.</summary>
    public void Inc(double amount = 1)
    {
        if (double.IsNaN(amount))
        {
            Family.Registry.Self.Rejected(Family);
        }
        else if (Alive())
        {
            double seen = Volatile.Read(ref _value);
            while (true)
            {
                double found = Interlocked.CompareExchange(ref _value, seen + amount, seen);
                if (found.Equals(seen))
                {
                    return;
                }

                seen = found;
            }
        }
    }

    /// <summary>Subtracts an amount.</summary>
    public void Dec(double amount = 1) => Inc(-amount);

    /// <summary>Adds one now and takes it back on dispose: <c>using (inFlight.TrackInProgress()) { … }</c>.</summary>
    public InProgress TrackInProgress()
    {
        Inc();
        return new InProgress(this);
    }

    /// <summary>One unit of work under way.</summary>
    public readonly struct InProgress : IDisposable, IEquatable<InProgress>
    {
        private readonly GaugeSeries? _gauge;

        internal InProgress(GaugeSeries gauge) => _gauge = gauge;

        public static bool operator ==(InProgress left, InProgress right) => left.Equals(right);

        public static bool operator !=(InProgress left, InProgress right) => !left.Equals(right);

        public void Dispose() => _gauge?.Dec();

        public bool Equals(InProgress other) => ReferenceEquals(_gauge, other._gauge);

        public override bool Equals(object? obj) => obj is InProgress other && Equals(other);

        public override int GetHashCode() => _gauge?.GetHashCode() ?? 0;
    }
}
