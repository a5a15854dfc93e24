namespace OptiInfra.Metrics;

/// <summary>
/// Which of a few named states something is in. Each state is a sample of 0 or 1 with a label named like the family:
/// <c>agent_health_status{agent="cost",agent_health_status="healthy"} 1</c>.
/// </summary>
public sealed class StateSet : MetricFamily<StateSetSeries>
{
    private readonly string[] _states;

    internal StateSet(MetricRegistry registry, string name, string help, string[] states, string[] labelNames, MetricOptions options)
        : base(registry, name, help, MetricType.StateSet, labelNames, options)
    {
        if (states.Length is 0 or > 64 || states.Distinct(StringComparer.Ordinal).Count() != states.Length)
        {
            throw new ArgumentException($"state set '{name}' needs 1 to 64 different states", nameof(states));
        }

        _states = states;
        Start();
    }

    /// <summary>All states, in declared order.</summary>
    public IReadOnlyList<string> States => _states;

    /// <inheritdoc cref="StateSetSeries.Set(string)"/>
    public void Set(string state) => Only.Set(state);

    internal int IndexOf(string state) => Array.IndexOf(_states, state);

    private protected override Series NewSeries(string[] values, int hash) => new StateSetSeries(this, values, hash) { Fragment = FragmentOf(values) };
}

/// <summary>The states of one thing, one bit each.</summary>
public sealed class StateSetSeries : Series
{
    private long _bits;

    internal StateSetSeries(StateSet family, string[] values, int hash)
        : base(family, values, hash)
    {
    }

    /// <summary>Enters a state and leaves all others. An unknown state is refused and counted.</summary>
    public void Set(string state) => Write(state, bit => _ => bit);

    /// <summary>Switches one state and leaves the others as they are.</summary>
    public void Set(string state, bool on) => Write(state, bit => bits => on ? bits | bit : bits & ~bit);

    /// <summary>Whether the state is on.</summary>
    public bool IsOn(string state) => ((StateSet)Family).IndexOf(state) is >= 0 and var index && IsOn(index);

    internal bool IsOn(int state) => (Volatile.Read(ref _bits) & (1L << state)) != 0;

    private void Write(string state, Func<long, Func<long, long>> change)
    {
        int index = ((StateSet)Family).IndexOf(state);
        if (index < 0)
        {
            Family.Registry.Self.Rejected(Family);
            return;
        }

        if (!Alive())
        {
            return;
        }

        Func<long, long> next = change(1L << index);
        long seen;
        do
        {
            seen = Volatile.Read(ref _bits);
        }
        while (Interlocked.CompareExchange(ref _bits, next(seen), seen) != seen);
    }
}
