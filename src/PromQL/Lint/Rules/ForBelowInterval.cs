using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>A "for" shorter than the evaluation interval waits for the next evaluation anyway.</summary>
internal sealed class ForBelowInterval() : LintRule("alert/for-below-interval", Severity.Warning)
{
    internal override IEnumerable<Diagnostic> Check(RuleUnderTest rule)
    {
        if (rule.Rule is { IsAlert: true, For: { Nanoseconds: > 0 } wait } && wait < rule.Interval)
        {
            yield return OnRule(rule, $"for: {wait} is shorter than the evaluation interval {rule.Interval}, so the alert waits {rule.Interval}", "raise it, or evaluate the group more often");
        }
    }
}
