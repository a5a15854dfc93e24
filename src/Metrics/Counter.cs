using System.Runtime.CompilerServices;

namespace OptiInfra.Metrics;

/// <summary>A family of totals that only grow.</summary>
public sealed class Counter : MetricFamily<CounterSeries>
{
    internal Counter(MetricRegistry registry, string name, string help, string[] labelNames, MetricOptions options)
        : base(registry, name, help, MetricType.Counter, labelNames, options) => Start();

    /// <inheritdoc cref="CounterSeries.Value"/>
    public double Value => Only.Value;

    /// <inheritdoc cref="CounterSeries.Inc()"/>
    public void Inc() => Only.Inc();

    /// <inheritdoc cref="CounterSeries.Inc(double)"/>
    public void Inc(double amount) => Only.Inc(amount);

    /// <inheritdoc cref="CounterSeries.Inc(double, Exemplar)"/>
    public void Inc(double amount, Exemplar exemplar) => Only.Inc(amount, exemplar);

    private protected override Series NewSeries(string[] values, int hash) => new CounterSeries(this, values, hash) { Fragment = FragmentOf(values) };
}

/// <summary>
/// One total. Whole amounts go to an integer with one atomic add, which is exact; other amounts go to a floating-point part.
/// The value is the sum of both.
/// </summary>
public sealed class CounterSeries : Series
{
    /// <summary>Larger amounts take the floating-point path, so that the integer cannot overflow in practice.</summary>
    private const double WholeLimit = 1L << 32;

    private long _whole;
    private double _fraction;
    private Exemplar? _exemplar;

    internal CounterSeries(MetricFamily family, string[] values, int hash)
        : base(family, values, hash)
    {
    }

    /// <summary>The total so far.</summary>
    public double Value => Volatile.Read(ref _whole) + Volatile.Read(ref _fraction);

    internal Exemplar? Exemplar => Volatile.Read(ref _exemplar);

    /// <summary>Adds one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Inc()
    {
        if (Alive())
        {
            Interlocked.Increment(ref _whole);
            if (Family.HasExtras)
            {
                Exemplar.Offer(ref _exemplar, 1, Family.Registry.Options.Time);
            }
        }
    }

    /// <summary>Adds an amount. A negative, infinite or undefined amount is refused and counted in <c>metrics_rejected_values_total</c>.</summary>
    public void Inc(double amount)
    {
        if (Add(amount) && Family.HasExtras)
        {
            Exemplar.Offer(ref _exemplar, amount, Family.Registry.Options.Time);
        }
    }

    /// <summary>Adds an amount and remembers where it came from.</summary>
    public void Inc(double amount, Exemplar exemplar)
    {
        if (Add(amount))
        {
            Volatile.Write(ref _exemplar, exemplar.At(amount, Family.Registry.Options.Time));
        }
    }

    /// <summary>Raises the total to a value kept elsewhere, such as the process's CPU time. Lower values are ignored.</summary>
    public void IncTo(double total)
    {
        double missing = total - Value;
        if (missing > 0)
        {
            Inc(missing);
        }
    }

    /// <summary>Both parts, read for exposition: the fraction is zero when the total is a whole number.</summary>
    internal (long Whole, double Fraction) Read() => (Volatile.Read(ref _whole), Volatile.Read(ref _fraction));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Add(double amount)
    {
        if (!Alive())
        {
            return false;
        }

        long whole = (long)amount;
        if (whole == amount && amount is >= 0 and < WholeLimit)
        {
            Interlocked.Add(ref _whole, whole);
            return true;
        }

        return AddFraction(amount);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool AddFraction(double amount)
    {
        if (!(amount >= 0) || double.IsInfinity(amount))
        {
            Family.Registry.Self.Rejected(Family);
            return false;
        }

        double seen = Volatile.Read(ref _fraction);
        while (true)
        {
            double found = Interlocked.CompareExchange(ref _fraction, seen + amount, seen);
            if (found.Equals(seen))
            {
                return true;
            }

            seen = found;
        }
    }
}
