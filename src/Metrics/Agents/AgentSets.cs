namespace OptiInfra.Metrics.Agents;

// The tour. Each file here is one set of metrics as one dialect names it: the base set every agent has, one set per role, the KOSMOS
// dialect, golden signals, modules with a prefix, and the GenAI conventions. A set creates its families in its constructor, so the
// registry it was given lists them all with name, type, unit, labels and buckets; the metric catalogue is tested against that list.
// Calls to language models are measured once (LlmCall.cs) and recorded by any set that is an ILlmMetrics. Not here: rates and
// percentiles, which recording rules compute.

/// <summary>One set of metrics by name.</summary>
/// <param name="Name">Unique name, for example <c>optiinfra/cost</c>.</param>
/// <param name="Dialect">The dialect, as <c>spec.dialect</c> of an OptiAgent names it.</param>
/// <param name="Create">Creates the set's families in a registry.</param>
public sealed record AgentSet(string Name, string Dialect, Action<MetricRegistry> Create);

/// <summary>All sets of this library.</summary>
public static class AgentSets
{
    /// <summary>Prefix that stands for any module's name in <see cref="All"/>.</summary>
    public const string SampleModule = "module";

    public static IReadOnlyList<AgentSet> All { get; } =
    [
        new("optiinfra/base", "optiinfra", registry => _ = new BaseMetrics(registry)),
        new("optiinfra/orchestrator", "optiinfra", registry => _ = new OrchestratorMetrics(registry)),
        new("optiinfra/cost", "optiinfra", registry => _ = new CostMetrics(registry)),
        new("optiinfra/performance", "optiinfra", registry => _ = new PerformanceMetrics(registry)),
        new("optiinfra/resource", "optiinfra", registry => _ = new ResourceMetrics(registry)),
        new("optiinfra/application", "optiinfra", registry => _ = new ApplicationMetrics(registry)),
        new("kosmos", "kosmos", registry => _ = new KosmosMetrics(registry, new AgentMetricsOptions { Agent = "agent" })),
        new("golden-signals", "golden-signals", registry => _ = new GoldenSignals(registry)),
        new("module", "module", registry => _ = new ModuleMetrics(registry, SampleModule)),
        new("gen-ai", "gen-ai", registry => _ = new GenAiMetrics(registry)),
    ];
}
