using static OptiInfra.Compiler.Dashboards.Panel;
using static OptiInfra.Compiler.Dashboards.Threshold;

namespace OptiInfra.Compiler.Dashboards;

/// <summary>Golden signals of planning agents: ten panels in four rows, with the thresholds their owners agreed on.</summary>
internal static class GoldenSignalsDashboard
{
    private const string Failures = "sum(rate(cugar_executions_failed_total[$__rate_interval]))";
    private const string Successes = "sum(rate(cugar_executions_successful_total[$__rate_interval]))";
    private const string Executions = "sum(rate(cugar_executions_total[$__rate_interval]))";

    public static Dashboard GoldenSignals { get; } = new(
        "optiinfra-golden", "Agents / Golden signals", "Do executions succeed, fast enough, within budget?",
        new Row("Golden signals",
            Stat("Success rate", "Share of executions that succeeded.", Unit.Percent, $"{Successes} / {Executions}", Red(), Yellow(0.8), Green(0.9)),
            Stat("Error rate", "Share of executions that failed.", Unit.Percent, $"{Failures} / {Executions}", Green(), Yellow(0.05), Red(0.1)),
            Stat("Latency, 95th percentile", "Time within which 95 of 100 executions finish.", Unit.Seconds, Quantile(0.95), Green(), Yellow(3), Red(5)),
            Stat("Total executions", "Executions in the chosen time.", Unit.None, "sum(increase(cugar_executions_total[$__range]))")),
        new Row("Trends",
            Lines("Success and error rate", "Shares of executions over time.", Unit.Percent,
                new PanelQuery($"{Successes} / {Executions}", "success"), new PanelQuery($"{Failures} / {Executions}", "error")) with { Min = 0, Max = 1 },
            Lines("Latency percentiles", "Time of executions.", Unit.Seconds,
                new PanelQuery(Quantile(0.5), "p50"), new PanelQuery(Quantile(0.95), "p95"), new PanelQuery(Quantile(0.99), "p99"))),
        new Row("Operations",
            Gauge("Budget used", "Share of the current budget spent.", Unit.Percent, 1, "max(cugar_budget_used_ratio)", Green(), Yellow(0.7), Red(0.9)),
            Stat("Approval wait, 95th percentile", "Time within which 95 of 100 approvals are decided.", Unit.Seconds,
                "histogram_quantile(0.95, sum by (le) (rate(cugar_approval_wait_seconds_bucket[$__rate_interval])))", Green(), Yellow(60), Red(300)),
            Gauge("Tool success rate", "Share of tool calls that succeeded.", Unit.Percent, 1,
                "1 - sum(rate(cugar_tool_errors_total[$__rate_interval])) / sum(rate(cugar_tool_calls_total[$__rate_interval]))", Red(), Yellow(0.9), Green(0.95))),
        new Row("Analytics",
            Bars("Domain usage", "Calls by business domain in the chosen time.", Unit.None,
                new PanelQuery("sum by (domain) (increase(cugar_domain_usage_total[$__range]))", "{{domain}}"))))
    {
        Subject = "cugar_executions_total",
        Tags = ["optiinfra", "golden-signals"],
    };

    private static string Quantile(double q) =>
        $"histogram_quantile({q.ToString(System.Globalization.CultureInfo.InvariantCulture)}, sum by (le) (rate(cugar_execution_duration_seconds_bucket[$__rate_interval])))";
}
