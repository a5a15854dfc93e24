using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>An alert on a low value says nothing when the series is gone, which is often the greater trouble.</summary>
internal sealed class AbsentBlindness() : LintRule("alert/absent-blindness", Severity.Info)
{
    internal override IEnumerable<Diagnostic> Check(RuleUnderTest rule)
    {
        if (!rule.Rule.IsAlert || rule.Nodes.Any(node => node is Call { Function.Name: "absent" or "absent_over_time" }))
        {
            yield break;
        }
        if (rule.Expr.Unparenthesized() is BinaryExpr { Op: BinaryOp.Less or BinaryOp.LessOrEqual or BinaryOp.Equal } comparison
            && comparison.Right.Unparenthesized() is NumberLiteral && comparison.Left.Walk().OfType<VectorSelector>().FirstOrDefault() is { MetricName: { } name and not "up" })
        {
            yield return At(rule, comparison.Span, $"when {name} disappears this alert stays silent", $"add \"or absent({name}{{...}})\", or a second alert for it");
        }
    }
}
