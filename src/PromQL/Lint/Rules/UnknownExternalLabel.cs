using OptiInfra.PromQL.Templates;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>A template shows an external label that this Prometheus does not have.</summary>
internal sealed class UnknownExternalLabel() : LintRule("alert/unknown-external-label", Severity.Warning)
{
    internal override IEnumerable<Diagnostic> Check(RuleUnderTest rule) =>
        from text in rule.Rule.IsAlert && rule.Options.KnowsExternalLabels ? rule.Rule.Labels.Concat(rule.Rule.Annotations) : []
        let template = text.Template
        where template is not null
        from variable in template.Operands().OfType<VariableOperand>()
        where variable is { Name: "$externalLabels", Fields.Length: > 0 } && !rule.Options.ExternalLabels.Contains(variable.Fields[0])
        select At(rule.File, text.ValueNode, $"\"{text.Name}\" uses $externalLabels.{variable.Fields[0]}, which is not among the external labels");
}
