using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint.Rules;

/// <summary>One missed scrape makes a series absent; an alert on that must outlast two.</summary>
internal sealed class AbsentFor() : LintRule("alert/absent-for", Severity.Warning)
{
    internal override IEnumerable<Diagnostic> Check(RuleUnderTest rule)
    {
        var twice = new PromDuration(rule.Options.ScrapeInterval.Nanoseconds * 2);
        if (rule.Rule.IsAlert && (rule.Rule.For ?? PromDuration.Zero) < twice
            && rule.Calls.FirstOrDefault(call => call.Function.Name == "absent") is { } absent)
        {
            yield return At(rule, absent.Span, $"absent() with a \"for\" below two scrape intervals ({twice}) fires on a single missed scrape", $"set for: {new PromDuration(twice.Nanoseconds * 2)} or more");
        }
    }
}
