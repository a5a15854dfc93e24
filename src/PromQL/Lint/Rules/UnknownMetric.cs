using OptiInfra.PromQL.Rules;
using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>Nothing exposes this metric and no rule records it: the rule is dead.</summary>
internal sealed class UnknownMetric() : LintRule("promql/unknown-metric", Severity.Warning)
{
    internal override IEnumerable<Diagnostic> Check(RuleUnderTest rule)
    {
        if (rule.Options.Catalog.IsEmpty)
        {
            yield break;
        }
        foreach (VectorSelector selector in rule.Selectors)
        {
            if (selector.MetricName is { Length: > 0 } name && !IsKnown(rule, name))
            {
                string? nearest = Nearest.To(name, rule.Options.Catalog.SeriesNames.Concat(rule.Run.Recorded.Keys));
                yield return At(rule, selector.Span, $"no known exporter, agent or recording rule has the metric {name}", nearest is null ? null : $"did you mean {nearest}?");
            }
        }
    }

    private static bool IsKnown(RuleUnderTest rule, string name) => rule.Options.Catalog.Find(name) is not null || rule.Run.Recorded.ContainsKey(name)
        || name is "up" or "ALERTS" or "ALERTS_FOR_STATE" || name.StartsWith("scrape_", StringComparison.Ordinal);
}
