using System.ComponentModel;
using System.Text.Json.Serialization;
using OptiInfra.Crds.Schema;

namespace OptiInfra.Crds;

// Rules and their tests keep Prometheus' own field names, so that rule files can be pasted as they are.

/// <summary>A group of rules, evaluated in order.</summary>
public sealed record RuleGroup
{
    [Description("Name of the group, unique in the policy.")]
    [Text(MinLength = 1, MaxLength = 253)]
    public required string Name { get; init; }

    [Description("Time between two evaluations. Default: the stack's.")]
    [Text(MinLength = 1, MaxLength = 32, Pattern = Patterns.Duration)]
    public string? Interval { get; init; }

    [Description("Most series or alerts that a rule may produce; 0 means no limit.")]
    public int? Limit { get; init; }

    [JsonPropertyName("query_offset")]
    [Description("Rules are evaluated as of this long ago.")]
    [Text(MinLength = 1, MaxLength = 32, Pattern = Patterns.Duration)]
    public string? QueryOffset { get; init; }

    [Description("Labels of every rule of the group (Prometheus 3.0 or newer; for older ones they are written to each rule).")]
    [Entries(32)]
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    [Description("The rules.")]
    [Entries(500)]
    public IReadOnlyList<Rule>? Rules { get; init; }
}

[OneOf("alert", "record")]
public sealed record Rule
{
    [Description("Name of the alert.")]
    [Text(MinLength = 1, MaxLength = 253)]
    public string? Alert { get; init; }

    [Description("Name of the series that is recorded.")]
    [Text(MinLength = 1, MaxLength = 253, Pattern = Patterns.MetricName)]
    public string? Record { get; init; }

    [Description("The PromQL expression.")]
    [Text(MinLength = 1, MaxLength = 16384)]
    public required string Expr { get; init; }

    [Description("How long the condition must hold before the alert fires.")]
    [Text(MinLength = 1, MaxLength = 32, Pattern = Patterns.Duration)]
    public string? For { get; init; }

    [JsonPropertyName("keep_firing_for")]
    [Description("How long the alert goes on firing after the condition ended.")]
    [Text(MinLength = 1, MaxLength = 32, Pattern = Patterns.Duration)]
    public string? KeepFiringFor { get; init; }

    [Description("Labels added to the result.")]
    [Entries(32)]
    [Text(MaxLength = 4096)]
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    [Description("Texts for people; templates are allowed.")]
    [Entries(32)]
    [Text(MaxLength = 8192)]
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }
}

/// <summary>A test group of promtool.</summary>
public sealed record RuleTest
{
    [Description("Name of the test.")]
    [Text(MaxLength = 253)]
    public string? Name { get; init; }

    [Description("Time between the values of the series. Default: 1m.")]
    [Text(MinLength = 1, MaxLength = 32, Pattern = Patterns.Duration)]
    public string? Interval { get; init; }

    [JsonPropertyName("input_series")]
    [Description("The series that exist.")]
    [Entries(100)]
    public IReadOnlyList<TestSeries>? InputSeries { get; init; }

    [JsonPropertyName("alert_rule_test")]
    [Description("Alerts that must fire, or must not.")]
    [Entries(100)]
    public IReadOnlyList<AlertTest>? AlertRuleTest { get; init; }

    [JsonPropertyName("promql_expr_test")]
    [Description("Expressions and what they must give.")]
    [Entries(100)]
    public IReadOnlyList<ExprTest>? PromqlExprTest { get; init; }

    [JsonPropertyName("external_labels")]
    [Description("External labels of the Prometheus in the test.")]
    [Entries(32)]
    public IReadOnlyDictionary<string, string>? ExternalLabels { get; init; }
}

public sealed record TestSeries
{
    [Description("The series, for example up{job=\"x\"}.")]
    [Text(MinLength = 1, MaxLength = 2048)]
    public required string Series { get; init; }

    [Description("Its values in promtool's notation, for example 0+1x10.")]
    [Text(MaxLength = 8192)]
    public required string Values { get; init; }
}

public sealed record AlertTest
{
    [JsonPropertyName("eval_time")]
    [Description("When to look.")]
    [Text(MinLength = 1, MaxLength = 32, Pattern = Patterns.Duration)]
    public required string EvalTime { get; init; }

    [Description("Name of the alert.")]
    [Text(MinLength = 1, MaxLength = 253)]
    public required string Alertname { get; init; }

    [JsonPropertyName("exp_alerts")]
    [Description("The alerts that must fire; none when empty.")]
    [Entries(50)]
    public IReadOnlyList<ExpectedAlert>? ExpAlerts { get; init; }
}

public sealed record ExpectedAlert
{
    [JsonPropertyName("exp_labels")]
    [Description("All its labels but alertname.")]
    [Entries(64)]
    public IReadOnlyDictionary<string, string>? ExpLabels { get; init; }

    [JsonPropertyName("exp_annotations")]
    [Description("All its annotations.")]
    [Entries(32)]
    [Text(MaxLength = 8192)]
    public IReadOnlyDictionary<string, string>? ExpAnnotations { get; init; }
}

public sealed record ExprTest
{
    [Description("The expression.")]
    [Text(MinLength = 1, MaxLength = 16384)]
    public required string Expr { get; init; }

    [JsonPropertyName("eval_time")]
    [Description("When to look.")]
    [Text(MinLength = 1, MaxLength = 32, Pattern = Patterns.Duration)]
    public required string EvalTime { get; init; }

    [JsonPropertyName("exp_samples")]
    [Description("The samples it must give.")]
    [Entries(100)]
    public IReadOnlyList<ExpectedSample>? ExpSamples { get; init; }
}

public sealed record ExpectedSample
{
    [Description("The series, for example {job=\"x\"}.")]
    [Text(MaxLength = 2048)]
    public string? Labels { get; init; }

    [Description("Its value.")]
    public double? Value { get; init; }

    [Description("Its native histogram, in promtool's notation.")]
    [Text(MaxLength = 4096)]
    public string? Histogram { get; init; }
}
