using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>A quantile of a classic histogram is computed from the le label; where that is gone there is no result.</summary>
internal sealed class HistogramWithoutLe() : LintRule("promql/histogram-without-le", Severity.Error)
{
    internal override IEnumerable<Diagnostic> Check(RuleUnderTest rule)
    {
        foreach (Call call in rule.Calls.Where(call => call.Function.Name is "histogram_quantile"))
        {
            Expr histogram = call.Args[1];
            bool classic = histogram.Walk().OfType<VectorSelector>().Any(selector => selector.MetricName?.EndsWith("_bucket", StringComparison.Ordinal) == true);
            if (classic && !rule.LabelsOf(histogram).CanHave("le"))
            {
                yield return At(rule, histogram.Span, $"histogram_quantile() needs the label le, which {Short(histogram)} has aggregated away", "keep it: sum by (le, ...) (rate(..._bucket[5m]))");
            }
            else if (histogram.Unparenthesized() is VectorSelector { MetricName: not null } raw && rule.IsCounter(raw) | classic)
            {
                yield return At(rule, histogram.Span, $"histogram_quantile() of {raw.MetricName} without rate() describes everything since the start of the process", "take rate(...[5m]) of the buckets");
            }
        }
    }
}
