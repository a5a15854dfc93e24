using System.Collections.Immutable;
using OptiInfra.PromQL.Rules;
using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint;

/// <summary>What the linter may assume about the Prometheus that will evaluate the rules.</summary>
public sealed record LintOptions
{
    /// <summary>The metrics that exist; empty switches the checks off that need it.</summary>
    public MetricCatalog Catalog { get; init; } = MetricCatalog.Empty;

    public PromDuration ScrapeInterval { get; init; } = PromDuration.FromMilliseconds(30_000);

    /// <summary>The interval of groups that name none.</summary>
    public PromDuration EvaluationInterval { get; init; } = PromDuration.FromMilliseconds(60_000);

    /// <summary>How far back samples are kept; null when unknown.</summary>
    public PromDuration? Retention { get; init; }

    /// <summary>Names of Prometheus' external labels; null when unknown.</summary>
    public ImmutableArray<string> ExternalLabels { get; init; } = [];

    public bool KnowsExternalLabels { get; init; }

    /// <summary>Labels that every target carries, besides those of the metric itself.</summary>
    public ImmutableArray<string> TargetLabels { get; init; } =
    [
        "job", "instance", "agent", "role", "namespace", "service", "version", "pod", "container", "node", "endpoint", "cluster", "module", "exporter",
    ];

    /// <summary>Ids that are not run.</summary>
    public ImmutableHashSet<string> Disabled { get; init; } = [];
}

/// <summary>
/// Checks rules like code. In flow order: <see cref="RuleFile"/> has parsed files and found what Prometheus would refuse; each
/// <see cref="LintRule"/> of <see cref="LintRules.All"/> looks at each rule, helped by <see cref="LabelFlow"/> (which labels survive) and
/// <see cref="MetricCatalog"/> (what exists); findings that a comment ignores are dropped. <c># optiinfra:ignore id</c> inside a rule or
/// on the line above it holds for that rule, before the first group for the file; without an id it silences every check but syntax.
/// Nothing is read from disk or network here.
/// </summary>
public static class Linter
{
    public static ImmutableArray<Diagnostic> Lint(RuleFile file, LintOptions? options = null) => Lint([file], options);

    /// <summary>Lints files that one Prometheus loads: recording rules of one are known to the others.</summary>
    public static ImmutableArray<Diagnostic> Lint(IReadOnlyList<RuleFile> files, LintOptions? options = null)
    {
        options ??= new LintOptions();
        var run = new LintRun(files, options);
        LintRule[] checks = [.. LintRules.All.Where(check => !options.Disabled.Contains(check.Id))];
        var findings = ImmutableArray.CreateBuilder<Diagnostic>();
        ILookup<RuleFile, Diagnostic> across = checks.SelectMany(check => check.CheckAll(run)).ToLookup(found => found.File, found => found.Finding);
        foreach (RuleFile file in files)
        {
            var own = new List<Diagnostic>(across[file]);
            var found = new List<Diagnostic>[file.Groups.Length];
            Parallel.For(0, file.Groups.Length, i => found[i] = LintGroup(run, file, file.Groups[i], checks));
            own.AddRange(found.SelectMany(inGroup => inGroup));
            if (own.Count > 0)
            {
                var ignores = new IgnoreComments(file);
                own.RemoveAll(ignores.Cover);
            }
            own.AddRange(file.Diagnostics);
            findings.AddRange(own.OrderBy(d => d.Start.Line).ThenBy(d => d.Start.Column).ThenBy(d => d.Id, StringComparer.Ordinal));
        }
        return findings.ToImmutable();
    }

    private static List<Diagnostic> LintGroup(LintRun run, RuleFile file, RuleGroup group, LintRule[] checks)
    {
        var found = new List<Diagnostic>();
        foreach (Rule rule in group.Rules)
        {
            if (rule.Expr is not null)
            {
                var subject = new RuleUnderTest(run, file, group, rule);
                foreach (LintRule check in checks)
                {
                    found.AddRange(check.Check(subject));
                }
            }
        }
        return found;
    }
}

/// <summary>The <c># optiinfra:ignore</c> comments of a file.</summary>
internal sealed class IgnoreComments
{
    private const string Marker = "optiinfra:ignore";

    private readonly List<(int First, int Last, string Id)> ranges = [];

    public IgnoreComments(RuleFile file)
    {
        if (!file.Tree.Contains(Marker))
        {
            return;
        }
        int firstGroup = file.Groups.Length > 0 ? file.Groups[0].Node.Start.Line : int.MaxValue;
        (int First, int Last)[] rules = [.. file.Rules.Select(rule => (rule.Node.Start.Line, LastLine(rule.Node)))];
        for (int line = 1; line <= file.Tree.LineCount; line++)
        {
            string text = file.Tree.Line(line);
            int comment = text.IndexOf('#', StringComparison.Ordinal);
            int marker = comment < 0 ? -1 : text.IndexOf(Marker, comment, StringComparison.Ordinal);
            if (marker < 0)
            {
                continue;
            }
            string[] ids = text[(marker + Marker.Length)..].Split([' ', ',', '\t'], StringSplitOptions.RemoveEmptyEntries);
            (int first, int last) = line < firstGroup ? (0, int.MaxValue) : RuleAround(rules, line);
            ranges.AddRange((ids.Length == 0 ? ["*"] : ids).Select(id => (first, last, id)));
        }
    }

    public bool Cover(Diagnostic finding) => ranges.Exists(range =>
        finding.Start.Line >= range.First && finding.Start.Line <= range.Last && (range.Id == "*" || range.Id == finding.Id));

    private static (int First, int Last) RuleAround((int First, int Last)[] rules, int line)
    {
        foreach ((int first, int last) in rules)
        {
            if (line <= last && (line >= first || first == line + 1))
            {
                return (first, last);
            }
        }
        return (line, line + 1);
    }

    /// <summary>A block mapping ends where the next thing begins, so the last line is that of its last value.</summary>
    private static int LastLine(YamlNode node) => node switch
    {
        YamlMapping { Entries: [.., var last] } => Math.Max(last.Key.Start.Line, LastLine(last.Value)),
        YamlSequence { Items: [.., var last] } => LastLine(last),
        YamlScalar { Style: YamlStyle.Literal or YamlStyle.Folded } block => Math.Max(block.Start.Line, block.End.Line - 1),
        _ => node.End.Line,
    };
}
