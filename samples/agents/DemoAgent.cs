using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OptiInfra.Metrics;
using OptiInfra.Metrics.AspNetCore;

namespace OptiInfra.Samples.Agents;

/// <summary>
/// A member of the fleet: handles requests, measures them, and misbehaves on command. What is special about a role is
/// its <see cref="RoleWork"/> (agents) or its <see cref="Coordination"/> (the orchestrator).
/// </summary>
internal sealed class DemoAgent : IAsyncDisposable
{
    private static readonly HistogramOptions LatencyBuckets = new() { Buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] };

    private readonly AgentOptions options;
    private readonly TimeProvider clock;
    private readonly Random random;
    private readonly MetricRegistry registry = new();
    private readonly Counter requests;
    private readonly Histogram durations;
    private readonly Counter errors;
    private readonly RoleWork? work;
    private readonly Coordination? coordination;
    private Misbehaviour wrong = Misbehaviour.None;

    private DemoAgent(AgentOptions options, TimeProvider clock, Random random)
    {
        this.options = options;
        this.clock = clock;
        this.random = random;
        registry.CreateGauge("optiinfra_build_info", "Version and revision of the running service; always 1.", "service", "version", "revision")
            .WithLabels(options.Role, "1.0.0", "demo").Set(1);
        requests = registry.CreateCounter("requests_total", "Requests handled, by route template and status code.", "endpoint", "status");
        durations = registry.CreateHistogram("request_duration_seconds", "Time to handle a request, to its last byte.", LatencyBuckets, "endpoint", "method");
        errors = registry.CreateCounter("errors_total", "Errors, by a closed set of types.", "error_type");
        bool orchestrates = options.Role == AgentOptions.Orchestrator;
        work = orchestrates ? null : new RoleWork(options.Role, registry, random);
        coordination = orchestrates ? new Coordination(options, registry, LatencyBuckets, clock, random) : null;
    }

    public static DemoAgent Create(AgentOptions options, TimeProvider clock, Random random) => new(options, clock, random);

    public void Map(WebApplication app)
    {
        app.Use(MeasureAsync);
        app.MapMetrics(registry);
        app.MapGet("/healthz", () => Results.Text("ok\n"));
        app.MapPost("/misbehave", (HttpRequest request) =>
        {
            wrong = Misbehaviour.Read(request.Query);
            return Results.Text($"{wrong}\n");
        });
        if (coordination is not null)
        {
            app.MapPost("/api/v1/agents/{name}/optimize", (string name, CancellationToken stop) => coordination.OptimizeAsync(name, stop));
        }
        else
        {
            app.MapPost("/optimize", () => Results.Text(work!.Do(wrong) + "\n"));
        }
    }

    public void Start(CancellationToken stop) => coordination?.Start(stop);

    public ValueTask DisposeAsync() => coordination?.DisposeAsync() ?? ValueTask.CompletedTask;

    /// <summary>Counts and times every request, and adds what is wrong on purpose, so that both are seen where they happen.</summary>
    private async Task MeasureAsync(HttpContext context, RequestDelegate next)
    {
        PathString path = context.Request.Path;
        if (path == "/misbehave")
        {
            await next(context);
            return;
        }

        if (wrong.Unhealthy)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }

        long start = Stopwatch.GetTimestamp();
        bool isWork = HttpMethods.IsPost(context.Request.Method);
        if (isWork && wrong.Latency > TimeSpan.Zero)
        {
            await Task.Delay(wrong.Latency, clock, context.RequestAborted);
        }

        if (isWork && random.NextDouble() < wrong.Errors)
        {
            errors.WithLabels("model_unavailable").Inc();
            context.Response.StatusCode = StatusCodes.Status500InternalServerError;
        }
        else
        {
            await next(context);
        }

        string endpoint = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "unknown";
        requests.WithLabels(endpoint, $"{context.Response.StatusCode}").Inc();
        durations.WithLabels(endpoint, context.Request.Method).Observe(Stopwatch.GetElapsedTime(start).TotalSeconds);
    }
}
