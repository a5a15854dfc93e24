using System.ComponentModel;
using System.Text.Json.Serialization;
using OptiInfra.Crds.Schema;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Crds;

/// <summary>A Prometheus, Alertmanager and Grafana, and whom they serve.</summary>
[Description("MonitoringStack is the Prometheus, Alertmanager and Grafana that serve agents and policies: either run by the operator or your own.")]
public sealed record MonitoringStack : IKubeObject
{
    public required ObjectMeta Metadata { get; init; }

    [Description("What runs where, and whom it serves.")]
    public required MonitoringStackSpec Spec { get; init; }

    [Description("What is known about it. Written by the operator, on changes only.")]
    public MonitoringStackStatus? Status { get; init; }
}

public sealed record MonitoringStackSpec
{
    [Description("Who runs Prometheus. managed: this operator. external: you; add the sync sidecar or mount the ConfigMaps. prometheusOperator: the prometheus-operator, which gets its own resources from us. Default: managed.")]
    public StackMode? Mode { get; init; }

    [Description("Who finds targets. resolved: the sync sidecar, for all agents at once. native: Prometheus itself, one job per agent. Default: resolved; native with mode prometheusOperator.")]
    public DiscoveryMode? Discovery { get; init; }

    [Description("The namespaces whose agents and policies are served. Default: all.")]
    public NamespaceSelector? Namespaces { get; init; }

    [Description("enforce confines every selector of a policy to the policy's own namespace. Default: open.")]
    public TenancyMode? Tenancy { get; init; }

    [Description("What agents get that say nothing themselves.")]
    public ScrapeDefaults? Defaults { get; init; }

    [Description("What agents cannot exceed.")]
    public ScrapeMaximum? Maximum { get; init; }

    [Description("Labels of everything that leaves this Prometheus.")]
    [Entries(32)]
    [Text(MaxLength = 256)]
    [Cel("self.all(name, name.matches('^[a-zA-Z_][a-zA-Z0-9_]*$'))", "label names must match [a-zA-Z_][a-zA-Z0-9_]*")]
    public IReadOnlyDictionary<string, string>? ExternalLabels { get; init; }

    [Description("Parts of the cluster itself that are scraped.")]
    public ClusterTargets? Cluster { get; init; }

    [Description("The Prometheus.")]
    public PrometheusSettings? Prometheus { get; init; }

    [Description("The Alertmanager.")]
    public AlertmanagerSettings? Alertmanager { get; init; }

    [Description("The Grafana.")]
    public GrafanaSettings? Grafana { get; init; }
}

public enum StackMode
{
    [JsonStringEnumMemberName("managed")]
    Managed,
    [JsonStringEnumMemberName("external")]
    External,
    [JsonStringEnumMemberName("prometheusOperator")]
    PrometheusOperator,
}

public enum DiscoveryMode
{
    [JsonStringEnumMemberName("resolved")]
    Resolved,
    [JsonStringEnumMemberName("native")]
    Native,
}

public enum TenancyMode
{
    [JsonStringEnumMemberName("open")]
    Open,
    [JsonStringEnumMemberName("enforce")]
    Enforce,
}

/// <summary>Chooses namespaces by name or by label; a namespace that either chooses is chosen.</summary>
public sealed record NamespaceSelector
{
    [Description("Namespaces by name.")]
    [Entries(256)]
    [Set]
    [Text(MinLength = 1, MaxLength = 63, Pattern = Patterns.DnsLabel)]
    public IReadOnlyList<string>? MatchNames { get; init; }

    [Description("Namespaces by their labels.")]
    public LabelSelector? Selector { get; init; }

    /// <summary>Whether this selector chooses a namespace. A selector with neither part chooses none.</summary>
    public bool Matches(string name, IReadOnlyDictionary<string, string>? labels) =>
        MatchNames?.Contains(name) == true || Selector?.Matches(labels) == true;
}

public sealed record ScrapeDefaults
{
    [Description("Time between two scrapes. Default: 15s.")]
    [Text(MinLength = 1, MaxLength = 32, Pattern = Patterns.Duration)]
    public string? Interval { get; init; }

    [Description("Time after which a scrape is given up. Default: 10s.")]
    [Text(MinLength = 1, MaxLength = 32, Pattern = Patterns.Duration)]
    public string? Timeout { get; init; }

    [Description("Time between two evaluations of rules. Default: 15s.")]
    [Text(MinLength = 1, MaxLength = 32, Pattern = Patterns.Duration)]
    public string? EvaluationInterval { get; init; }

    [Description("Limits of agents that set none.")]
    public ScrapeLimits? Limits { get; init; }
}

public sealed record ScrapeMaximum
{
    [Description("Shortest interval that an agent may ask for. Default: 1s.")]
    [Text(MinLength = 1, MaxLength = 32, Pattern = Patterns.Duration)]
    public string? MinInterval { get; init; }

    [Description("Highest limits that an agent may ask for; they also hold for agents that set none.")]
    public ScrapeLimits? Limits { get; init; }
}

public sealed record ClusterTargets
{
    [Description("The API server. Default: false.")]
    public bool? ApiServer { get; init; }

    [Description("The kubelet of every node. Default: false.")]
    public bool? Nodes { get; init; }

    [Description("Container metrics (cAdvisor) of every node. Default: false.")]
    public bool? Containers { get; init; }

    [Description("Pods of the served namespaces annotated with prometheus.io/scrape: \"true\". Default: false.")]
    public bool? AnnotatedPods { get; init; }

    [Description("Services of the served namespaces annotated with prometheus.io/scrape: \"true\". Default: false.")]
    public bool? AnnotatedServices { get; init; }
}

public sealed record MonitoringStackStatus
{
    [Description("The generation this status speaks about.")]
    public long? ObservedGeneration { get; init; }

    [Description("Accepted, Rendered, Loaded, Available and Ready.")]
    [Entries(16)]
    public IReadOnlyList<Condition>? Conditions { get; init; }

    [Description("How many agents are served.")]
    public int? Agents { get; init; }

    [Description("How many policies are served.")]
    public int? Policies { get; init; }

    [Description("How many targets answer.")]
    public TargetCounts? Targets { get; init; }

    [Description("The TARGETS column: targets up, of all.")]
    [Text(MaxLength = 32)]
    public string? Summary { get; init; }

    [Description("What became of all rules.")]
    public RuleCounts? Rules { get; init; }

    [Description("Version that Prometheus reports.")]
    [Text(MaxLength = 64)]
    public string? PrometheusVersion { get; init; }

    [Description("Hash of the configuration that Prometheus runs.")]
    [Text(MaxLength = 64)]
    public string? ConfigHash { get; init; }

    [Description("What went wrong last.")]
    [Text(MaxLength = 2048)]
    public string? LastError { get; init; }

    [Description("The newest generation without an error.")]
    public long? LastGoodGeneration { get; init; }
}
