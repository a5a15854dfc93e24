using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using OptiInfra.Metrics;
using OptiInfra.Metrics.Agents;

namespace OptiInfra.Samples.Agents;

/// <summary>The orchestrator's part: passes requests on to its agents, watches their health, and keeps them busy.</summary>
internal sealed class Coordination : IAsyncDisposable
{
    private readonly AgentOptions options;
    private readonly TimeProvider clock;
    private readonly Random random;
    private readonly HttpClient http = new() { Timeout = TimeSpan.FromSeconds(20) };
    private readonly OrchestratorMetrics metrics;
    private readonly DialectMetrics dialect;
    private readonly SimulatedModel model;
    private Task loops = Task.CompletedTask;
    private string last = "";

    public Coordination(AgentOptions options, MetricRegistry registry, DialectMetrics dialect, TimeProvider clock, Random random)
    {
        this.options = options;
        this.dialect = dialect;
        this.clock = clock;
        this.random = random;
        metrics = new OrchestratorMetrics(registry, new AgentMetricsOptions { Peers = [.. options.Agents.Keys] });
        model = new SimulatedModel(options.Seed, clock);
    }

    public async Task<IResult> OptimizeAsync(string name, CancellationToken stop)
    {
        if (!options.Agents.TryGetValue(name, out Uri? address))
        {
            return Results.Text($"there is no agent {name}; there are {string.Join(", ", options.Agents.Keys)}\n", statusCode: StatusCodes.Status404NotFound);
        }

        bool succeeded = await CallAsync(name, address, stop);
        return succeeded ? Results.Text($"{name} is done\n") : Results.Text($"{name} failed\n", statusCode: StatusCodes.Status502BadGateway);
    }

    public void Start(CancellationToken stop) => loops = Task.WhenAll(KeepBusyAsync(stop), WatchHealthAsync(stop));

    public async ValueTask DisposeAsync()
    {
        await loops;
        http.Dispose();
    }

    private async Task<bool> CallAsync(string name, Uri address, CancellationToken stop)
    {
        using var _ = metrics.ActiveOptimizations.TrackInProgress();
        long start = Stopwatch.GetTimestamp();
        bool succeeded = await SucceedsAsync(HttpMethod.Post, new Uri(address, "optimize"), stop);
        metrics.RecordAgentRequest(name, succeeded ? "success" : "error", Stopwatch.GetElapsedTime(start));
        if (random.Next(50) == 0)
        {
            metrics.Conflicts.Inc();
        }

        if (random.Next(10) == 0)
        {
            metrics.ApprovalDuration.Observe(2 + (random.NextDouble() * 60));
        }

        if (Interlocked.Exchange(ref last, name) is { Length: > 0 } before && before != name)
        {
            metrics.Handoffs.WithLabels(before, name).Inc();
        }

        return succeeded;
    }

    private async Task KeepBusyAsync(CancellationToken stop)
    {
        if (options.Rate <= 0 || options.Agents.Count == 0)
        {
            return;
        }

        using PeriodicTimer timer = new(TimeSpan.FromSeconds(1 / options.Rate), clock);
        (string Name, Uri Address)[] agents = [.. options.Agents.Select(pair => (pair.Key, pair.Value))];
        for (int turn = 0; await TickAsync(timer, stop); turn++)
        {
            (string name, Uri address) = agents[turn % agents.Length];

            // Not awaited: a slow agent must not slow the traffic to the others. Failures are counted where they happen.
            _ = PlanAndCallAsync(name, address, stop);
        }
    }

    /// <summary>A real orchestrator asks a model whom to call; so does this one.</summary>
    private async Task PlanAndCallAsync(string name, Uri address, CancellationToken stop)
    {
        try
        {
            await dialect.WorkAsync("plan", Misbehaviour.None, () => model.AskAsync(dialect.Models, $"what should {name} do next", Misbehaviour.None, stop));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return;
        }

        await CallAsync(name, address, stop);
    }

    private async Task WatchHealthAsync(CancellationToken stop)
    {
        using PeriodicTimer timer = new(TimeSpan.FromSeconds(2), clock);
        do
        {
            foreach ((string name, Uri address) in options.Agents)
            {
                metrics.UpdateAgentHealth(name, await SucceedsAsync(HttpMethod.Get, new Uri(address, "healthz"), stop));
            }
        }
        while (await TickAsync(timer, stop));
    }

    private async Task<bool> SucceedsAsync(HttpMethod method, Uri address, CancellationToken stop)
    {
        try
        {
            using HttpRequestMessage request = new(method, address);
            using HttpResponseMessage response = await http.SendAsync(request, stop);
            return response.IsSuccessStatusCode;
        }
        catch (Exception error) when (error is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }

    private static async Task<bool> TickAsync(PeriodicTimer timer, CancellationToken stop)
    {
        try
        {
            return await timer.WaitForNextTickAsync(stop);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
