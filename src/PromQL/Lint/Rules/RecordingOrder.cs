using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>Rules of a group are evaluated in order: one that reads a recording made further down sees the last evaluation's.</summary>
internal sealed class RecordingOrder() : LintRule("rule/recording-order", Severity.Warning)
{
    internal override IEnumerable<Diagnostic> Check(RuleUnderTest rule)
    {
        foreach (VectorSelector selector in rule.Selectors)
        {
            if (selector.MetricName is { } name && rule.Run.Recorded.TryGetValue(name, out RuleUnderTestKey? recording) && ReferenceEquals(recording.Group, rule.Group)
                && recording.Rule.Node.Start.Line > rule.Rule.Node.Start.Line)
            {
                yield return At(rule, selector.Span, $"{name} is recorded further down in this group (line {recording.Rule.NameNode.Start.Line})", "move the recording before its use");
            }
        }
    }
}
