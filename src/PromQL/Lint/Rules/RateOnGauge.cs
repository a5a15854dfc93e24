using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>rate() takes every decrease for a restart, so on a gauge its result means nothing.</summary>
internal sealed class RateOnGauge() : LintRule("promql/rate-on-gauge", Severity.Warning)
{
    internal override IEnumerable<Diagnostic> Check(RuleUnderTest rule) =>
        from call in rule.Calls
        where call.Function.Name is "rate" or "irate" or "increase" or "resets"
        let selector = (call.Args[0].Unparenthesized() as MatrixSelector)?.Selector
        where selector is not null && rule.Known(selector) is { IsGauge: true }
        select At(rule, call.Span, $"{call.Function.Name}() is for counters, but {selector.MetricName} is a gauge", "use delta() or deriv() for the change of a gauge");
}
