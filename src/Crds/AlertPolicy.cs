using System.ComponentModel;
using OptiInfra.Crds.Schema;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Crds;

/// <summary>Which alerts apply to which agents, and who hears of them.</summary>
[Description("AlertPolicy says which rule packs and own rules apply to which agents, who is notified, and when it is quiet.")]
public sealed record AlertPolicy : IKubeObject
{
    public required ObjectMeta Metadata { get; init; }

    [Description("The rules and their routes.")]
    public required AlertPolicySpec Spec { get; init; }

    [Description("What is known about it. Written by the operator, on changes only.")]
    public AlertPolicyStatus? Status { get; init; }
}

public sealed record AlertPolicySpec
{
    [Description("The agents of this namespace that the packs watch. Default: all of them.")]
    public AgentSelector? Agents { get; init; }

    [Description("Rule packs that come with the product.")]
    [Entries(32)]
    [ListKey("name")]
    public IReadOnlyList<PackUse>? Packs { get; init; }

    [Description("Own rules, exactly as in a Prometheus rule file.")]
    [Entries(100)]
    [ListKey("name")]
    public IReadOnlyList<RuleGroup>? Groups { get; init; }

    [Description("Who is notified of which alerts.")]
    [Entries(32)]
    public IReadOnlyList<Notification>? Notify { get; init; }

    [Description("Alerts that silence others while they fire.")]
    [Entries(32)]
    public IReadOnlyList<Inhibition>? Inhibit { get; init; }

    [Description("Named times, for muteTimes and activeTimes of notify.")]
    [Entries(16)]
    [ListKey("name")]
    public IReadOnlyList<TimeInterval>? Times { get; init; }

    [Description("Planned work: matching alerts are silenced between start and end.")]
    [Entries(32)]
    [ListKey("name")]
    public IReadOnlyList<Maintenance>? Maintenance { get; init; }

    [Description("Unit tests of the rules, in promtool's own format.")]
    [Entries(32)]
    public IReadOnlyList<RuleTest>? Tests { get; init; }

    [Description("The MonitoringStack that serves this policy. Default: the stack that accepts this namespace.")]
    public StackReference? Stack { get; init; }
}

/// <summary>Chooses agents; all parts that are set must hold.</summary>
public sealed record AgentSelector
{
    [Description("Agents with one of these roles.")]
    [Entries(8)]
    [Set]
    public IReadOnlyList<AgentRole>? MatchRoles { get; init; }

    [Description("Agents with one of these names.")]
    [Entries(64)]
    [Set]
    [Text(MinLength = 1, MaxLength = 63)]
    public IReadOnlyList<string>? MatchNames { get; init; }

    [Description("Agents (the OptiAgent resources) with these labels.")]
    [Entries(32)]
    [Text(MaxLength = 63)]
    public IReadOnlyDictionary<string, string>? MatchLabels { get; init; }

    [Description("Agents whose labels satisfy these expressions.")]
    [Entries(32)]
    public IReadOnlyList<LabelSelectorRequirement>? MatchExpressions { get; init; }
}

/// <summary>A pack and what is changed in it.</summary>
public sealed record PackUse
{
    [Description("Name of the pack, for example service-health, cost, llm or slo.")]
    [Text(MinLength = 1, MaxLength = 63, Pattern = Patterns.DnsLabel)]
    public required string Name { get; init; }

    [Description("Changes by alert name.")]
    [Entries(64)]
    public IReadOnlyDictionary<string, PackOverride>? Overrides { get; init; }

    [Description("Time between two evaluations of the pack's groups. Default: the stack's.")]
    [Text(MinLength = 1, MaxLength = 32, Pattern = Patterns.Duration)]
    public string? Interval { get; init; }
}

public sealed record PackOverride
{
    [Description("false leaves the alert out. Default: true.")]
    public bool? Enabled { get; init; }

    [Description("The threshold that the value is compared with.")]
    public double? Threshold { get; init; }

    [Description("The label severity.")]
    [Text(MinLength = 1, MaxLength = 32, Pattern = Patterns.DnsLabel)]
    public string? Severity { get; init; }

    [Description("How long the condition must hold before the alert fires.")]
    [Text(MinLength = 1, MaxLength = 32, Pattern = Patterns.Duration)]
    public string? For { get; init; }

    [Description("How long the alert goes on firing after the condition ended.")]
    [Text(MinLength = 1, MaxLength = 32, Pattern = Patterns.Duration)]
    public string? KeepFiringFor { get; init; }

    [Description("Further labels of the alert.")]
    [Entries(32)]
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    [Description("Further annotations of the alert.")]
    [Entries(32)]
    [Text(MaxLength = 4096)]
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }
}

public sealed record AlertPolicyStatus
{
    [Description("The generation this status speaks about.")]
    public long? ObservedGeneration { get; init; }

    [Description("Accepted, Rendered, Loaded, RulesHealthy and Ready.")]
    [Entries(16)]
    public IReadOnlyList<Condition>? Conditions { get; init; }

    [Description("What became of the rules.")]
    public RuleCounts? Rules { get; init; }

    [Description("The RULES column: rules loaded and alerts firing.")]
    [Text(MaxLength = 64)]
    public string? Summary { get; init; }

    [Description("How many agents the policy watches.")]
    public int? Agents { get; init; }

    [Description("What went wrong last, with line and column inside the expression.")]
    [Text(MaxLength = 2048)]
    public string? LastError { get; init; }

    [Description("The newest generation without an error; its rules stay loaded while a later one is broken.")]
    public long? LastGoodGeneration { get; init; }

    [Description("The MonitoringStack that serves this policy, as namespace/name.")]
    [Text(MaxLength = 128)]
    public string? Stack { get; init; }
}

public sealed record RuleCounts
{
    [Description("Rules in the rule file.")]
    public int Total { get; init; }

    [Description("Rules that Prometheus evaluates.")]
    public int Loaded { get; init; }

    [Description("Alerts waiting for their time to pass.")]
    public int Pending { get; init; }

    [Description("Alerts that fire.")]
    public int Firing { get; init; }

    [Description("Rules whose evaluation fails.")]
    public int Failing { get; init; }

    /// <summary>The RULES column.</summary>
    public string Summary() => $"{Loaded} LOADED, {Firing} FIRING{(Failing > 0 ? $", {Failing} FAILING" : "")}";
}
