using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>A range or offset that reaches back further than samples are kept finds nothing there.</summary>
internal sealed class BeyondRetention() : LintRule("promql/beyond-retention", Severity.Warning)
{
    internal override IEnumerable<Diagnostic> Check(RuleUnderTest rule)
    {
        if (rule.Options.Retention is not { } retention)
        {
            yield break;
        }
        foreach (Expr node in rule.Nodes)
        {
            PromDuration reach = node switch
            {
                MatrixSelector matrix => matrix.Range + matrix.Selector.Offset,
                SubqueryExpr subquery => subquery.Range + subquery.Offset,
                VectorSelector selector => selector.Offset,
                _ => default,
            };
            if (reach > retention)
            {
                yield return At(rule, node.Span, $"this looks {reach} back, but samples are kept for {retention}");
            }
        }
    }
}
