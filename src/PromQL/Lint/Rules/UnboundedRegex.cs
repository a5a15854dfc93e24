using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>A pattern that matches everything makes Prometheus test every value; one that begins with .* cannot use the index.</summary>
internal sealed class UnboundedRegex() : LintRule("promql/unbounded-regex", Severity.Warning)
{
    internal override IEnumerable<Diagnostic> Check(RuleUnderTest rule) =>
        from selector in rule.Selectors
        from matcher in selector.Matchers
        where matcher.Op is MatchOp.Regex or MatchOp.NotRegex
        let what = matcher.Value is ".*" ? $"{Text(matcher)} matches {(matcher.Op == MatchOp.Regex ? "every series, also those without the label" : "nothing")}"
            : matcher.Name == LabelMatcher.MetricNameLabel && matcher.Op == MatchOp.Regex && (matcher.Value.StartsWith(".*", StringComparison.Ordinal) || matcher.Value.StartsWith(".+", StringComparison.Ordinal))
                ? $"{Text(matcher)} has to look at the name of every series" : null
        where what is not null
        select At(rule, matcher.Span, what, matcher.Value is ".*" ? "leave the matcher out" : "name the metrics");

    private static string Text(LabelMatcher matcher) => $"{matcher.Name}{matcher.Op.Text()}\"{matcher.Value}\"";
}
