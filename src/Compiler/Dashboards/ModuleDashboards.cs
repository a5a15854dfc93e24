using static OptiInfra.Compiler.Dashboards.Panel;
using static OptiInfra.Compiler.Dashboards.Threshold;

namespace OptiInfra.Compiler.Dashboards;

/// <summary>Modules follow a naming convention with their own prefix, so their dashboards are made for a prefix.</summary>
internal static class ModuleDashboards
{
    /// <summary>All modules side by side, told apart by their target label <c>module</c>; it needs no prefix.</summary>
    public static Dashboard Overview { get; } = new(
        "optiinfra-modules", "Modules / Overview", "How much do all modules do, cost and fail?",
        new Row("Now",
            Stat("Operations", "Operations per second, all modules.", Unit.PerSecond, "sum(rate({__name__=~\".+_operations_total\"}[$__rate_interval]))"),
            Stat("Cost, 24 h", "Cost of the last day, all modules.", Unit.Dollars, "sum(increase({__name__=~\".+_cost_total\"}[24h]))"),
            Stat("Modules up", "Share of module targets that answer their scrape.", Unit.Percent, "avg(up{module!=\"\"})", Red(), Yellow(0.9), Green(1))),
        new Row("By module",
            Lines("Operations", "Operations per second.", Unit.PerSecond, new PanelQuery("sum by (module) (rate({__name__=~\".+_operations_total\"}[$__rate_interval]))", "{{module}}")),
            Lines("Cost per hour", "Cost, by module.", Unit.Dollars, new PanelQuery("sum by (module) (rate({__name__=~\".+_cost_total\"}[$__rate_interval])) * 3600", "{{module}}")) with { Stacked = true },
            Lines("Errors", "Errors per second.", Unit.PerSecond, new PanelQuery("sum by (module) (rate({__name__=~\".+_errors_total\", module!=\"\"}[$__rate_interval]))", "{{module}}")),
            new Panel(PanelType.StateTimeline, "Module health", "Whether each module answered its scrapes.", Unit.YesNo, new PanelQuery("up{module!=\"\"}", "{{module}}")) { Thresholds = [Red(), Green(1)] }),
        new Row("Security and models",
            Lines("Rejected validations", "Security validations that rejected their input, per second.", Unit.PerSecond,
                new PanelQuery("sum by (module) (rate({__name__=~\".+_security_validation_total\", result=\"rejected\"}[$__rate_interval]))", "{{module}}")),
            Lines("Tokens", "Tokens used per second.", Unit.PerSecond, new PanelQuery("sum by (module, type) (rate({__name__=~\".+_tokens_total\", module!=\"\"}[$__rate_interval]))", "{{module}} {{type}}"))))
    {
        Tags = ["optiinfra", "modules"],
    };

    /// <summary>Operations, cost, cache and limits of one module.</summary>
    public static Dashboard Operations(string prefix, string title) => new(
        Uid(prefix), $"Modules / {title}", $"How much does {title} do, how fast, at what cost?",
        new Row("Work",
            Lines("Operations", "Operations per second, by kind.", Unit.PerSecond, new PanelQuery($"sum by (operation) (rate({prefix}_operations_total[$__rate_interval]))", "{{operation}}")),
            Lines("Duration, 95th percentile", "Time within which 95 of 100 operations finish.", Unit.Seconds,
                new PanelQuery($"histogram_quantile(0.95, sum by (operation, le) (rate({prefix}_operation_duration_seconds_bucket[$__rate_interval])))", "{{operation}}")),
            Lines("Errors", "Errors per second, by type.", Unit.PerSecond, new PanelQuery($"sum by (error_type) (rate({prefix}_errors_total[$__rate_interval]))", "{{error_type}}"))),
        new Row("Cost",
            Lines("Tokens", "Tokens used per second.", Unit.PerSecond, new PanelQuery($"sum by (provider, type) (rate({prefix}_tokens_total[$__rate_interval]))", "{{provider}} {{type}}")),
            Lines("Cost per hour", "Cost, by provider.", Unit.Dollars, new PanelQuery($"sum by (provider) (rate({prefix}_cost_total[$__rate_interval])) * 3600", "{{provider}}")),
            Gauge("Cache hits", "Share of look-ups the cache answered.", Unit.Percent, 1,
                $"sum(rate({prefix}_cache_hits_total[$__rate_interval])) / (sum(rate({prefix}_cache_hits_total[$__rate_interval])) + sum(rate({prefix}_cache_misses_total[$__rate_interval])))", Red(), Yellow(0.4), Green(0.7))),
        new Row("Safety",
            Lines("Security validations", "Validations per second, by result.", Unit.PerSecond, new PanelQuery($"sum by (result) (rate({prefix}_security_validation_total[$__rate_interval]))", "{{result}}")),
            Lines("Rate limit hits", "Requests refused by a rate limit, per second.", Unit.PerSecond, new PanelQuery($"sum(rate({prefix}_rate_limit_hits_total[$__rate_interval]))", "refused"))))
    {
        Subject = $"{prefix}_operations_total",
        Tags = ["optiinfra", "modules"],
    };

    /// <summary>Validations, injections and limits of a security module.</summary>
    public static Dashboard Security(string prefix, string title) => new(
        Uid(prefix), $"Modules / {title}", $"What does {title} let pass, and what does it stop?",
        new Row("Now",
            Stat("Validation success", "Share of validations that passed.", Unit.Percent,
                $"sum(rate({prefix}_security_validation_total{{result=\"passed\"}}[$__rate_interval])) / sum(rate({prefix}_security_validation_total[$__rate_interval]))", Red(), Yellow(0.9), Green(0.98)),
            Stat("Injections, 24 h", "Prompt injections detected in the last day.", Unit.None, $"sum(increase({prefix}_injections_detected_total[24h]))", Green(), Yellow(1), Red(10)),
            Stat("Rate limit hits, 24 h", "Requests refused in the last day.", Unit.None, $"sum(increase({prefix}_rate_limit_hits_total[24h]))")),
        new Row("Timeline",
            Lines("Validations", "Validations per second, by result.", Unit.PerSecond, new PanelQuery($"sum by (result) (rate({prefix}_security_validation_total[$__rate_interval]))", "{{result}}")),
            Lines("Security events", "Events per hour.", Unit.None,
                new PanelQuery($"sum(increase({prefix}_injections_detected_total[1h]))", "injections"),
                new PanelQuery($"sum(increase({prefix}_rate_limit_hits_total[1h]))", "rate limit"))))
    {
        Subject = $"{prefix}_security_validation_total",
        Tags = ["optiinfra", "modules"],
    };

    /// <summary>Requests, tokens and cost of a module that calls model providers.</summary>
    public static Dashboard Provider(string prefix, string title) => new(
        Uid(prefix), $"Modules / {title}", "What do the model providers answer, how fast, at what cost?",
        new Row("Requests",
            Lines("Requests", "Requests per second, by provider.", Unit.RequestsPerSecond, new PanelQuery($"sum by (provider) (rate({prefix}_requests_total[$__rate_interval]))", "{{provider}}")),
            Lines("Duration, 95th percentile", "Time within which 95 of 100 requests are answered.", Unit.Seconds,
                new PanelQuery($"histogram_quantile(0.95, sum by (provider, le) (rate({prefix}_request_duration_seconds_bucket[$__rate_interval])))", "{{provider}}")),
            Stat("Error ratio", "Errors for each request.", Unit.Percent,
                $"sum(rate({prefix}_errors_total[$__rate_interval])) / sum(rate({prefix}_requests_total[$__rate_interval]))", Green(), Yellow(0.01), Red(0.05))),
        new Row("Usage",
            Lines("Tokens", "Tokens used per second.", Unit.PerSecond, new PanelQuery($"sum by (provider, type) (rate({prefix}_tokens_total[$__rate_interval]))", "{{provider}} {{type}}")),
            Lines("Cost per hour", "Cost, by provider.", Unit.Dollars, new PanelQuery($"sum by (provider) (rate({prefix}_cost_total[$__rate_interval])) * 3600", "{{provider}}")) with { Stacked = true },
            Bars("Providers", "Requests of the chosen time, by provider.", Unit.None, new PanelQuery($"sum by (provider) (increase({prefix}_requests_total[$__range]))", "{{provider}}"))))
    {
        Subject = $"{prefix}_requests_total",
        Tags = ["optiinfra", "modules"],
    };

    private static string Uid(string prefix)
    {
        string uid = $"optiinfra-module-{prefix.Replace('_', '-')}";
        return uid.Length <= 40 ? uid : uid[..40];
    }
}
