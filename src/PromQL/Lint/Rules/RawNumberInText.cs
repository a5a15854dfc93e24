using OptiInfra.PromQL.Rules;
using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Templates;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>A rate in a message reads 0.016666666666666666 unless it is humanized.</summary>
internal sealed class RawNumberInText() : LintRule("alert/raw-number", Severity.Info)
{
    internal override IEnumerable<Diagnostic> Check(RuleUnderTest rule)
    {
        bool fraction = rule.Rule.IsAlert && rule.Expr.Unparenthesized() is var top && (top is BinaryExpr { Op: var op } comparison && op.IsComparison() ? comparison.Left : top) is var value
            && value.Walk().Any(node => node is Call { Function.Name: "rate" or "irate" or "deriv" } or BinaryExpr { Op: BinaryOp.Div });
        foreach (NamedText text in fraction ? rule.Rule.Annotations : [])
        {
            if (text.Template is { } template && template.Nodes.Any(PrintsValue))
            {
                yield return At(rule.File, text.ValueNode, $"\"{text.Name}\" prints $value with all its digits", "pipe it: {{ $value | humanize }} or humanizePercentage");
            }
        }
    }

    private static bool PrintsValue(TemplateNode node) =>
        node is ActionNode { Pipeline: { Variables: [], Commands: [{ Operands: [VariableOperand { Name: "$value" }] }] } };
}
