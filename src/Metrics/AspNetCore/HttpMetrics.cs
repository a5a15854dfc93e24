using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OptiInfra.Metrics.Agents;

namespace OptiInfra.Metrics.AspNetCore;

/// <summary>An answered request, in values that are safe as labels.</summary>
/// <param name="Endpoint">The route template, or <c>_unmatched</c>; never the raw path.</param>
/// <param name="Method">A standard method, or <c>_OTHER</c>.</param>
/// <param name="Status">The status code; 499 when the client went away first.</param>
/// <param name="Duration">From the first middleware to the last byte of the body.</param>
/// <param name="ErrorType">Kind of the exception that left the application; empty without one.</param>
public readonly record struct HttpOutcome(string Endpoint, string Method, int Status, TimeSpan Duration, string ErrorType);

/// <summary>How requests are recorded.</summary>
public sealed record HttpMetricsOptions
{
    /// <summary>Receives every answered request instead of the built-in families, for example <c>outcome =&gt; kosmos.TrackRequest(…)</c>.</summary>
    public Action<HttpOutcome>? Track { get; init; }

    /// <summary>Bounds of the built-in histogram.</summary>
    public IReadOnlyList<double> Buckets { get; init; } = HistogramOptions.RequestSeconds;
}

/// <summary>Measures HTTP requests as a whole, streams to their last byte.</summary>
public static class HttpMetrics
{
    /// <summary>The endpoint of requests that no route matched: one value, however many paths a scanner tries.</summary>
    public const string Unmatched = "_unmatched";

    private const int ClientClosedRequest = 499;

    private static readonly object Measured = new();

    /// <summary>Measures the requests of the application. Put it first; a second use of it measures nothing twice.</summary>
    public static IApplicationBuilder UseHttpMetrics(this IApplicationBuilder app, HttpMetricsOptions? options = null)
    {
        MetricRegistry registry = app.ApplicationServices.GetService<MetricRegistry>()
            ?? throw new InvalidOperationException("no MetricRegistry among the services: call AddOptiMetrics first");
        options ??= app.ApplicationServices.GetService<OptiMetricsOptions>()?.Http ?? new HttpMetricsOptions();
        Action<HttpOutcome> track = options.Track ?? DefaultTrack(app.ApplicationServices, registry, options);
        Gauge active = registry.CreateGauge("http_server_active_requests", "HTTP requests being answered now.");
        ILogger logger = app.ApplicationServices.GetService<ILoggerFactory>()?.CreateLogger("OptiInfra.Metrics") ?? Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;
        var recorder = new Recorder(registry, active, track, logger);
        return app.Use(next => context => MeasureAsync(context, next, recorder));
    }

    private static async Task MeasureAsync(HttpContext context, RequestDelegate next, Recorder recorder)
    {
        if (!context.Items.TryAdd(Measured, Measured))
        {
            await next(context);
            return;
        }

        long start = Stopwatch.GetTimestamp();
        recorder.Active.Inc();
        Exception? problem = null;
        try
        {
            await next(context);
        }
        catch (Exception thrown)
        {
            problem = thrown;
            throw;
        }
        finally
        {
            recorder.Active.Dec();
            recorder.Record(context, problem, Stopwatch.GetElapsedTime(start));
        }
    }

    private static Action<HttpOutcome> DefaultTrack(IServiceProvider services, MetricRegistry registry, HttpMetricsOptions options)
    {
        if (services.GetService<BaseMetrics>() is { } known)
        {
            return outcome => known.TrackRequest(outcome.Endpoint, outcome.Method, outcome.Status, outcome.Duration.TotalSeconds);
        }

        Histogram duration = registry.CreateHistogram(
            "http_server_request_duration_seconds",
            "Time to answer an HTTP request, to the last byte.",
            new HistogramOptions { Buckets = options.Buckets },
            "method",
            "route",
            "status",
            "error_type");
        return outcome => duration.WithLabels(outcome.Method, outcome.Endpoint, StatusText.Of(outcome.Status), outcome.ErrorType).Observe(outcome.Duration.TotalSeconds);
    }

    private sealed record Recorder(MetricRegistry Registry, Gauge Active, Action<HttpOutcome> Track, ILogger Logger)
    {
        /// <summary>A failure here is counted and logged by its type alone, and never reaches the request.</summary>
        public void Record(HttpContext context, Exception? problem, TimeSpan duration)
        {
            try
            {
                if (context.Response.StatusCode != StatusCodes.Status101SwitchingProtocols)
                {
                    Track(new HttpOutcome(EndpointOf(context), MethodOf(context.Request.Method), StatusOf(context, problem), duration, problem is null ? "" : ErrorTypes.Of(problem)));
                }
            }
            catch (Exception failure)
            {
                Registry.Self.Failed();
                Logger.LogWarning("a request was not recorded in the metrics: {Failure}", failure.GetType().Name);
            }
        }
    }

    private static string EndpointOf(HttpContext context)
    {
        // An exception handler clears the endpoint before it runs the pipeline again; the original is kept in its feature.
        Endpoint? endpoint = context.Features.Get<Microsoft.AspNetCore.Diagnostics.IExceptionHandlerFeature>()?.Endpoint ?? context.GetEndpoint();
        string? template = (endpoint as RouteEndpoint)?.RoutePattern.RawText;
        return template is null ? Unmatched : template.StartsWith('/') ? template : "/" + template;
    }

    private static string MethodOf(string method) => method switch
    {
        "GET" or "POST" or "PUT" or "DELETE" or "HEAD" or "PATCH" or "OPTIONS" or "TRACE" or "CONNECT" or "QUERY" => method,
        _ => "_OTHER",
    };

    private static int StatusOf(HttpContext context, Exception? problem) =>
        context.RequestAborted.IsCancellationRequested && problem is OperationCanceledException ? ClientClosedRequest
        : problem is not null && !context.Response.HasStarted ? StatusCodes.Status500InternalServerError
        : context.Response.StatusCode;
}
