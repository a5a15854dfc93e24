using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>A comparison whose outcome is known before any sample is read.</summary>
internal sealed class ConstantComparison() : LintRule("promql/constant-comparison", Severity.Warning)
{
    internal override IEnumerable<Diagnostic> Check(RuleUnderTest rule)
    {
        foreach (BinaryExpr comparison in rule.Binaries.Where(binary => binary.Op.IsComparison()))
        {
            if (comparison.Right.Unparenthesized() is NumberLiteral right && Bounds(comparison.Left) is { } bounds
                && Outcome(comparison.Op, bounds, right.Value) is { } outcome)
            {
                string range = bounds.Low == bounds.High ? $"always {bounds.Low}" : bounds.High < double.PositiveInfinity ? $"between {bounds.Low} and {bounds.High}" : $"at least {bounds.Low}";
                yield return At(rule, comparison.Span, $"{Short(comparison)} {(outcome ? "always" : "never")} holds: the left side is {range}");
            }
            else if (comparison.Left.Type == PromType.Vector && comparison.Right.Type == PromType.Vector && comparison.Left.Unparenthesized().ToString() == comparison.Right.Unparenthesized().ToString())
            {
                yield return At(rule, comparison.Span, $"{Short(comparison)} compares an expression with itself");
            }
        }
    }

    private readonly record struct Range(double Low, double High);

    private static Range? Bounds(Expr expr) => expr.Unparenthesized() switch
    {
        Call { Function.Name: "absent" or "absent_over_time" or "present_over_time" } => new(1, 1),
        Call { Function.Name: "rate" or "irate" or "increase" or "changes" or "resets" or "abs" or "sqrt" or "count_over_time" or "stddev_over_time" } => new(0, double.PositiveInfinity),
        Aggregation { Op: AggregateOp.Count } => new(1, double.PositiveInfinity),
        Aggregation { Op: AggregateOp.Group } => new(1, 1),
        Aggregation { Op: AggregateOp.Sum or AggregateOp.Avg or AggregateOp.Max or AggregateOp.Min } aggregation => Inner(aggregation),
        VectorSelector { MetricName: "up" } => new(0, 1),
        BinaryExpr { ReturnBool: true } => new(0, 1),
        _ => null,
    };

    /// <summary>Adding non-negative values keeps them so, but not below one.</summary>
    private static Range? Inner(Aggregation aggregation) => Bounds(aggregation.Inner) is not { } inner ? null
        : aggregation.Op == AggregateOp.Sum ? new(Math.Min(inner.Low, 0), double.PositiveInfinity) : inner;

    private static bool? Outcome(BinaryOp op, Range range, double value) => op switch
    {
        BinaryOp.Greater => range.Low > value ? true : range.High <= value ? false : null,
        BinaryOp.GreaterOrEqual => range.Low >= value ? true : range.High < value ? false : null,
        BinaryOp.Less => range.High < value ? true : range.Low >= value ? false : null,
        BinaryOp.LessOrEqual => range.High <= value ? true : range.Low > value ? false : null,
        BinaryOp.Equal => range.Low > value || range.High < value ? false : range.Low == value && range.High == value ? true : null,
        _ => range.Low > value || range.High < value ? true : range.Low == value && range.High == value ? false : null,
    };
}
