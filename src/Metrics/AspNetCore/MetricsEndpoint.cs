using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OptiInfra.Metrics.Exposition;

namespace OptiInfra.Metrics.AspNetCore;

/// <summary>The scrape endpoint.</summary>
public static class MetricsEndpoint
{
    /// <summary>Serves a registry's metrics on a path.</summary>
    public static IEndpointConventionBuilder MapMetrics(this IEndpointRouteBuilder endpoints, MetricRegistry registry, string pattern = "/metrics") =>
        endpoints.MapGet(pattern, context => ServeAsync(context, registry));

    private static async Task ServeAsync(HttpContext context, MetricRegistry registry)
    {
        ExpositionFormat format = ExpositionFormat.Text;
        context.Response.ContentType = format.ContentType;
        registry.Write(context.Response.BodyWriter, format);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }
}
