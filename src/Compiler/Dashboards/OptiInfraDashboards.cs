using static OptiInfra.Compiler.Dashboards.Panel;
using static OptiInfra.Compiler.Dashboards.Threshold;

namespace OptiInfra.Compiler.Dashboards;

/// <summary>The seven dashboards of the OptiInfra dialect: the system, its four agents, its infrastructure, its alerts.</summary>
internal static class OptiInfraDashboards
{
    public static Dashboard SystemOverview { get; } = new(
        "optiinfra-overview", "OptiInfra / System overview", "Is the whole fleet well, what does it save, and where is it slow or failing?",
        new Row("Now",
            Stat("Cost savings, 24 h", "Savings realised in the last day.", Unit.Dollars, "sum(increase(cost_savings_total[24h]))"),
            Stat("Active optimizations", "Optimizations in progress.", Unit.None, "sum(active_optimizations)"),
            Stat("Services up", "Share of targets that answer their scrape.", Unit.Percent, "avg(up)", Red(), Yellow(0.9), Green(1)),
            Stat("Requests", "Requests handled per second, all services.", Unit.RequestsPerSecond, "sum(rate(requests_total[$__rate_interval]))"),
            Stat("Error ratio", "Errors for each request handled.", Unit.Percent,
                "sum(rate(errors_total[$__rate_interval])) / sum(rate(requests_total[$__rate_interval]))", Green(), Yellow(0.01), Red(0.05))),
        new Row("Health",
            new Panel(PanelType.StateTimeline, "Service health", "Whether each target answered its scrapes.", Unit.YesNo, new PanelQuery("up", "{{job}} {{instance}}"))
            {
                Thresholds = [Red(), Green(1)],
            },
            new Panel(PanelType.StateTimeline, "Agent health", "What the orchestrator's own checks say of each agent.", Unit.YesNo, new PanelQuery("agent_health_status", "{{agent}}"))
            {
                Thresholds = [Red(), Green(1)],
            }),
        new Row("Trends",
            Lines("Request rate by service", "Requests handled per second.", Unit.RequestsPerSecond,
                new PanelQuery("sum by (job) (rate(requests_total[$__rate_interval]))", "{{job}}")),
            Lines("Error ratio by service", "Errors for each request handled.", Unit.Percent,
                new PanelQuery("sum by (job) (rate(errors_total[$__rate_interval])) / sum by (job) (rate(requests_total[$__rate_interval]))", "{{job}}")),
            Lines("Latency by service, 95th percentile", "Time within which 95 of 100 requests are answered.", Unit.Seconds,
                new PanelQuery("histogram_quantile(0.95, sum by (job, le) (rate(request_duration_seconds_bucket[$__rate_interval])))", "{{job}}"))),
        new Row("Orchestration",
            Lines("Requests to agents", "What the orchestrator asked of each agent, by result.", Unit.RequestsPerSecond,
                new PanelQuery("sum by (agent, status) (rate(agent_requests_total[$__rate_interval]))", "{{agent}} {{status}}")),
            Lines("Conflicts between recommendations", "Recommendations that excluded each other, per hour.", Unit.None,
                new PanelQuery("sum(increase(coordination_conflicts_total[1h]))", "conflicts")),
            Lines("Approval time, 95th percentile", "Time within which 95 of 100 approvals are decided.", Unit.Seconds,
                new PanelQuery("histogram_quantile(0.95, sum by (le) (rate(approval_workflow_duration_seconds_bucket[$__rate_interval])))", "approval"))),
        new Row("Models",
            Lines("Tokens", "Tokens used per second.", Unit.PerSecond, new PanelQuery("sum by (provider, type) (rate(llm_token_usage_total[$__rate_interval]))", "{{provider}} {{type}}")),
            Lines("Spend per hour", "Estimated spend on model calls.", Unit.Dollars, new PanelQuery("sum by (provider, model) (rate(llm_cost_dollars_total[$__rate_interval])) * 3600", "{{provider}} {{model}}"))));

    public static Dashboard CostAgent { get; } = new(
        "optiinfra-cost", "OptiInfra / Cost agent", "What is saved, by whom, and which recommendations are made?",
        new Row("Now",
            Stat("Savings, 24 h", "Savings realised in the last day.", Unit.Dollars, "sum(increase(cost_savings_total[24h]))"),
            Stat("Savings per hour", "Current speed of saving.", Unit.Dollars, "sum(rate(cost_savings_total[$__rate_interval])) * 3600"),
            Gauge("Spot migration success", "Share of the last migrations that succeeded.", Unit.Percent, 1, "avg(spot_migration_success_rate)", Red(), Yellow(0.8), Green(0.95)),
            Gauge("Reserved instance coverage", "Share of eligible usage covered.", Unit.Percent, 1, "avg(reserved_instance_coverage)", Red(), Yellow(0.5), Green(0.7))),
        new Row("Savings",
            Lines("Savings by provider", "Savings realised per hour.", Unit.Dollars,
                new PanelQuery("sum by (provider) (increase(cost_savings_by_provider_total[1h]))", "{{provider}}")),
            Lines("Spot migrations", "Migrations per hour, by outcome.", Unit.None,
                new PanelQuery("sum by (outcome) (increase(spot_migrations_total[1h]))", "{{outcome}}"))),
        new Row("Opportunities",
            Bars("Recommendations, 24 h", "Recommendations of the last day, by kind; right_sizing are instances larger than their use.", Unit.None,
                new PanelQuery("sum by (type) (increase(cost_recommendations_total[24h]))", "{{type}}")),
            Lines("Confidence, median", "Half of the recommendations are at least this certain.", Unit.Percent,
                new PanelQuery("histogram_quantile(0.5, sum by (le) (rate(recommendation_confidence_bucket[$__rate_interval])))", "median"))))
    {
        Subject = "cost_savings_total",
    };

    public static Dashboard PerformanceAgent { get; } = new(
        "optiinfra-performance", "OptiInfra / Performance agent", "How much faster do optimized models answer?",
        new Row("Now",
            Stat("Latency improvement", "Latency before tuning over latency after it; above one is faster.", Unit.None, "avg(latency_improvement_ratio)", Red(), Yellow(1), Green(1.1)),
            Stat("Throughput", "Queries answered per second.", Unit.RequestsPerSecond, "sum(throughput_qps)"),
            Gauge("KV cache hits", "Share of prompt tokens found in the cache.", Unit.Percent, 1, "avg(kv_cache_hit_rate)", Red(), Yellow(0.4), Green(0.7)),
            Stat("Quantization speed-up", "Speed of the quantized model relative to the original.", Unit.None, "avg(quantization_speedup)", Red(), Yellow(1), Green(1.5))),
        new Row("Trends",
            Lines("Latency improvement", "Before over after, by service.", Unit.None, new PanelQuery("latency_improvement_ratio", "{{job}}")),
            Lines("Throughput", "Queries answered per second.", Unit.RequestsPerSecond, new PanelQuery("throughput_qps", "{{job}}")),
            Lines("KV cache hits from counters", "Hits over all look-ups.", Unit.Percent,
                new PanelQuery("sum(rate(kv_cache_hits_total[$__rate_interval])) / sum(rate(kv_cache_queries_total[$__rate_interval]))", "hits"))),
        new Row("Optimizations",
            Lines("Optimizations", "Optimizations per hour, by kind and outcome.", Unit.None,
                new PanelQuery("sum by (type, outcome) (increase(optimization_executions_total[1h]))", "{{type}} {{outcome}}")),
            Lines("Latency of the agent, 95th percentile", "Time within which 95 of 100 requests are answered.", Unit.Seconds,
                new PanelQuery("histogram_quantile(0.95, sum by (endpoint, le) (rate(request_duration_seconds_bucket[$__rate_interval])))", "{{endpoint}}"))))
    {
        Subject = "throughput_qps",
    };

    public static Dashboard ResourceAgent { get; } = new(
        "optiinfra-resource", "OptiInfra / Resource agent", "Are GPUs and memory used well, and what was scaled?",
        new Row("Now",
            Gauge("GPU utilization", "Average share of time the GPUs were busy.", Unit.Percent, 1, "avg(gpu_utilization)", Green(), Yellow(0.8), Red(0.95)),
            Gauge("Memory utilization", "Highest share of the memory limit in use.", Unit.Percent, 1, "max(memory_utilization)", Green(), Yellow(0.8), Red(0.9)),
            Stat("Consolidation ratio", "Workloads per node after consolidation over before.", Unit.None, "avg(resource_consolidation_ratio)"),
            Stat("Cost per hour", "Current cost of the resources watched.", Unit.Dollars, "sum(resource_cost_usd_per_hour)")),
        new Row("GPUs",
            Lines("GPU utilization by GPU", "Share of time each GPU was busy.", Unit.Percent, new PanelQuery("avg by (gpu_id) (gpu_utilization)", "GPU {{gpu_id}}")) with { Min = 0, Max = 1 },
            Lines("GPU memory", "Memory in use of each GPU.", Unit.Bytes, new PanelQuery("gpu_memory_used_bytes", "GPU {{gpu_id}}")),
            Lines("GPU temperature", "Temperature of each GPU.", Unit.Celsius, new PanelQuery("gpu_temperature_celsius", "GPU {{gpu_id}}")),
            Lines("GPU power", "Power drawn by each GPU.", Unit.Watts, new PanelQuery("gpu_power_watts", "GPU {{gpu_id}}"))),
        new Row("Scaling and processes",
            Lines("Scaling events", "Scaling actions per hour.", Unit.None, new PanelQuery("sum by (direction) (increase(scaling_events_total[1h]))", "{{direction}}")),
            Lines("CPU", "CPU seconds used per second.", Unit.None, new PanelQuery("sum by (job) (rate(process_cpu_seconds_total[$__rate_interval]))", "{{job}}")),
            Lines("Memory", "Memory of each service.", Unit.Bytes, new PanelQuery("sum by (job) (process_resident_memory_bytes)", "{{job}}")),
            Lines("Resource costs", "Cost per hour, by resource class.", Unit.Dollars, new PanelQuery("sum by (resource) (resource_cost_usd_per_hour)", "{{resource}}")) with { Stacked = true }))
    {
        Subject = "scaling_events_total",
    };

    public static Dashboard ApplicationAgent { get; } = new(
        "optiinfra-application", "OptiInfra / Application agent", "Is the quality of answers holding, and what was rolled back?",
        new Row("Now",
            Gauge("Quality", "Lowest of the last quality scores.", Unit.Percent, 1, "min(quality_score)", Red(), Yellow(0.9), Green(0.95)),
            Stat("Regressions, 24 h", "Quality regressions detected in the last day.", Unit.None, "sum(increase(regression_detections_total[24h]))", Green(), Yellow(1), Red(5)),
            Stat("Rollbacks, 24 h", "Deployments rolled back in the last day.", Unit.None, "sum(increase(auto_rollbacks_total[24h]))", Green(), Yellow(1), Red(3))),
        new Row("Quality",
            Lines("Quality scores", "Last evaluated score, by kind.", Unit.Percent, new PanelQuery("avg by (metric_type) (quality_score)", "{{metric_type}}")) with { Min = 0, Max = 1 },
            Lines("Regressions and rollbacks", "Events per hour.", Unit.None,
                new PanelQuery("sum(increase(regression_detections_total[1h]))", "regressions"),
                new PanelQuery("sum(increase(auto_rollbacks_total[1h]))", "rollbacks"))),
        new Row("Experiments",
            Bars("A/B tests", "Last result of each variant, by metric.", Unit.None, new PanelQuery("avg by (variant, metric) (ab_test_results)", "{{variant}} {{metric}}"))))
    {
        Subject = "quality_score",
    };

    public static Dashboard Infrastructure { get; } = new(
        "optiinfra-infra", "OptiInfra / Infrastructure", "Are the databases and the machines under the agents well?",
        new Row("PostgreSQL",
            Stat("PostgreSQL", "Whether the exporter reaches the database.", Unit.YesNo, "min(pg_up)", Red(), Green(1)),
            Gauge("Connections", "Connections over the allowed number.", Unit.Percent, 1,
                "sum by (instance) (pg_stat_activity_count) / on (instance) max by (instance) (pg_settings_max_connections)", Green(), Yellow(0.7), Red(0.9)),
            Lines("Connections by state", "Backends of each state.", Unit.None, new PanelQuery("sum by (state) (pg_stat_activity_count)", "{{state}}")),
            Lines("Cache hits", "Share of blocks found in memory.", Unit.Percent,
                new PanelQuery("sum by (datname) (rate(pg_stat_database_blks_hit[$__rate_interval])) / (sum by (datname) (rate(pg_stat_database_blks_hit[$__rate_interval])) + sum by (datname) (rate(pg_stat_database_blks_read[$__rate_interval])))", "{{datname}}"))),
        new Row("ClickHouse",
            Lines("Queries", "Queries started per second.", Unit.PerSecond, new PanelQuery("sum by (job) (rate(ClickHouseProfileEvents_Query[$__rate_interval]))", "{{job}}")),
            Lines("Failed queries", "Queries that failed, per second.", Unit.PerSecond, new PanelQuery("sum by (job) (rate(ClickHouseProfileEvents_FailedQuery[$__rate_interval]))", "{{job}}")),
            Lines("Time per query", "Average time of a query.", Unit.Seconds,
                new PanelQuery("sum by (job) (rate(ClickHouseProfileEvents_QueryTimeMicroseconds[$__rate_interval])) / sum by (job) (rate(ClickHouseProfileEvents_Query[$__rate_interval])) / 1e6", "{{job}}"))),
        new Row("Redis",
            Stat("Redis", "Whether the exporter reaches the server.", Unit.YesNo, "min(redis_up)", Red(), Green(1)),
            Lines("Memory", "Memory used by each server.", Unit.Bytes, new PanelQuery("redis_memory_used_bytes", "{{instance}}")),
            Lines("Keys", "Keys of each database.", Unit.None, new PanelQuery("sum by (db) (redis_db_keys)", "{{db}}")),
            Lines("Commands", "Commands processed per second.", Unit.PerSecond, new PanelQuery("sum by (instance) (rate(redis_commands_processed_total[$__rate_interval]))", "{{instance}}"))),
        new Row("Containers and machines",
            Lines("CPU of containers", "CPU seconds used per second.", Unit.None, PanelQuery.Unscoped("sum by (namespace, pod) (rate(container_cpu_usage_seconds_total{container!=\"\"}[$__rate_interval]))", "{{namespace}}/{{pod}}")),
            Lines("Memory of containers", "Working set of each pod.", Unit.Bytes, PanelQuery.Unscoped("sum by (namespace, pod) (container_memory_working_set_bytes{container!=\"\"})", "{{namespace}}/{{pod}}")),
            Lines("CPU of machines", "Share of time a machine was busy.", Unit.Percent, PanelQuery.Unscoped("1 - avg by (instance) (rate(node_cpu_seconds_total{mode=\"idle\"}[$__rate_interval]))", "{{instance}}")),
            Lines("Free disk", "Share of the root file system that is free.", Unit.Percent,
                PanelQuery.Unscoped("node_filesystem_avail_bytes{mountpoint=\"/\"} / node_filesystem_size_bytes{mountpoint=\"/\"}", "{{instance}}"))));

    public static Dashboard Alerts { get; } = new(
        "optiinfra-alerts", "OptiInfra / Alerts", "What is firing, what fired, and what fires most often?",
        new Row("Now",
            Stat("Firing", "Alerts firing.", Unit.None, "count(ALERTS{alertstate=\"firing\"}) or vector(0)", Green(), Red(1)),
            Stat("Pending", "Alerts waiting for their time to pass.", Unit.None, "count(ALERTS{alertstate=\"pending\"}) or vector(0)", Green(), Yellow(1)),
            Stat("Critical", "Critical alerts firing.", Unit.None, "count(ALERTS{alertstate=\"firing\", severity=\"critical\"}) or vector(0)", Green(), Red(1))),
        new Row("Active alerts",
            new Panel(PanelType.AlertList, "Active alerts", "Alerts of this Prometheus, worst first.", Unit.None),
            new Panel(PanelType.Table, "Active alerts by resource", "Firing and pending alerts with their labels.", Unit.None, PanelQuery.Unscoped("ALERTS"))),
        new Row("History",
            Lines("Alerts over time", "Alerts firing, by severity.", Unit.None, PanelQuery.Unscoped("sum by (severity) (ALERTS{alertstate=\"firing\"})", "{{severity}}")) with { Stacked = true },
            Bars("Most frequent, 24 h", "Time spent firing in the last day, by alert.", Unit.Seconds,
                PanelQuery.Unscoped("topk(10, sum by (alertname) (sum_over_time(ALERTS{alertstate=\"firing\"}[24h])))", "{{alertname}}"))))
    {
        Subject = "ALERTS",
        From = "now-24h",
    };

    public static IReadOnlyList<Dashboard> All { get; } =
    [
        SystemOverview, CostAgent, PerformanceAgent, ResourceAgent, ApplicationAgent, Infrastructure, Alerts,
    ];
}
