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
        if (!Recorded.ContainsKey(metric))
        {
            return null;
        }
        // Rules are linted in parallel; the lock is taken again by the same thread for recordings of recordings.
        lock (recordedLabels)
        {
            return LabelsOnce(metric);
        }
    }

    private LabelSet? LabelsOnce(string metric)
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
            known = LabelFlow.Of(expr, LabelsOnce).With(added).With(Options.ExternalLabels);
        }
        recordedLabels[metric] = known;
        return known;
    }
}

internal sealed record RuleUnderTestKey(RuleFile File, RuleGroup Group, Rule Rule);

/// <summary>A rule with everything a check may want to know about it. The nodes of the expression are sorted out once for all checks.</summary>
internal sealed class RuleUnderTest
{
    private readonly List<VectorSelector> selectors = [];
    private readonly List<Call> calls = [];
    private readonly List<Aggregation> aggregations = [];
    private readonly List<BinaryExpr> binaries = [];
    private readonly List<Expr> nodes = [];
    private LabelSet? labels;

    public RuleUnderTest(LintRun run, RuleFile file, RuleGroup group, Rule rule)
    {
        (Run, File, Group, Rule) = (run, file, group, rule);
        Collect(rule.Expr!);
    }

    public LintRun Run { get; }

    public RuleFile File { get; }

    public RuleGroup Group { get; }

    public Rule Rule { get; }

    /// <summary>Every node of the expression, parents first.</summary>
    public IReadOnlyList<Expr> Nodes => nodes;

    public IReadOnlyList<VectorSelector> Selectors => selectors;

    public IReadOnlyList<Call> Calls => calls;

    public IReadOnlyList<Aggregation> Aggregations => aggregations;

    public IReadOnlyList<BinaryExpr> Binaries => binaries;

    public LintOptions Options => Run.Options;

    public Expr Expr => Rule.Expr!;

    public PromDuration Interval => Group.Interval ?? Options.EvaluationInterval;

    /// <summary>The labels of the expression's result.</summary>
    public LabelSet Labels => labels ??= LabelsOf(Expr);

    public LabelSet LabelsOf(Expr expr) => LabelFlow.Of(expr, Run.LabelsOfRecorded);

    public KnownMetric? Known(VectorSelector selector) => selector.MetricName is { } name ? Options.Catalog.Find(name) : null;

    /// <summary>Whether a series by that name is a counter: by the catalogue, or, when that does not know it, by its suffix.</summary>
    public bool IsCounter(VectorSelector selector) =>
        Known(selector) is { } known ? known.IsCounter : selector.MetricName is { } name && name.EndsWith("_total", StringComparison.Ordinal);

    private void Collect(Expr node)
    {
        nodes.Add(node);
        switch (node)
        {
            case VectorSelector selector:
                selectors.Add(selector);
                return;
            case MatrixSelector matrix:
                Collect(matrix.Selector);
                return;
            case Call call:
                calls.Add(call);
                break;
            case Aggregation aggregation:
                aggregations.Add(aggregation);
                break;
            case BinaryExpr binary:
                binaries.Add(binary);
                break;
        }
        foreach (Expr child in node.Children)
        {
            Collect(child);
        }
    }
}
