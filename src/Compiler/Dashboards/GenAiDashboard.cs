using static OptiInfra.Compiler.Dashboards.Panel;
using static OptiInfra.Compiler.Dashboards.Threshold;

namespace OptiInfra.Compiler.Dashboards;

/// <summary>Agents that speak the GenAI conventions: model calls, tools, runs, spend.</summary>
internal static class GenAiDashboard
{
    public static Dashboard Agents { get; } = new(
        "optiinfra-genai", "Agents / Models and tools", "What do runs cost, how fast do models answer, and where do runs get stuck?",
        new Row("Now",
            Stat("Spend per hour", "Spend on model calls at the current speed.", Unit.Dollars, "sum(rate(gen_ai_client_cost_usd_total[$__rate_interval])) * 3600"),
            Stat("Budget used", "Highest share of a budget that is spent.", Unit.Percent, "max(budget_used_usd / budget_limit_usd)", Green(), Yellow(0.8), Red(1)),
            Stat("Failed calls", "Share of model calls that failed.", Unit.Percent,
                "sum(rate(gen_ai_client_operation_duration_seconds_count{error_type!=\"\"}[$__rate_interval])) / sum(rate(gen_ai_client_operation_duration_seconds_count[$__rate_interval]))", Green(), Yellow(0.01), Red(0.05)),
            Stat("Runs stopped by a limit, 1 h", "Runs that hit a limit of steps, tokens, cost or time.", Unit.None, "sum(increase(agent_limit_hits_total[1h]))", Green(), Yellow(1), Red(10))),
        new Row("Models",
            Lines("Tokens", "Tokens per second, by kind.", Unit.PerSecond, new PanelQuery("sum by (model, type) (rate(gen_ai_client_tokens_total[$__rate_interval]))", "{{model}} {{type}}")),
            Lines("Time to first chunk, 95th percentile", "How long a person waits for the answer to begin.", Unit.Seconds,
                new PanelQuery("histogram_quantile(0.95, sum by (model, le) (rate(gen_ai_client_time_to_first_chunk_seconds_bucket[$__rate_interval])))", "{{model}}")),
            Lines("Call duration, 95th percentile", "Time within which 95 of 100 calls end.", Unit.Seconds,
                new PanelQuery("histogram_quantile(0.95, sum by (model, le) (rate(gen_ai_client_operation_duration_seconds_bucket[$__rate_interval])))", "{{model}}")),
            Lines("Spend per hour by model", "Spend on model calls.", Unit.Dollars, new PanelQuery("sum by (provider, model) (rate(gen_ai_client_cost_usd_total[$__rate_interval])) * 3600", "{{provider}} {{model}}")) with { Stacked = true }),
        new Row("Limits",
            Lines("Refused and repeated calls", "Calls refused by a limit, and calls tried again, per second.", Unit.PerSecond,
                new PanelQuery("sum by (model) (rate(gen_ai_client_rate_limited_total[$__rate_interval]))", "{{model}} refused"),
                new PanelQuery("sum by (model) (rate(gen_ai_client_retries_total[$__rate_interval]))", "{{model}} repeated")),
            Lines("Left of the providers' limits", "Share of each provider's limit that is left.", Unit.Percent, new PanelQuery("min by (provider, kind) (gen_ai_provider_ratelimit_remaining_ratio)", "{{provider}} {{kind}}")),
            Lines("Cache hits", "Share of look-ups a cache answered.", Unit.Percent,
                new PanelQuery("sum by (cache) (rate(llm_cache_requests_total{result=\"hit\"}[$__rate_interval])) / sum by (cache) (rate(llm_cache_requests_total[$__rate_interval]))", "{{cache}}"))),
        new Row("Runs and tools",
            Lines("Run duration, 95th percentile", "Time within which 95 of 100 runs end.", Unit.Seconds,
                new PanelQuery("histogram_quantile(0.95, sum by (agent, le) (rate(gen_ai_invoke_agent_duration_seconds_bucket[$__rate_interval])))", "{{agent}}")),
            Lines("Model calls per run", "Average number; a climb is a loop.", Unit.None,
                new PanelQuery("sum by (agent) (rate(gen_ai_invoke_agent_inference_calls_sum[$__rate_interval])) / sum by (agent) (rate(gen_ai_invoke_agent_inference_calls_count[$__rate_interval]))", "{{agent}}")),
            Lines("Failed tool calls", "Tool calls that failed, per second.", Unit.PerSecond,
                new PanelQuery("sum by (tool, error_type) (rate(gen_ai_execute_tool_duration_seconds_count{error_type!=\"\"}[$__rate_interval]))", "{{tool}} {{error_type}}")),
            Lines("Evaluation, median score", "Half of the evaluated answers score at least this.", Unit.Percent,
                new PanelQuery("histogram_quantile(0.5, sum by (metric, le) (rate(gen_ai_evaluation_score_bucket[$__rate_interval])))", "{{metric}}"))))
    {
        Subject = "gen_ai_client_operation_duration_seconds_count",
        Tags = ["optiinfra", "gen-ai"],
    };
}
