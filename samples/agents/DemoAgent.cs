using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using OptiInfra.Metrics;

namespace OptiInfra.Samples.Agents;

/// <summary>
/// A member of the fleet: handles requests and misbehaves on command; the library measures it. What is special about a role
/// is its <see cref="RoleWork"/> (agents) or its <see cref="Coordination"/> (the orchestrator); what is special about a
/// dialect is its <see cref="DialectMetrics"/>.
/// </summary>
internal sealed class DemoAgent : IAsyncDisposable
{
    private readonly TimeProvider clock;
    private readonly RoleWork? work;
    private readonly Coordination? coordination;
    private Misbehaviour wrong = Misbehaviour.None;

    public DemoAgent(AgentOptions options, MetricRegistry registry, DialectMetrics dialect, TimeProvider clock)
    {
        this.clock = clock;
        Random random = new(options.Seed);
        if (options.Role == AgentOptions.Orchestrator)
        {
            coordination = new Coordination(options, registry, dialect, clock, random);
        }
        else
        {
            work = new RoleWork(options.Role, registry, dialect, new SimulatedModel(options.Seed, clock), random);
        }
    }

    public void Map(WebApplication app)
    {
        app.Use(MisbehaveAsync);
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
            app.MapPost("/optimize", OptimizeAsync);
            app.MapPost("/api/v1/health", () => Results.Text("ok\n"));
        }
    }

    public void Start(CancellationToken stop) => coordination?.Start(stop);

    public ValueTask DisposeAsync() => coordination?.DisposeAsync() ?? ValueTask.CompletedTask;

    private async Task<IResult> OptimizeAsync(CancellationToken stop)
    {
        try
        {
            return Results.Text(await work!.DoAsync(wrong, stop) + "\n");
        }
        catch (InvalidOperationException problem)
        {
            return Results.Text(problem.Message + "\n", statusCode: StatusCodes.Status500InternalServerError);
        }
    }

    /// <summary>Adds what is wrong on purpose, inside what is measured.</summary>
    private async Task MisbehaveAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Request.Path != "/misbehave")
        {
            if (wrong.Unhealthy)
            {
                context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
                return;
            }

            if (HttpMethods.IsPost(context.Request.Method) && wrong.Latency > TimeSpan.Zero)
            {
                await Task.Delay(wrong.Latency, clock, context.RequestAborted);
            }
        }

        await next(context);
    }
}
