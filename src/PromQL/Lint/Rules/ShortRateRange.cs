using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>rate() needs two samples in its range; with one it has no result.</summary>
internal sealed class ShortRateRange() : LintRule("promql/short-rate-range", Severity.Error)
{
    internal override IEnumerable<Diagnostic> Check(RuleUnderTest rule)
    {
        var twice = new PromDuration(rule.Options.ScrapeInterval.Nanoseconds * 2);
        foreach (Call call in rule.Calls.Where(call => call.Function.Name is "rate" or "irate" or "increase" or "deriv" or "delta" or "idelta"))
        {
            if (call.Args[0].Unparenthesized() is MatrixSelector { RangeExpr: null } matrix && matrix.Range < twice)
            {
                yield return At(rule, matrix.Span, $"the range {matrix.Range} holds fewer than two samples at a scrape interval of {rule.Options.ScrapeInterval}", $"use at least [{new PromDuration(rule.Options.ScrapeInterval.Nanoseconds * 4)}]");
            }
        }
    }
}
