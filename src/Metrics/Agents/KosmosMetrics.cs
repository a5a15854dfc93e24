namespace OptiInfra.Metrics.Agents;

/// <summary>
/// The KOSMOS dialect: HTTP, models, tasks and connections, each with the agent's name. Where the original was wrong this is right:
/// route templates instead of raw paths, durations to the last byte of a stream, and <c>_total</c> on the cost counter.
/// </summary>
public sealed class KosmosMetrics : ILlmMetrics
{
    private readonly string _agent;

    public KosmosMetrics(MetricRegistry registry, AgentMetricsOptions options)
    {
        _agent = options.Agent;
        HttpRequests = registry.CreateCounter("http_requests_total", "HTTP requests answered.", "method", "endpoint", "status", "agent");
        HttpDuration = registry.CreateHistogram("http_request_duration_seconds", "Time to answer an HTTP request, to the last byte.", options.Durations([0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]), "method", "endpoint", "agent");
        Tasks = registry.CreateCounter("agent_tasks_total", "Tasks processed.", "agent", "task_type", "status");
        Connections = registry.CreateGauge("active_connections", "Connections open now.", new MetricOptions { InitialSeries = [[_agent]] }, "agent");
        Llm = new LlmMetrics(registry, options);
    }

    public Counter HttpRequests { get; }

    public Histogram HttpDuration { get; }

    public Counter Tasks { get; }

    public Gauge Connections { get; }

    public LlmMetrics Llm { get; }

    /// <inheritdoc cref="BaseMetrics.TrackRequest"/>
    public void TrackRequest(string endpoint, string method, int status, double seconds)
    {
        HttpRequests.WithLabels(method, endpoint, StatusText.Of(status), _agent).Inc();
        HttpDuration.WithLabels(method, endpoint, _agent).Observe(seconds);
    }

    /// <summary>Counts a task by its outcome.</summary>
    public void TrackTask(string taskType, string status) => Tasks.WithLabels(_agent, taskType, status).Inc();

    /// <summary>Runs a task and counts its outcome.</summary>
    public Task<T> TrackTaskAsync<T>(string taskType, Func<Task<T>> task) =>
        Tracked.OutcomeAsync(task, (outcome, _) => TrackTask(taskType, outcome));

    /// <summary>Counts a connection as open until the result is disposed.</summary>
    public GaugeSeries.InProgress TrackConnection() => Connections.WithLabels(_agent).TrackInProgress();

    /// <inheritdoc/>
    public void Record(in LlmUsage usage) => Llm.Record(usage);
}
