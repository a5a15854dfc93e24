using OptiInfra.PromQL.Rules;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>The same rule twice is work done twice, and two results that overwrite each other.</summary>
internal sealed class DuplicateRule() : LintRule("rule/duplicate", Severity.Warning)
{
    internal override IEnumerable<(RuleFile File, Diagnostic Finding)> CheckAll(LintRun run)
    {
        var seen = new Dictionary<string, RuleUnderTestKey>(StringComparer.Ordinal);
        foreach (RuleFile file in run.Files)
        {
            foreach (RuleGroup rules in file.Groups)
            {
                foreach (Rule rule in rules.Rules.Where(rule => rule.Expr is not null))
                {
                    string labels = string.Join(',', rule.Labels.OrderBy(label => label.Name, StringComparer.Ordinal).Select(label => $"{label.Name}={label.Value}"));
                    // Two recordings of one series are wrong whatever they compute; alerts may share a name and differ in what they watch.
                    string key = rule.IsAlert ? $"alert {rule.Alert}|{labels}|{rule.ExprText}" : $"record {rule.Record}|{labels}";
                    if (!seen.TryAdd(key, new RuleUnderTestKey(file, rules, rule)))
                    {
                        RuleUnderTestKey first = seen[key];
                        string where = first.File.Source == file.Source ? "" : $" of {first.File.Source}";
                        yield return (file, At(file, rule.NameNode, $"{rule.Name} is defined again with the same labels; the first is on line {first.Rule.NameNode.Start.Line}{where}"));
                    }
                }
            }
        }
    }
}
