namespace OptiInfra.Metrics.Agents;

/// <summary>What an agent knows about itself before it starts. Closed lists keep names that models invent out of the labels.</summary>
public sealed record AgentMetricsOptions
{
    /// <summary>Name of the agent this process is, where a set has an <c>agent</c> label of its own.</summary>
    public string Agent { get; init; } = "";

    /// <summary>Agents this one talks to; their series exist at 0 from the start.</summary>
    public IReadOnlyList<string> Peers { get; init; } = [];

    /// <summary>The models that may appear as a label; others become <c>_other</c>. Empty allows every name, up to the family's cap.</summary>
    public IReadOnlyList<string> Models { get; init; } = [];

    /// <summary>The tools that may appear as a label; others become <c>_other</c>. Empty allows every name, up to the family's cap.</summary>
    public IReadOnlyList<string> Tools { get; init; } = [];

    /// <summary>Prices for calls whose cost the provider does not say.</summary>
    public LlmPrices Prices { get; init; } = LlmPrices.None;

    /// <summary>Trace exemplars on durations.</summary>
    public bool Exemplars { get; init; }

    /// <summary>The closed lists as family options. Only labels the family has are looked at.</summary>
    internal IReadOnlyDictionary<string, IReadOnlyList<string>>? Closed()
    {
        var closed = new Dictionary<string, IReadOnlyList<string>>();
        if (Models.Count > 0)
        {
            closed["model"] = Models;
        }

        if (Tools.Count > 0)
        {
            closed["tool"] = Tools;
        }

        return closed.Count > 0 ? closed : null;
    }

    internal MetricOptions Family(string? unit = null) => new() { Unit = unit, AllowedValues = Closed() };

    internal HistogramOptions Durations(IReadOnlyList<double> buckets) => new() { Buckets = buckets, AllowedValues = Closed(), Exemplars = Exemplars };
}
