using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>The summary is what a person reads first, on a phone, at night.</summary>
internal sealed class AlertWithoutSummary() : LintRule("alert/summary", Severity.Warning)
{
    internal override IEnumerable<Diagnostic> Check(RuleUnderTest rule)
    {
        if (rule.Rule.IsAlert && !rule.Rule.Annotations.Any(a => a is { Name: "summary" or "message" or "description", Value.Length: > 0 }))
        {
            yield return OnRule(rule, $"the alert {rule.Rule.Alert} has no summary annotation", "add annotations: {summary: ...}");
        }
    }
}
