using static OptiInfra.Compiler.Dashboards.Panel;
using static OptiInfra.Compiler.Dashboards.Threshold;

namespace OptiInfra.Compiler.Dashboards;

/// <summary>KOSMOS: agents, model calls and infrastructure, on the recording rules of the kosmos pack.</summary>
internal static class KosmosDashboards
{
    public static Dashboard Agents { get; } = new(
        "optiinfra-kosmos-agents", "KOSMOS / Agents", "Are the agents answering, fast enough, and finishing their tasks?",
        new Row("Now",
            Stat("Request rate", "Requests per second, all agents.", Unit.RequestsPerSecond, "sum(rate(http_requests_total[$__rate_interval]))"),
            Stat("Error ratio", "Share of requests answered with a server error.", Unit.Percent,
                "sum(rate(http_requests_total{status=~\"5..\"}[$__rate_interval])) / sum(rate(http_requests_total[$__rate_interval]))", Green(), Yellow(0.01), Red(0.05)),
            Stat("Open connections", "Connections open at all agents.", Unit.None, "sum(active_connections)")),
        new Row("By agent",
            Lines("Request rate", "Requests per second.", Unit.RequestsPerSecond, PanelQuery.Unscoped("kosmos:agent:request_rate_5m", "{{agent}}")),
            Lines("Error ratio", "Share of requests answered with a server error.", Unit.Percent, PanelQuery.Unscoped("kosmos:agent:error_rate_5m", "{{agent}}")),
            Lines("Latency, 99th percentile", "Time within which 99 of 100 requests are answered.", Unit.Seconds, PanelQuery.Unscoped("kosmos:agent:latency_p99_5m", "{{agent}}")),
            Lines("Task success", "Share of tasks that succeeded.", Unit.Percent, PanelQuery.Unscoped("kosmos:agent:task_success_rate_5m", "{{agent}}"))),
        new Row("Details",
            Lines("Requests by endpoint", "Requests per second.", Unit.RequestsPerSecond, new PanelQuery("sum by (endpoint, status) (rate(http_requests_total[$__rate_interval]))", "{{endpoint}} {{status}}")),
            Lines("Tasks", "Tasks finished per hour, by kind and result.", Unit.None, new PanelQuery("sum by (task_type, status) (increase(agent_tasks_total[1h]))", "{{task_type}} {{status}}"))))
    {
        Subject = "http_requests_total",
        Tags = ["optiinfra", "kosmos"],
    };

    public static Dashboard Models { get; } = new(
        "optiinfra-kosmos-llm", "KOSMOS / Model calls", "What do model calls cost, and how long do they take?",
        new Row("Now",
            Stat("Cost per hour", "Estimated spend of the last hour.", Unit.Dollars, "sum(increase(llm_cost_dollars_total[1h]))"),
            Stat("Tokens per minute", "Tokens of all models.", Unit.None, "sum(rate(llm_tokens_total[$__rate_interval])) * 60"),
            Stat("Model calls", "Calls per second.", Unit.RequestsPerSecond, "sum(rate(llm_requests_total[$__rate_interval]))")),
        new Row("By model",
            Lines("Calls", "Calls per second.", Unit.RequestsPerSecond, PanelQuery.Unscoped("kosmos:llm:request_rate_5m", "{{provider}} {{model}}")),
            Lines("Latency", "Time of a call.", Unit.Seconds,
                PanelQuery.Unscoped("kosmos:llm:latency_p50_5m", "{{model}} p50"), PanelQuery.Unscoped("kosmos:llm:latency_p99_5m", "{{model}} p99")),
            Lines("Tokens per minute", "Tokens, by direction.", Unit.None, PanelQuery.Unscoped("kosmos:llm:tokens_per_minute", "{{model}} {{type}}")),
            Lines("Cost per hour", "Estimated spend.", Unit.Dollars, PanelQuery.Unscoped("kosmos:llm:cost_per_hour", "{{provider}} {{model}}")) with { Stacked = true }))
    {
        Subject = "llm_requests_total",
        Tags = ["optiinfra", "kosmos"],
    };

    public static Dashboard Infrastructure { get; } = new(
        "optiinfra-kosmos-infra", "KOSMOS / Infrastructure", "Are the database, the cache and the message bus well?",
        new Row("PostgreSQL",
            Lines("Connections used", "Connections over the allowed number.", Unit.Percent, PanelQuery.Unscoped("kosmos:postgres:connection_utilization", "{{instance}}")),
            Lines("Replication lag", "How far replicas are behind.", Unit.Bytes, PanelQuery.Unscoped("kosmos:postgres:replication_lag_bytes", "{{instance}}")),
            Lines("Cache hits", "Share of blocks found in memory.", Unit.Percent, PanelQuery.Unscoped("kosmos:postgres:cache_hit_ratio", "{{datname}}"))),
        new Row("Dragonfly",
            Lines("Memory used", "Memory over the allowed amount.", Unit.Percent, PanelQuery.Unscoped("kosmos:dragonfly:memory_usage_ratio", "{{instance}}")),
            Lines("Clients", "Connected clients.", Unit.None, new PanelQuery("dragonfly_connected_clients", "{{instance}}")),
            Lines("Commands", "Commands per second.", Unit.PerSecond, new PanelQuery("sum by (instance) (rate(dragonfly_commands_processed_total[$__rate_interval]))", "{{instance}}"))),
        new Row("NATS and machines",
            Lines("Messages", "Messages per second.", Unit.PerSecond, PanelQuery.Unscoped("kosmos:nats:message_rate_5m", "{{stream_name}}")),
            Lines("Slow consumers", "Consumers the server gave up on, per hour.", Unit.None, new PanelQuery("sum by (instance) (increase(gnatsd_varz_slow_consumers[1h]))", "{{instance}}")) with { Thresholds = [Green(), Red(1)] },
            Lines("CPU of machines", "Share of time a machine was busy.", Unit.Percent, PanelQuery.Unscoped("1 - avg by (instance) (rate(node_cpu_seconds_total{mode=\"idle\"}[$__rate_interval]))", "{{instance}}")),
            Lines("Memory of machines", "Share of memory in use.", Unit.Percent, PanelQuery.Unscoped("1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes", "{{instance}}"))))
    {
        Tags = ["optiinfra", "kosmos"],
    };

    public static IReadOnlyList<Dashboard> All { get; } = [Agents, Models, Infrastructure];
}
