using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>rate() must see the raw counters: a sum of counters, or a rate already taken, hides restarts.</summary>
internal sealed class RateOfRecording() : LintRule("promql/rate-of-recording", Severity.Warning)
{
    internal override IEnumerable<Diagnostic> Check(RuleUnderTest rule)
    {
        foreach (Call call in rule.Calls.Where(call => call.Function.Name is "rate" or "irate" or "increase"))
        {
            Expr range = call.Args[0].Unparenthesized();
            if (range is SubqueryExpr subquery && subquery.Inner.Unparenthesized() is Aggregation)
            {
                yield return At(rule, call.Span, $"{call.Function.Name}() of an aggregation cannot see restarts of the counters in it", "take the rate first, then aggregate: sum(rate(x[5m]))");
            }
            else if (range is MatrixSelector { Selector.MetricName: { } name } && rule.Run.Recorded.TryGetValue(name, out RuleUnderTestKey? recording)
                && recording.Rule.Expr is { } recorded && Hides(recorded))
            {
                yield return At(rule, call.Span, $"{call.Function.Name}() of {name}, which is recorded as {Short(recorded)}", "record the rate of the raw counter instead");
            }
        }
    }

    private static bool Hides(Expr recorded) => recorded.Walk().Any(node => node is Aggregation { Op: AggregateOp.Sum or AggregateOp.Avg }
        or Call { Function.Name: "rate" or "irate" or "increase" or "deriv" or "delta" });
}
