using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>delta() and its kin see the reset of a counter as a great fall.</summary>
internal sealed class GaugeFunctionOnCounter() : LintRule("promql/gauge-function-on-counter", Severity.Warning)
{
    internal override IEnumerable<Diagnostic> Check(RuleUnderTest rule) =>
        from call in rule.Calls
        where call.Function.Name is "delta" or "idelta" or "deriv" or "predict_linear"
        let selector = (call.Args[0].Unparenthesized() as MatrixSelector)?.Selector
        where selector is not null && rule.IsCounter(selector)
        select At(rule, call.Span, $"{call.Function.Name}() is for gauges, but {selector.MetricName} is a counter", "use increase() or rate(), which know about restarts");
}
