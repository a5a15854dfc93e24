using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using OptiInfra.Metrics.Agents;

namespace OptiInfra.Metrics.AspNetCore;

/// <summary>
/// Pages about the running service, as JSON: <c>/health</c> with the golden signals, <c>/dashboard</c> with every family and its
/// series, <c>/</c> with the list of pages. All read the one registry, so what they show is what is scraped.
/// </summary>
internal static class StatusPages
{
    /// <summary>Series shown for each family; the scrape has them all.</summary>
    private const int ShownSeries = 20;

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/health", (RequestDelegate)HealthAsync).WithDisplayName("Health and golden signals");
        endpoints.MapGet("/dashboard", (RequestDelegate)DashboardAsync).WithDisplayName("Summary of all metrics");

        // The lowest order of all: an application's own page wins.
        endpoints.MapGet("/", (RequestDelegate)IndexAsync).WithDisplayName("List of pages").WithOrder(int.MaxValue);
    }

    private static async Task HealthAsync(HttpContext context)
    {
        bool healthy = await IsHealthyAsync(context);
        context.Response.StatusCode = healthy ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        await WriteAsync(context, json =>
        {
            json.WriteString("status", healthy ? "healthy" : "unhealthy");
            WriteService(json, context);
            json.WriteStartObject("metrics");
            GoldenSummary signals = Signals(context.RequestServices);
            json.WriteNumber("total_executions", signals.TotalExecutions);
            json.WriteNumber("success_rate", signals.SuccessRate);
            json.WriteNumber("error_rate", signals.ErrorRate);
            json.WriteNumber("latency_p95_ms", signals.LatencyP95Seconds * 1000);
            json.WriteEndObject();
        });
    }

    private static Task DashboardAsync(HttpContext context)
    {
        MetricRegistry registry = context.RequestServices.GetRequiredService<MetricRegistry>();
        registry.Collect();
        return WriteAsync(context, json =>
        {
            WriteService(json, context);
            GoldenSummary signals = Signals(context.RequestServices);
            json.WriteStartObject("golden_signals");
            json.WriteNumber("total_executions", signals.TotalExecutions);
            json.WriteNumber("success_rate", signals.SuccessRate);
            json.WriteNumber("error_rate", signals.ErrorRate);
            json.WriteStartObject("latency_ms");
            json.WriteNumber("p50", signals.LatencyP50Seconds * 1000);
            json.WriteNumber("p95", signals.LatencyP95Seconds * 1000);
            json.WriteNumber("p99", signals.LatencyP99Seconds * 1000);
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteStartArray("metrics");
            foreach (MetricFamily family in registry.Families)
            {
                WriteFamily(json, family);
            }

            json.WriteEndArray();
        });
    }

    private static Task IndexAsync(HttpContext context) => WriteAsync(context, json =>
    {
        WriteService(json, context);
        json.WriteStartObject("pages");
        json.WriteString("/metrics", "Metrics for Prometheus");
        json.WriteString("/health", "Health and golden signals");
        json.WriteString("/dashboard", "Summary of all metrics");
        json.WriteString("/docs", "The service's API");
        json.WriteEndObject();
    });

    /// <summary>Healthy unless a health check of the application says otherwise.</summary>
    private static async Task<bool> IsHealthyAsync(HttpContext context) =>
        context.RequestServices.GetService<HealthCheckService>() is not { } checks
        || (await checks.CheckHealthAsync(context.RequestAborted)).Status != HealthStatus.Unhealthy;

    /// <summary>The golden signals of the agent; a service without that set shows those of its requests.</summary>
    private static GoldenSummary Signals(IServiceProvider services)
    {
        if (services.GetService<GoldenSignals>() is { } golden)
        {
            return golden.Summarize();
        }

        if (services.GetService<BaseMetrics>() is not { } known)
        {
            return new GoldenSummary(0, 0, 0, 0, 0, 0);
        }

        double total = 0;
        double failed = 0;
        foreach (CounterSeries series in known.Requests.AllSeries())
        {
            total += series.Value;
            failed += series.LabelValues[1].StartsWith('5') ? series.Value : 0;
        }

        Histogram duration = known.RequestDuration;
        return new GoldenSummary((long)total, total > 0 ? 1 - (failed / total) : 0, total > 0 ? failed / total : 0, duration.Quantile(0.5), duration.Quantile(0.95), duration.Quantile(0.99));
    }

    private static void WriteService(Utf8JsonWriter json, HttpContext context)
    {
        OptiMetricsOptions options = context.RequestServices.GetRequiredService<OptiMetricsOptions>();
        json.WriteString("service", options.Service);
        json.WriteString("version", options.Version);
    }

    private static void WriteFamily(Utf8JsonWriter json, MetricFamily family)
    {
        json.WriteStartObject();
        json.WriteString("name", family.Name);
        json.WriteString("type", family.Type.ToString().ToLowerInvariant());
        json.WriteString("help", family.Help);
        json.WriteNumber("series", family.SeriesCount);
        json.WriteStartArray("values");
        int shown = 0;
        foreach (Series? series in family.Snapshot())
        {
            if (series is not null && shown++ < ShownSeries)
            {
                WriteSeries(json, family, series);
            }
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteSeries(Utf8JsonWriter json, MetricFamily family, Series series)
    {
        json.WriteStartObject();
        json.WriteStartObject("labels");
        foreach ((string name, string value) in family.LabelPairs(series))
        {
            json.WriteString(name, value);
        }

        json.WriteEndObject();
        switch (series)
        {
            case CounterSeries counter:
                json.WriteNumber("value", counter.Value);
                break;
            case GaugeSeries gauge when double.IsFinite(gauge.Value):
                json.WriteNumber("value", gauge.Value);
                break;
            case HistogramSeries histogram:
                json.WriteNumber("count", histogram.Count);
                json.WriteNumber("sum", histogram.Sum);
                break;
            case SummarySeries summary:
                (long count, double sum, _) = summary.Read([]);
                json.WriteNumber("count", count);
                json.WriteNumber("sum", sum);
                break;
            case StateSetSeries states:
                json.WriteStartArray("states");
                foreach (string state in ((StateSet)family).States.Where(states.IsOn))
                {
                    json.WriteStringValue(state);
                }

                json.WriteEndArray();
                break;
            default:
                break;
        }

        json.WriteEndObject();
    }

    internal static async Task WriteAsync(HttpContext context, Action<Utf8JsonWriter> write)
    {
        context.Response.ContentType = "application/json; charset=utf-8";
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter);
        json.WriteStartObject();
        write(json);
        json.WriteEndObject();
        await json.FlushAsync(context.RequestAborted);
    }
}
