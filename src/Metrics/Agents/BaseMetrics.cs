using System.Globalization;

namespace OptiInfra.Metrics.Agents;

/// <summary>
/// The metrics every agent has. <c>var metrics = new BaseMetrics(registry); metrics.TrackRequest("/analyze", "POST", 200, 0.5);</c>
/// Names and calls are those of the fleet's first implementation, so its rules and dashboards go on working.
/// </summary>
public sealed class BaseMetrics : ILlmMetrics
{
    private readonly AgentMetricsOptions _options;

    public BaseMetrics(MetricRegistry registry, AgentMetricsOptions? options = null)
    {
        _options = options ?? new AgentMetricsOptions();
        RequestDuration = registry.CreateHistogram("request_duration_seconds", "Time to answer a request, to the last byte.", _options.Durations(HistogramOptions.RequestSeconds), "endpoint");
        Requests = registry.CreateCounter("requests_total", "Requests answered, by route template and status code.", "endpoint", "status");
        Errors = registry.CreateCounter("errors_total", "Failures by kind.", "error_type");
        LlmCalls = registry.CreateCounter("llm_api_calls_total", "Calls to language models.", _options.Family(), "provider", "model");
        LlmTokens = registry.CreateCounter("llm_token_usage_total", "Tokens used: input and output.", _options.Family("tokens"), "provider", "type");
        Optimizations = registry.CreateCounter("optimization_executions_total", "Optimizations carried out, by type and outcome.", "type", "outcome");
        Confidence = registry.CreateHistogram("recommendation_confidence", "How sure the agent was of its recommendations, 0 to 1.", new HistogramOptions { Buckets = HistogramOptions.Ratio, Unit = "ratio" });
        Llm = new LlmMetrics(registry, _options);
    }

    public Histogram RequestDuration { get; }

    public Counter Requests { get; }

    public Counter Errors { get; }

    public Counter LlmCalls { get; }

    public Counter LlmTokens { get; }

    public Counter Optimizations { get; }

    public Histogram Confidence { get; }

    /// <summary>Latency, detailed tokens and cost of model calls.</summary>
    public LlmMetrics Llm { get; }

    /// <summary>Records an answered request. The endpoint is the route template, never the raw path.</summary>
    public void TrackRequest(string endpoint, string method, int status, double seconds)
    {
        Requests.WithLabels(endpoint, StatusText.Of(status)).Inc();
        RequestDuration.WithLabels(endpoint).Observe(seconds);
        if (status >= 500)
        {
            Errors.WithLabels("http_" + StatusText.Of(status)).Inc();
        }
    }

    /// <summary>Records an optimization and, where it has one, its confidence between 0 and 1.</summary>
    public void TrackOptimization(string type, string outcome, double? confidence = null)
    {
        Optimizations.WithLabels(type, outcome).Inc();
        if (confidence is >= 0 and <= 1)
        {
            Confidence.Observe(confidence.Value);
        }
        else if (confidence is not null)
        {
            Confidence.Registry.Self.Rejected(Confidence);
        }
    }

    /// <summary>Measures the code as a request to the endpoint.</summary>
    public T TrackDuration<T>(string endpoint, Func<T> code) => RequestDuration.WithLabels(endpoint).TrackDuration(code);

    /// <inheritdoc cref="TrackDuration{T}(string, Func{T})"/>
    public Task<T> TrackDurationAsync<T>(string endpoint, Func<Task<T>> code) => RequestDuration.WithLabels(endpoint).TrackDurationAsync(code);

    /// <summary>Counts what the code throws, by kind, and lets it pass.</summary>
    public T TrackErrors<T>(Func<T> code) => Errors.TrackErrors(code);

    /// <inheritdoc cref="TrackErrors{T}(Func{T})"/>
    public Task<T> TrackErrorsAsync<T>(Func<Task<T>> code) => Errors.TrackErrorsAsync(code);

    /// <inheritdoc/>
    public void Record(in LlmUsage usage)
    {
        LlmCalls.WithLabels(usage.Provider, usage.Model).Inc();
        LlmTokens.WithLabels(usage.Provider, "input").Inc(usage.InputTokens);
        LlmTokens.WithLabels(usage.Provider, "output").Inc(usage.OutputTokens);
        if (usage.ErrorType.Length > 0)
        {
            Errors.WithLabels(usage.ErrorType).Inc();
        }

        Llm.Record(usage);
    }
}

/// <summary>Status codes as text, made once: a label value must not cost an allocation per request.</summary>
internal static class StatusText
{
    private static readonly string[] Known = [.. Enumerable.Range(0, 600).Select(status => status.ToString(CultureInfo.InvariantCulture))];

    public static string Of(int status) => status is >= 100 and < 600 ? Known[status] : "invalid";
}
