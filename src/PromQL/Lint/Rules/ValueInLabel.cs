using OptiInfra.PromQL.Templates;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>The labels of an alert are its identity: with the value in one, every change is a new alert and "for" never passes.</summary>
internal sealed class ValueInLabel() : LintRule("alert/value-in-label", Severity.Error)
{
    internal override IEnumerable<Diagnostic> Check(RuleUnderTest rule) =>
        from label in rule.Rule.IsAlert ? rule.Rule.Labels : []
        let template = label.Template
        where template is not null && template.Operands().Any(o => o is VariableOperand { Name: "$value" } or FieldOperand { Fields: ["Value", ..] })
        select At(rule.File, label.ValueNode, $"the label {label.Name} contains $value, so every new value makes a new alert", "put the value in an annotation");
}
