using System.Globalization;
using System.IO.Compression;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using OptiInfra.Metrics.Exposition;

namespace OptiInfra.Metrics.AspNetCore;

/// <summary>The scrape endpoint: access control, negotiation, one body, compression.</summary>
public static class MetricsEndpoint
{
    private static readonly string[] Methods = ["GET", "HEAD"];

    /// <summary>Serves the registry of the application's services on <c>/metrics</c>.</summary>
    public static IEndpointConventionBuilder MapMetrics(this IEndpointRouteBuilder endpoints, string pattern = "/metrics", MetricsEndpointOptions? options = null) =>
        endpoints.MapMetrics(
            endpoints.ServiceProvider.GetService<MetricRegistry>() ?? throw new InvalidOperationException("no MetricRegistry among the services: call AddOptiMetrics, or pass a registry to MapMetrics"),
            pattern,
            options ?? endpoints.ServiceProvider.GetService<OptiMetricsOptions>()?.Endpoint);

    /// <summary>Serves a registry on a path.</summary>
    public static IEndpointConventionBuilder MapMetrics(this IEndpointRouteBuilder endpoints, MetricRegistry registry, string pattern = "/metrics", MetricsEndpointOptions? options = null)
    {
        options ??= new MetricsEndpointOptions();
        var gate = new MetricsGate(options, registry.Options.Time);
        return endpoints.MapMethods(pattern, Methods, context => ServeAsync(context, registry, options, gate))
            .WithDisplayName($"metrics {pattern}");
    }

    private static async Task ServeAsync(HttpContext context, MetricRegistry registry, MetricsEndpointOptions options, MetricsGate gate)
    {
        context.Response.Headers.CacheControl = "no-store";
        if (gate.Refuse(context) is { } refusal)
        {
            await RefuseAsync(context, refusal);
            return;
        }

        string? accept = context.Request.Query.TryGetValue("accept", out var wanted) ? wanted.ToString() : context.Request.Headers.Accept.ToString();
        ExpositionFormat format = ContentNegotiation.Choose(accept);
        using SharedBody body = await registry.Scraper.ScrapeAsync(format, Names(context.Request), Patience(context.Request, options), context.RequestAborted);
        context.Response.ContentType = format.ContentType;
        context.Response.Headers.Vary = "Accept, Accept-Encoding";
        if (HttpMethods.IsHead(context.Request.Method))
        {
            return;
        }

        await SendAsync(context, body.Buffer, options.Compression && ContentNegotiation.AcceptsGzip(context.Request.Headers.AcceptEncoding));
    }

    private static async Task SendAsync(HttpContext context, SegmentedBuffer body, bool compress)
    {
        if (!compress)
        {
            context.Response.ContentLength = body.Length;
            foreach (ReadOnlyMemory<byte> segment in body.Segments())
            {
                await context.Response.Body.WriteAsync(segment, context.RequestAborted);
            }

            return;
        }

        context.Response.Headers.ContentEncoding = "gzip";
        await using var gzip = new GZipStream(context.Response.Body, CompressionLevel.Fastest, leaveOpen: true);
        foreach (ReadOnlyMemory<byte> segment in body.Segments())
        {
            await gzip.WriteAsync(segment, context.RequestAborted);
        }
    }

    private static async Task RefuseAsync(HttpContext context, MetricsRefusal refusal)
    {
        context.Response.StatusCode = refusal.Status;
        if (refusal.Status == (int)HttpStatusCode.Unauthorized)
        {
            context.Response.Headers.WWWAuthenticate = refusal.Challenge;
        }

        if (refusal.RetryAfter is { } retryAfter)
        {
            context.Response.Headers.RetryAfter = Math.Ceiling(retryAfter.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        }

        context.Response.ContentType = "text/plain; charset=utf-8";
        await context.Response.WriteAsync(refusal.Message + "\n", context.RequestAborted);
    }

    private static HashSet<string>? Names(HttpRequest request) =>
        request.Query.TryGetValue("name[]", out var names) ? [.. names.OfType<string>()] : null;

    /// <summary>Prometheus says how long it will wait; a little of that is kept for writing and sending.</summary>
    private static TimeSpan Patience(HttpRequest request, MetricsEndpointOptions options)
    {
        string header = request.Headers["X-Prometheus-Scrape-Timeout-Seconds"].ToString();
        return double.TryParse(header, NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds) && seconds is > 0 and < 3600
            ? TimeSpan.FromSeconds(Math.Min(seconds * 0.8, options.CollectTimeout.TotalSeconds))
            : options.CollectTimeout;
    }
}
