using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>Dividing by something that can be zero gives NaN or Inf: inside an aggregation it spoils the whole result.</summary>
internal sealed class DivisionWithoutData() : LintRule("promql/division-without-data", Severity.Info)
{
    internal override IEnumerable<Diagnostic> Check(RuleUnderTest rule) =>
        from aggregation in rule.Aggregations
        where aggregation.Op is AggregateOp.Sum or AggregateOp.Avg or AggregateOp.Stddev or AggregateOp.Stdvar
        let division = aggregation.Inner.Unparenthesized() as BinaryExpr
        where division is { Op: BinaryOp.Div or BinaryOp.Mod } && division.Right.Type == PromType.Vector
            && division.Right.Unparenthesized() is not BinaryExpr { Op: BinaryOp.Greater or BinaryOp.NotEqual }
        select At(rule, division.OpSpan, $"one zero in {Short(division.Right)} turns the whole {aggregation.Op.Text()}() into NaN or Inf", "divide the aggregates, or filter the divisor with > 0");
}
