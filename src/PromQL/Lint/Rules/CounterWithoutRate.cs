using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>The value of a counter depends on when its process started; only its growth says something.</summary>
internal sealed class CounterWithoutRate() : LintRule("promql/counter-without-rate", Severity.Warning)
{
    internal override IEnumerable<Diagnostic> Check(RuleUnderTest rule)
    {
        if (!rule.Rule.IsAlert)
        {
            yield break;
        }
        foreach (BinaryExpr comparison in rule.Binaries.Where(binary => binary.Op.IsComparison()))
        {
            foreach (VectorSelector selector in Raw(comparison.Left).Concat(Raw(comparison.Right)))
            {
                if (rule.IsCounter(selector))
                {
                    yield return At(rule, selector.Span, $"the counter {selector.MetricName} is compared as it is; it only grows until its process restarts", $"compare rate({Short(selector)}[5m]) or increase(...)");
                }
            }
        }
    }

    /// <summary>Selectors whose value reaches the comparison, through arithmetic and aggregation but not through a function.</summary>
    private static IEnumerable<VectorSelector> Raw(Expr expr) => expr.Unparenthesized() switch
    {
        VectorSelector selector => [selector],
        Aggregation { Op: not (AggregateOp.Count or AggregateOp.Group or AggregateOp.CountValues) } aggregation => Raw(aggregation.Inner),
        BinaryExpr { Op: BinaryOp.Add or BinaryOp.Mul } binary => Raw(binary.Left).Concat(Raw(binary.Right)),
        _ => [],
    };
}
