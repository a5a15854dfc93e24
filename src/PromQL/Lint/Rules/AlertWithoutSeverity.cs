using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>Routes and inhibition go by severity; an alert without it reaches whoever gets the rest.</summary>
internal sealed class AlertWithoutSeverity() : LintRule("alert/severity", Severity.Warning)
{
    internal override IEnumerable<Diagnostic> Check(RuleUnderTest rule)
    {
        if (rule.Rule.IsAlert && !rule.Rule.Labels.Concat(rule.Group.Labels).Any(label => label is { Name: "severity", Value.Length: > 0 }))
        {
            yield return OnRule(rule, $"the alert {rule.Rule.Alert} has no severity label", "add labels: {severity: warning}");
        }
    }
}
