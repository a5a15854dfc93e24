using OptiInfra.PromQL.Rules;
using OptiInfra.PromQL.Syntax;

namespace OptiInfra.PromQL.Testing;

/// <summary>
/// Which rules the tests touch: alerts that a test expects something of, recording rules that a tested expression reads, and
/// whatever recording rules those are made from.
/// </summary>
public sealed class RuleCoverage
{
    private readonly List<Entry> entries = [];

    /// <summary>A rule, where it stands, and the names of the tests that touch it.</summary>
    public sealed record Entry(string Name, string Place)
    {
        public IReadOnlyCollection<string> Tests => TouchedBy;

        internal SortedSet<string> TouchedBy { get; } = new(StringComparer.Ordinal);
    }

    public IReadOnlyList<Entry> Entries => entries;

    /// <summary>Adds rules and the tests that were run on them. Rules that were added before are the same when they stand in the same place.</summary>
    public void Add(IEnumerable<RuleFile> files, IEnumerable<RuleTest> tests, ParserOptions options)
    {
        List<(Rule Rule, Entry Entry)> rules = [.. files.SelectMany(file => file.Rules.Select(rule => (rule, Find(file, rule))))];
        foreach (RuleTest test in tests)
        {
            var wanted = new HashSet<string>(test.Expressions.SelectMany(expression => Reads(PromQLParser.Parse(expression.Expr, options).Expr)), StringComparer.Ordinal);
            var alerts = new HashSet<string>(test.Alerts.Select(alert => alert.Alert), StringComparer.Ordinal);
            // Each round finds the rules that those of the round before read.
            for (bool grows = true; grows;)
            {
                grows = false;
                foreach ((Rule rule, Entry entry) in rules.Where(one => one.Rule.IsAlert ? alerts.Contains(one.Rule.Alert) : wanted.Contains(one.Rule.Record)))
                {
                    if (entry.TouchedBy.Add(test.Name))
                    {
                        wanted.UnionWith(Reads(rule.Expr));
                        grows = true;
                    }
                }
            }
        }
    }

    private Entry Find(RuleFile file, Rule rule)
    {
        string place = $"{file.Source}:{rule.NameNode.Start}";
        Entry? known = entries.Find(entry => entry.Name == rule.Name && entry.Place == place);
        if (known is null)
        {
            entries.Add(known = new Entry(rule.Name, place));
        }
        return known;
    }

    private static IEnumerable<string> Reads(Expr? expr) =>
        expr?.Walk().OfType<VectorSelector>().Select(selector => selector.MetricName ?? "").Where(name => name.Length > 0) ?? [];
}
