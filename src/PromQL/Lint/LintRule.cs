using OptiInfra.PromQL.Rules;
using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint;

/// <summary>
/// One check. The id is also the name of its page (docs/lint/&lt;id&gt;.md) and what an ignore comment names. A check looks at
/// one rule at a time, or, when it compares rules, at all files together; it returns findings and never prints.
/// </summary>
public abstract class LintRule(string id, Severity severity)
{
    public string Id { get; } = id;

    public Severity Severity { get; } = severity;

    /// <summary>Called for each rule whose expression is valid.</summary>
    internal virtual IEnumerable<Diagnostic> Check(RuleUnderTest rule) => [];

    /// <summary>Called once, for checks that compare rules or look at groups.</summary>
    internal virtual IEnumerable<(RuleFile File, Diagnostic Finding)> CheckAll(LintRun run) => [];

    private protected Diagnostic At(RuleUnderTest rule, TextSpan span, string message, string? hint = null) => new(Id, Severity, message)
    {
        Source = rule.File.Source,
        Start = rule.File.PositionOf(rule.Rule, span.Start),
        End = rule.File.PositionOf(rule.Rule, span.End),
        Hint = hint,
    };

    private protected Diagnostic At(RuleFile file, YamlNode node, string message, string? hint = null) =>
        new(Id, Severity, message) { Source = file.Source, Start = node.Start, End = node.End, Hint = hint };

    /// <summary>An expression for a message: whole when it is short.</summary>
    private protected static string Short(Expr expr)
    {
        string text = expr.ToString();
        return text.Length <= 60 ? text : text[..57] + "...";
    }

    private protected Diagnostic OnRule(RuleUnderTest rule, string message, string? hint = null) => At(rule.File, rule.Rule.NameNode, message, hint);
}

/// <summary>Everything that is linted together, and what is known about it.</summary>
internal sealed class LintRun(IReadOnlyList<RuleFile> files, LintOptions options)
{
    private readonly Dictionary<string, LabelSet?> recordedLabels = new(StringComparer.Ordinal);

    public IReadOnlyList<RuleFile> Files { get; } = files;

    public LintOptions Options { get; } = options;

    /// <summary>Recording rules by the metric they record; of several, the first.</summary>
    public IReadOnlyDictionary<string, RuleUnderTestKey> Recorded { get; } = files
        .SelectMany(file => file.Groups.SelectMany(group => group.Rules.Where(rule => rule.Record.Length > 0).Select(rule => new RuleUnderTestKey(file, group, rule))))
        .GroupBy(key => key.Rule.Record, StringComparer.Ordinal)
        .ToDictionary(same => same.Key, same => same.First(), StringComparer.Ordinal);

    /// <summary>The labels of a metric that one of the files records; null for any other.</summary>
    public LabelSet? LabelsOfRecorded(string metric)
    {
        if (recordedLabels.TryGetValue(metric, out LabelSet? known))
        {
            return known;
        }
        // A rule that reads itself, or two that read each other, end here with "unknown".
        recordedLabels[metric] = null;
        if (Recorded.TryGetValue(metric, out RuleUnderTestKey? key) && key.Rule.Expr is { } expr)
        {
            IEnumerable<string> added = key.Rule.Labels.Concat(key.Group.Labels).Select(label => label.Name);
            known = LabelFlow.Of(expr, LabelsOfRecorded).With(added).With(Options.ExternalLabels);
        }
        recordedLabels[metric] = known;
        return known;
    }
}

internal sealed record RuleUnderTestKey(RuleFile File, RuleGroup Group, Rule Rule);

/// <summary>A rule with everything a check may want to know about it.</summary>
internal sealed class RuleUnderTest(LintRun run, RuleFile file, RuleGroup group, Rule rule)
{
    private LabelSet? labels;

    public LintRun Run { get; } = run;

    public RuleFile File { get; } = file;

    public RuleGroup Group { get; } = group;

    public Rule Rule { get; } = rule;

    public LintOptions Options => Run.Options;

    public Expr Expr => Rule.Expr!;

    /// <summary>The nodes of the expression, parents first; computed once for all checks.</summary>
    public IReadOnlyList<Expr> Nodes { get; } = [.. rule.Expr!.Walk()];

    public PromDuration Interval => Group.Interval ?? Options.EvaluationInterval;

    /// <summary>The labels of the expression's result.</summary>
    public LabelSet Labels => labels ??= LabelsOf(Expr);

    public LabelSet LabelsOf(Expr expr) => LabelFlow.Of(expr, Run.LabelsOfRecorded);

    public KnownMetric? Known(VectorSelector selector) => selector.MetricName is { } name ? Options.Catalog.Find(name) : null;

    /// <summary>Whether a series by that name is a counter: by the catalogue, or, when that does not know it, by its suffix.</summary>
    public bool IsCounter(VectorSelector selector) =>
        Known(selector) is { } known ? known.IsCounter : selector.MetricName is { } name && name.EndsWith("_total", StringComparison.Ordinal);
}
