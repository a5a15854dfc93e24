namespace OptiInfra.Metrics.Agents;

/// <summary>The orchestrator: how it uses its agents, and what it coordinates.</summary>
public sealed class OrchestratorMetrics
{
    public OrchestratorMetrics(MetricRegistry registry, AgentMetricsOptions? options = null)
    {
        options ??= new AgentMetricsOptions();
        Requests = registry.CreateCounter("agent_requests_total", "Requests to agents by outcome.", new MetricOptions { InitialSeries = [.. options.Peers.SelectMany(Outcomes)] }, "agent", "status");
        RequestDuration = registry.CreateHistogram("agent_request_duration_seconds", "Time an agent took to answer the orchestrator.", options.Durations(HistogramOptions.RequestSeconds) with { InitialSeries = [.. options.Peers.Select(One)] }, "agent");
        Health = registry.CreateGauge("agent_health_status", "Whether an agent is healthy: 1 or 0.", new MetricOptions { InitialSeries = [.. options.Peers.Select(One)] }, "agent");
        Conflicts = registry.CreateCounter("coordination_conflicts_total", "Contradicting recommendations the orchestrator had to settle.");
        ApprovalDuration = registry.CreateHistogram("approval_workflow_duration_seconds", "Time from asking for an approval to the decision.", options.Durations(HistogramOptions.WorkflowSeconds));
        ActiveOptimizations = registry.CreateGauge("active_optimizations", "Optimizations under way.");
        Handoffs = registry.CreateCounter("agent_handoffs_total", "Tasks one agent passed to another.", "from", "to");
    }

    public Counter Requests { get; }

    public Histogram RequestDuration { get; }

    public Gauge Health { get; }

    public Counter Conflicts { get; }

    public Histogram ApprovalDuration { get; }

    public Gauge ActiveOptimizations { get; }

    public Counter Handoffs { get; }

    /// <summary>Records one request to an agent.</summary>
    public void RecordAgentRequest(string agent, string status, TimeSpan duration)
    {
        Requests.WithLabels(agent, status).Inc();
        RequestDuration.WithLabels(agent).Observe(duration.TotalSeconds);
    }

    /// <summary>Measures a request to an agent and counts its outcome: success, error or cancelled.</summary>
    public Task<T> TrackAgentRequestAsync<T>(string agent, Func<Task<T>> request) =>
        Tracked.OutcomeAsync(request, (outcome, seconds) => RecordAgentRequest(agent, outcome, TimeSpan.FromSeconds(seconds)));

    /// <summary>Says whether an agent answers its health checks.</summary>
    public void UpdateAgentHealth(string agent, bool healthy) => Health.WithLabels(agent).Set(healthy ? 1 : 0);

    /// <summary>Says how many optimizations are under way.</summary>
    public void UpdateActiveOptimizations(int count) => ActiveOptimizations.Set(count);

    private static string[] One(string agent) => [agent];

    private static IEnumerable<string[]> Outcomes(string agent) => [[agent, "success"], [agent, "error"]];
}
