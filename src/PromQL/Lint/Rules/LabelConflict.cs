using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>A rule sets a label that is also an external label: the external one is not added when series leave.</summary>
internal sealed class LabelConflict() : LintRule("rule/label-conflict", Severity.Warning)
{
    internal override IEnumerable<Diagnostic> Check(RuleUnderTest rule) =>
        from label in rule.Rule.Labels.Concat(rule.Group.Labels)
        where rule.Options.ExternalLabels.Contains(label.Name)
        select At(rule.File, label.NameNode, $"the label {label.Name} is also an external label of this Prometheus");
}
