using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>level:metric:operations tells the reader what a recorded series is an aggregate of.</summary>
internal sealed class RecordingName() : LintRule("rule/recording-name", Severity.Info)
{
    internal override IEnumerable<Diagnostic> Check(RuleUnderTest rule)
    {
        if (rule.Rule.Record is { Length: > 0 } name && !name.Contains(':', StringComparison.Ordinal))
        {
            yield return OnRule(rule, $"the recorded metric {name} cannot be told from a scraped one", "name it level:metric:operations, for example job:http_requests:rate5m");
        }
    }
}
