using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>Zero is what for and keep_firing_for are without being written.</summary>
internal sealed class RedundantFor() : LintRule("alert/redundant-for", Severity.Info)
{
    internal override IEnumerable<Diagnostic> Check(RuleUnderTest rule)
    {
        foreach (string field in (string[])["for", "keep_firing_for"])
        {
            PromDuration? duration = field == "for" ? rule.Rule.For : rule.Rule.KeepFiringFor;
            if (rule.Rule.IsAlert && duration == PromDuration.Zero)
            {
                yield return At(rule.File, rule.Rule.Node.Find(field)!, $"{field}: 0 is the default and can be left out") with { Fix = RemoveLine(rule, field) };
            }
        }
    }

    /// <summary>Only where the field has a line of its own.</summary>
    private static TextEdit? RemoveLine(RuleUnderTest rule, string field)
    {
        int line = rule.Rule.Node.Find(field)!.Start.Line;
        return rule.File.Tree.Line(line).TrimStart().StartsWith(field + ":", StringComparison.Ordinal)
            ? new TextEdit(new TextPosition(line, 1), new TextPosition(line + 1, 1), "")
            : null;
    }
}
