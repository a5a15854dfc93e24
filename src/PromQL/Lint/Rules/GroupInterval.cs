using OptiInfra.PromQL.Rules;
using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>A result is stale after five minutes; a group evaluated less often leaves gaps.</summary>
internal sealed class GroupInterval() : LintRule("group/interval", Severity.Warning)
{
    internal override IEnumerable<(RuleFile File, Diagnostic Finding)> CheckAll(LintRun run) =>
        from file in run.Files
        from rules in file.Groups
        where rules.Interval is { } interval && interval > PromDuration.FromMilliseconds(300_000)
        select (file, At(file, rules.Node.Find("interval")!, $"the interval {rules.Interval} is longer than the five minutes after which a result is stale", "use at most 5m"));
}
