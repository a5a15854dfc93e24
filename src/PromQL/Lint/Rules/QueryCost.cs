using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>An estimate of the samples one evaluation reads, when it is unusually many.</summary>
internal sealed class QueryCost() : LintRule("promql/cost", Severity.Info)
{
    internal override IEnumerable<Diagnostic> Check(RuleUnderTest rule)
    {
        double scrapes(PromDuration range) => Math.Max(1, range.Nanoseconds / (double)Math.Max(1, rule.Options.ScrapeInterval.Nanoseconds));
        foreach (SubqueryExpr subquery in rule.Nodes.OfType<SubqueryExpr>())
        {
            PromDuration step = subquery.Step == PromDuration.Zero ? rule.Options.EvaluationInterval : subquery.Step;
            double steps = subquery.Range.Nanoseconds / (double)Math.Max(1, step.Nanoseconds);
            double inner = subquery.Inner.Walk().OfType<MatrixSelector>().Select(matrix => scrapes(matrix.Range)).DefaultIfEmpty(1).Max();
            if (steps * inner > Many)
            {
                yield return At(rule, subquery.Span, $"each evaluation reads about {steps * inner:N0} samples of every series", "record the inner expression, then use its range");
            }
        }
        foreach (MatrixSelector matrix in rule.Nodes.OfType<MatrixSelector>().Where(matrix => scrapes(matrix.Range) > Many))
        {
            yield return At(rule, matrix.Span, $"each evaluation reads about {scrapes(matrix.Range):N0} samples of every series", "record a shorter range first");
        }
    }

    /// <summary>Four days at a scrape every 30 seconds.</summary>
    private const double Many = 11_520;
}
