using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>Somebody will be woken by this; the runbook says what to do.</summary>
internal sealed class AlertWithoutRunbook() : LintRule("alert/runbook", Severity.Info)
{
    internal override IEnumerable<Diagnostic> Check(RuleUnderTest rule)
    {
        if (rule.Rule.IsAlert && !rule.Rule.Annotations.Any(a => a is { Name: "runbook" or "runbook_url" or "playbook", Value.Length: > 0 }))
        {
            yield return OnRule(rule, $"the alert {rule.Rule.Alert} has no runbook_url annotation");
        }
    }
}
