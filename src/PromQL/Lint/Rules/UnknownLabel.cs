using OptiInfra.PromQL.Rules;
using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>The metric is known, and it has no label by this name: the selector finds nothing, the grouping does nothing.</summary>
internal sealed class UnknownLabel() : LintRule("promql/unknown-label", Severity.Warning)
{
    internal override IEnumerable<Diagnostic> Check(RuleUnderTest rule) =>
        from selector in rule.Selectors
        let known = rule.Known(selector)
        where known is not null
        from matcher in selector.Matchers
        where !matcher.MatchesEmpty && !HasLabel(rule, known.Value, matcher.Name)
        let nearest = Nearest.To(matcher.Name, known.Value.Family.Labels.Concat(rule.Options.TargetLabels))
        select At(rule, matcher.Span, $"{selector.MetricName} has no label {matcher.Name}", nearest is null ? null : $"did you mean {nearest}?");

    private static bool HasLabel(RuleUnderTest rule, KnownMetric known, string label) => known.Family.Labels.Contains(label) || rule.Options.TargetLabels.Contains(label)
        || label is LabelMatcher.MetricNameLabel || (label == "le" && known.Part == "_bucket") || (label == "quantile" && known.Family.Type == MetricType.Summary)
        || rule.Options.ExternalLabels.Contains(label);
}
