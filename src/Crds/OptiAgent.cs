using System.ComponentModel;
using System.Text.Json.Serialization;
using OptiInfra.Crds.Schema;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Crds;

/// <summary>An agent service and how it is monitored.</summary>
[Description("OptiAgent describes one agent service: where its metrics are, what its exporters are, and which dashboards and objectives it has.")]
public sealed record OptiAgent : IKubeObject
{
    public required ObjectMeta Metadata { get; init; }

    [Description("What to monitor.")]
    public required OptiAgentSpec Spec { get; init; }

    [Description("What is known about it. Written by the operator, on changes only.")]
    public OptiAgentStatus? Status { get; init; }
}

public sealed record OptiAgentSpec
{
    [Description("What the agent does; rule packs and dashboards are chosen by it. Default: custom.")]
    public AgentRole? Role { get; init; }

    [Description("Which metric names the agent speaks. Default: optiinfra.")]
    public MetricDialect? Dialect { get; init; }

    [Description("First part of the metric names of the module dialect, for example prompt_manager. Default: the agent's name with underscores.")]
    [Text(MinLength = 1, MaxLength = 63, Pattern = Patterns.LabelName)]
    public string? MetricPrefix { get; init; }

    [Description("Where the metrics are. Leave it out when only exporters are wanted.")]
    public AgentTarget? Target { get; init; }

    [Description("How the target is scraped. What is left out comes from the MonitoringStack.")]
    public ScrapeSettings? Scrape { get; init; }

    [Description("Version of the agent; becomes the label version. Default: the label app.kubernetes.io/version of the Service or Pod.")]
    [Text(MinLength = 1, MaxLength = 128)]
    public string? Version { get; init; }

    [Description("Further labels of every target of this agent.")]
    [Entries(32)]
    [Text(MaxLength = 256)]
    [Cel("self.all(name, name.matches('^[a-zA-Z_][a-zA-Z0-9_]*$') && !name.startsWith('__') && !(name in ['job', 'instance', 'agent', 'role', 'namespace', 'service']))", "label names must match [a-zA-Z_][a-zA-Z0-9_]*, not start with __, and not be job, instance, agent, role, namespace or service")]
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    [Description("Exporters of the databases and other systems that belong to this agent. Each becomes a Deployment, a Service, a NetworkPolicy and a scrape job.")]
    [Entries(16)]
    [ListKey("name")]
    public IReadOnlyList<Exporter>? Exporters { get; init; }

    [Description("Grafana dashboards of this agent.")]
    public DashboardSettings? Dashboards { get; init; }

    [Description("Service level objectives; they become multi-window burn-rate alerts.")]
    public ServiceLevelObjectives? Slo { get; init; }

    [Description("The MonitoringStack that serves this agent. Default: the stack that accepts this namespace.")]
    public StackReference? Stack { get; init; }
}

public enum AgentRole
{
    [JsonStringEnumMemberName("custom")]
    Custom,
    [JsonStringEnumMemberName("orchestrator")]
    Orchestrator,
    [JsonStringEnumMemberName("cost")]
    Cost,
    [JsonStringEnumMemberName("performance")]
    Performance,
    [JsonStringEnumMemberName("resource")]
    Resource,
    [JsonStringEnumMemberName("application")]
    Application,
}

public enum MetricDialect
{
    [JsonStringEnumMemberName("optiinfra")]
    OptiInfra,
    [JsonStringEnumMemberName("kosmos")]
    Kosmos,
    [JsonStringEnumMemberName("golden-signals")]
    GoldenSignals,
    [JsonStringEnumMemberName("module")]
    Module,
    [JsonStringEnumMemberName("gen-ai")]
    GenAi,
    [JsonStringEnumMemberName("none")]
    None,
}

public sealed record DashboardSettings
{
    [Description("Whether dashboards are generated. Default: true.")]
    public bool? Enabled { get; init; }

    [Description("Folder in Grafana. Default: the namespace of the agent.")]
    [Text(MinLength = 1, MaxLength = 128)]
    public string? Folder { get; init; }
}

public sealed record ServiceLevelObjectives
{
    [Description("Share of requests that must succeed, in percent, for example 99.9.")]
    [Number(50, 99.999)]
    public double? Availability { get; init; }

    [Description("How fast requests must be answered.")]
    public LatencyObjective? Latency { get; init; }

    [Description("Time over which the objectives hold. Default: 30d.")]
    [Text(MinLength = 1, MaxLength = 32, Pattern = Patterns.Duration)]
    public string? Window { get; init; }
}

public sealed record LatencyObjective
{
    [Description("A request is fast enough when it takes at most this long; must be a bucket bound of the histogram, for example 1s.")]
    [Text(MinLength = 1, MaxLength = 32, Pattern = Patterns.Duration)]
    public required string Threshold { get; init; }

    [Description("Share of requests that must be fast enough, in percent.")]
    [Number(50, 99.999)]
    public required double Target { get; init; }
}

public sealed record StackReference
{
    [Description("Name of the MonitoringStack.")]
    [Text(MinLength = 1, MaxLength = 63, Pattern = Patterns.DnsLabel)]
    public required string Name { get; init; }

    [Description("Its namespace. Default: any stack of that name that accepts this namespace.")]
    [Text(MinLength = 1, MaxLength = 63, Pattern = Patterns.DnsLabel)]
    public string? Namespace { get; init; }
}

public sealed record OptiAgentStatus
{
    [Description("The generation this status speaks about.")]
    public long? ObservedGeneration { get; init; }

    [Description("Accepted, Rendered, Loaded, TargetsUp and Ready.")]
    [Entries(16)]
    public IReadOnlyList<Condition>? Conditions { get; init; }

    [Description("How many targets answer.")]
    public TargetCounts? Targets { get; init; }

    [Description("The TARGETS column: targets up, of all.")]
    [Text(MaxLength = 32)]
    public string? Summary { get; init; }

    [Description("What went wrong last, with the place in the resource or the error of the scrape.")]
    [Text(MaxLength = 2048)]
    public string? LastError { get; init; }

    [Description("The newest generation without an error; what it compiled to stays in force while a later one is broken.")]
    public long? LastGoodGeneration { get; init; }

    [Description("The MonitoringStack that serves this agent, as namespace/name.")]
    [Text(MaxLength = 128)]
    public string? Stack { get; init; }
}
