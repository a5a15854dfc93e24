using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>Groups are evaluated independently: a rule that reads another group's recording sees its previous result.</summary>
internal sealed class RuleDependency() : LintRule("rule/dependency", Severity.Info)
{
    internal override IEnumerable<Diagnostic> Check(RuleUnderTest rule)
    {
        foreach (VectorSelector selector in rule.Selectors)
        {
            if (selector.MetricName is { } name && rule.Run.Recorded.TryGetValue(name, out RuleUnderTestKey? recording) && !ReferenceEquals(recording.Group, rule.Group))
            {
                PromDuration interval = recording.Group.Interval ?? rule.Options.EvaluationInterval;
                yield return At(rule, selector.Span, $"{name} is recorded by the group {recording.Group.Name}; what is read here can be {interval} old", "put both rules in one group, the recording first");
            }
        }
    }
}
