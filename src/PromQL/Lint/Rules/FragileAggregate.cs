using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>A ratio of two aggregates jumps while one side is being scraped anew; a "for" rides over it.</summary>
internal sealed class FragileAggregate() : LintRule("promql/fragile-aggregate", Severity.Info)
{
    internal override IEnumerable<Diagnostic> Check(RuleUnderTest rule)
    {
        if (rule.Rule is { IsAlert: true, For: null or { Nanoseconds: 0 } } && rule.Expr.Unparenthesized() is BinaryExpr comparison && comparison.Op.IsComparison()
            && comparison.Left.Unparenthesized() is BinaryExpr { Op: BinaryOp.Div or BinaryOp.Sub } ratio
            && ratio.Left.Unparenthesized() is Aggregation && ratio.Right.Unparenthesized() is Aggregation)
        {
            yield return At(rule, ratio.Span, "an aggregate divided by an aggregate can jump for one evaluation, and this alert has no \"for\"", "add for: 5m");
        }
    }
}
