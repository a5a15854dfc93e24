using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>Selecting metrics by a pattern of their name takes whatever is added later, and mixes units.</summary>
internal sealed class NameByPattern() : LintRule("promql/name-by-pattern", Severity.Info)
{
    internal override IEnumerable<Diagnostic> Check(RuleUnderTest rule) =>
        from selector in rule.Selectors
        from matcher in selector.Matchers
        where matcher is { Name: LabelMatcher.MetricNameLabel, Op: MatchOp.Regex or MatchOp.NotRegex or MatchOp.NotEqual }
        select At(rule, matcher.Span, "metrics are selected by a pattern of their name", "name the metrics, joined with or");
}
