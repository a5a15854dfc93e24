using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>Grouping by a label that the input cannot have does nothing, or hides a mistake.</summary>
internal sealed class AggregateUnknownLabel() : LintRule("promql/aggregate-unknown-label", Severity.Warning)
{
    internal override IEnumerable<Diagnostic> Check(RuleUnderTest rule) =>
        from aggregation in rule.Aggregations
        let inner = rule.LabelsOf(aggregation.Inner)
        from label in aggregation.Grouping
        where !inner.CanHave(label) && label != LabelMatcher.MetricNameLabel
        select At(rule, aggregation.Span, $"{aggregation.Op.Text()} {(aggregation.Without ? "without" : "by")} ({label}): {Short(aggregation.Inner)} has no label {label}");
}
