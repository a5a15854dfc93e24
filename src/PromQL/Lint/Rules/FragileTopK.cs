using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>topk() picks a different set of series at every evaluation, so an alert built on it flaps.</summary>
internal sealed class FragileTopK() : LintRule("promql/fragile-topk", Severity.Warning)
{
    internal override IEnumerable<Diagnostic> Check(RuleUnderTest rule) =>
        rule.Rule.IsAlert ? rule.Aggregations
            .Where(node => node.Op is AggregateOp.Topk or AggregateOp.Bottomk or AggregateOp.Limitk or AggregateOp.LimitRatio)
            .Select(node => At(rule, node.Span, $"{node.Op.Text()}() in an alert selects different series over time", "compare each series with a threshold, or move this to a dashboard"))
        : [];
}
