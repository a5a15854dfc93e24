using static OptiInfra.Compiler.Dashboards.Panel;
using static OptiInfra.Compiler.Dashboards.Threshold;

namespace OptiInfra.Compiler.Dashboards;

/// <summary>The operator and its sync sidecars: do they keep up, and does Prometheus take what they write?</summary>
internal static class OperatorDashboard
{
    public static Dashboard Operator { get; } = new(
        "optiinfra-operator", "OptiInfra / Operator", "Does the operator keep up, and does Prometheus take what it writes?",
        new Row("Now",
            Stat("Leader", "Exactly one instance leads.", Unit.None, "sum(leader_election_master_status)", Red(), Green(1), Red(2)),
            Stat("Failed reconciliations, 1 h", "Reconciliations that ended with an error.", Unit.None, "sum(increase(controller_runtime_reconcile_errors_total[1h]))", Green(), Yellow(1), Red(10)),
            Stat("Waiting", "Resources waiting to be looked at.", Unit.None, "sum(workqueue_depth)", Green(), Yellow(100), Red(1000)),
            Stat("Last reload", "Whether Prometheus took its last configuration.", Unit.YesNo, PrometheusReload, Red(), Green(1))),
        new Row("Work",
            Lines("Reconciliations", "Reconciliations per second, by result.", Unit.PerSecond,
                new PanelQuery("sum by (controller, result) (rate(controller_runtime_reconcile_total[$__rate_interval]))", "{{controller}} {{result}}")),
            Lines("Time of a reconciliation, 99th percentile", "Time within which 99 of 100 reconciliations end.", Unit.Seconds,
                new PanelQuery("histogram_quantile(0.99, sum by (controller, le) (rate(controller_runtime_reconcile_time_seconds_bucket[$__rate_interval])))", "{{controller}}")),
            Lines("Time in the queue, 99th percentile", "How long an edit waits.", Unit.Seconds,
                new PanelQuery("histogram_quantile(0.99, sum by (name, le) (rate(workqueue_queue_duration_seconds_bucket[$__rate_interval])))", "{{name}}"))),
        new Row("API server and process",
            Lines("Requests to the API server", "Requests per second, by code.", Unit.RequestsPerSecond,
                new PanelQuery("sum by (code, method) (rate(rest_client_requests_total[$__rate_interval]))", "{{method}} {{code}}")),
            Lines("Memory", "Memory of each instance.", Unit.Bytes, new PanelQuery("process_resident_memory_bytes{job=~\".*optiinfra.*\"}", "{{instance}}")),
            Lines("CPU", "CPU seconds used per second.", Unit.None, new PanelQuery("rate(process_cpu_seconds_total{job=~\".*optiinfra.*\"}[$__rate_interval])", "{{instance}}"))))
    {
        Subject = "controller_runtime_reconcile_total",
        Tags = ["optiinfra", "operator"],
    };

    private const string PrometheusReload = "min(prometheus_config_last_reload_successful)";
}
