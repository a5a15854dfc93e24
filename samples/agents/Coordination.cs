using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using OptiInfra.Metrics;

namespace OptiInfra.Samples.Agents;

/// <summary>The orchestrator's part: passes requests on to its agents, watches their health, and keeps them busy.</summary>
internal sealed class Coordination : IAsyncDisposable
{
    private readonly AgentOptions options;
    private readonly TimeProvider clock;
    private readonly Random random;
    private readonly HttpClient http = new() { Timeout = TimeSpan.FromSeconds(20) };
    private readonly Counter requests;
    private readonly Histogram durations;
    private readonly Gauge health;
    private readonly Counter conflicts;
    private readonly Gauge active;
    private Task loops = Task.CompletedTask;

    public Coordination(AgentOptions options, MetricRegistry registry, HistogramOptions latencies, TimeProvider clock, Random random)
    {
        this.options = options;
        this.clock = clock;
        this.random = random;
        requests = registry.CreateCounter("agent_requests_total", "Requests sent to an agent, by result.", "agent", "status");
        durations = registry.CreateHistogram("agent_request_duration_seconds", "Time an agent took to answer the orchestrator.", latencies, "agent");
        health = registry.CreateGauge("agent_health_status", "1 if the agent answered its last health check, else 0.", "agent");
        conflicts = registry.CreateCounter("coordination_conflicts_total", "Recommendations of two agents that excluded each other.");
        active = registry.CreateGauge("active_optimizations", "Optimizations in progress.");
        foreach (string agent in options.Agents.Keys)
        {
            requests.WithLabels(agent, "success").Inc(0);
            requests.WithLabels(agent, "error").Inc(0);
        }
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
        using var _ = active.TrackInProgress();
        long start = Stopwatch.GetTimestamp();
        bool succeeded = await SucceedsAsync(HttpMethod.Post, new Uri(address, "optimize"), stop);
        durations.WithLabels(name).Observe(Stopwatch.GetElapsedTime(start).TotalSeconds);
        requests.WithLabels(name, succeeded ? "success" : "error").Inc();
        if (random.Next(200) == 0)
        {
            conflicts.Inc();
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

            // Not awaited: a slow agent must not slow the traffic to the others. CallAsync never throws.
            _ = CallAsync(name, address, stop);
        }
    }

    private async Task WatchHealthAsync(CancellationToken stop)
    {
        using PeriodicTimer timer = new(TimeSpan.FromSeconds(2), clock);
        do
        {
            foreach ((string name, Uri address) in options.Agents)
            {
                health.WithLabels(name).Set(await SucceedsAsync(HttpMethod.Get, new Uri(address, "healthz"), stop) ? 1 : 0);
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
