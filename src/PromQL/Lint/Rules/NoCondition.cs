using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>An alert fires for every series of its result; without a condition that is always.</summary>
internal sealed class NoCondition() : LintRule("alert/no-condition", Severity.Warning)
{
    internal override IEnumerable<Diagnostic> Check(RuleUnderTest rule)
    {
        if (rule.Rule.IsAlert && !HasCondition(rule.Expr))
        {
            yield return At(rule, rule.Expr.Span, "nothing in this expression filters, so the alert fires whenever there is data", "compare it with a threshold");
        }
    }

    /// <summary>Filters are comparisons without bool, absent(), and set operations; recorded results of such filters are unknown and pass.</summary>
    private static bool HasCondition(Expr expr) => expr.Unparenthesized() switch
    {
        BinaryExpr { Op: BinaryOp.And or BinaryOp.Unless } => true,
        BinaryExpr { Op: BinaryOp.Or } or => HasCondition(or.Left) && HasCondition(or.Right),
        BinaryExpr { ReturnBool: false } binary when binary.Op.IsComparison() => true,
        BinaryExpr binary => HasCondition(binary.Left) || HasCondition(binary.Right),
        Call { Function.Name: "absent" or "absent_over_time" } => true,
        Call call => call.Args.Any(HasCondition),
        Aggregation aggregation => HasCondition(aggregation.Inner),
        UnaryExpr unary => HasCondition(unary.Inner),
        SubqueryExpr subquery => HasCondition(subquery.Inner),
        VectorSelector { MetricName: "ALERTS" or "ALERTS_FOR_STATE" } => true,
        _ => false,
    };
}
