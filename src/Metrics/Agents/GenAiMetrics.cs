namespace OptiInfra.Metrics.Agents;

/// <summary>
/// Agents by the OpenTelemetry conventions for generative AI, in Prometheus names, with what they leave open: disjoint token types,
/// cost and its source, retries, limits, tools, evaluations. https://github.com/open-telemetry/semantic-conventions-genai
/// </summary>
public sealed class GenAiMetrics : ILlmMetrics
{
    /// <summary>10 ms doubling to 5.5 minutes: the conventions' bounds and two more for long agent calls.</summary>
    private static readonly IReadOnlyList<double> OperationSeconds = HistogramOptions.Exponential(0.01, 2, 16);

    private static readonly IReadOnlyList<double> FirstChunkSeconds = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
    private static readonly IReadOnlyList<double> PerChunkSeconds = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5];
    private static readonly IReadOnlyList<double> AgentSeconds = HistogramOptions.Exponential(0.1, 2, 13);
    private static readonly IReadOnlyList<double> CallCounts = HistogramOptions.Exponential(1, 2, 8);

    private readonly LlmPrices _prices;

    public GenAiMetrics(MetricRegistry registry, AgentMetricsOptions? options = null)
    {
        AgentMetricsOptions settings = options ?? new AgentMetricsOptions();
        _prices = settings.Prices;
        OperationDuration = registry.CreateHistogram("gen_ai_client_operation_duration_seconds", "Time of a call to a model, to the last byte.", settings.Durations(OperationSeconds), "operation", "provider", "model", "error_type");
        FirstChunk = registry.CreateHistogram("gen_ai_client_time_to_first_chunk_seconds", "Time to the first chunk of a streamed answer.", settings.Durations(FirstChunkSeconds), "provider", "model");
        PerChunk = registry.CreateHistogram("gen_ai_client_time_per_output_chunk_seconds", "Mean time between the chunks of a streamed answer.", settings.Durations(PerChunkSeconds), "provider", "model");
        Tokens = registry.CreateCounter("gen_ai_client_tokens_total", "Tokens by type: input, input_cached, input_cache_write, output, output_reasoning; the types do not overlap.", settings.Family("tokens"), "provider", "model", "type");
        Cost = registry.CreateCounter("gen_ai_client_cost_usd_total", "Cost in US dollars, by who said so: the provider or the local price list.", settings.Family(), "provider", "model", "source");
        Unpriced = registry.CreateCounter("gen_ai_client_unpriced_requests_total", "Calls without a known price.", "provider");
        Retries = registry.CreateCounter("gen_ai_client_retries_total", "Calls repeated after a failure.", settings.Family(), "provider", "model", "reason");
        Fallbacks = registry.CreateCounter("gen_ai_client_fallbacks_total", "Calls passed to another model.", settings.Family(), "provider", "model", "to_model");
        RateLimited = registry.CreateCounter("gen_ai_client_rate_limited_total", "Calls the provider refused because of a rate limit.", settings.Family(), "provider", "model");
        InFlight = registry.CreateGauge("gen_ai_client_in_flight", "Calls under way.", settings.Family(), "provider", "model");
        RateLimitHeadroom = registry.CreateGauge("gen_ai_provider_ratelimit_remaining_ratio", "Share of the provider's rate limit that is left.", "provider", "kind");
        FinishReasons = registry.CreateCounter("gen_ai_client_finish_reasons_total", "Why answers ended.", settings.Family(), "provider", "model", "reason");
        AgentDuration = registry.CreateHistogram("gen_ai_invoke_agent_duration_seconds", "Time of one run of an agent.", settings.Durations(AgentSeconds), "agent", "outcome");
        AgentInferenceCalls = registry.CreateHistogram("gen_ai_invoke_agent_inference_calls", "Model calls in one run of an agent.", settings.Durations(CallCounts), "agent");
        AgentToolCalls = registry.CreateHistogram("gen_ai_invoke_agent_tool_calls", "Tool calls in one run of an agent.", settings.Durations(CallCounts), "agent");
        ToolDuration = registry.CreateHistogram("gen_ai_execute_tool_duration_seconds", "Time of a tool call.", settings.Durations(OperationSeconds), "tool", "error_type");
        WorkflowDuration = registry.CreateHistogram("gen_ai_workflow_duration_seconds", "Time of a workflow of several agents.", settings.Durations(HistogramOptions.WorkflowSeconds), "workflow", "outcome");
        LimitHits = registry.CreateCounter("agent_limit_hits_total", "Runs stopped by a limit: steps, tokens, cost or time.", "agent", "limit");
        CacheRequests = registry.CreateCounter("llm_cache_requests_total", "Lookups in answer caches.", new MetricOptions { InitialSeries = [["exact", "hit"], ["exact", "miss"]] }, "cache", "result");
        EvaluationScore = registry.CreateHistogram("gen_ai_evaluation_score", "Scores of evaluations, 0 to 1.", new HistogramOptions { Buckets = HistogramOptions.Ratio, Unit = "ratio" }, "evaluator", "metric");
        Evaluations = registry.CreateCounter("gen_ai_evaluations_total", "Evaluations by outcome: pass, fail or error.", "evaluator", "metric", "outcome");
        GuardrailChecks = registry.CreateCounter("guardrail_checks_total", "Checks of guardrails by outcome.", "guardrail", "outcome");
    }

    public Histogram OperationDuration { get; }

    public Histogram FirstChunk { get; }

    public Histogram PerChunk { get; }

    public Counter Tokens { get; }

    public Counter Cost { get; }

    public Counter Unpriced { get; }

    public Counter Retries { get; }

    public Counter Fallbacks { get; }

    public Counter RateLimited { get; }

    public Gauge InFlight { get; }

    public Gauge RateLimitHeadroom { get; }

    public Counter FinishReasons { get; }

    public Histogram AgentDuration { get; }

    public Histogram AgentInferenceCalls { get; }

    public Histogram AgentToolCalls { get; }

    public Histogram ToolDuration { get; }

    public Histogram WorkflowDuration { get; }

    public Counter LimitHits { get; }

    public Counter CacheRequests { get; }

    public Histogram EvaluationScore { get; }

    public Counter Evaluations { get; }

    public Counter GuardrailChecks { get; }

    /// <summary>Runs a tool and records its duration and the kind of its failure.</summary>
    public async Task<T> TrackToolAsync<T>(string tool, Func<Task<T>> call)
    {
        string error = "";
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        try
        {
            return await call();
        }
        catch (Exception problem)
        {
            error = ErrorTypes.Of(problem);
            throw;
        }
        finally
        {
            ToolDuration.WithLabels(tool, error).Observe(System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
    }

    /// <summary>Records one run of an agent; runs without any call count too.</summary>
    public void TrackAgentRun(string agent, string outcome, TimeSpan duration, int inferenceCalls, int toolCalls)
    {
        AgentDuration.WithLabels(agent, outcome).Observe(duration.TotalSeconds);
        AgentInferenceCalls.WithLabels(agent).Observe(inferenceCalls);
        AgentToolCalls.WithLabels(agent).Observe(toolCalls);
    }

    /// <summary>Records the score of an evaluation and whether it passed.</summary>
    public void TrackEvaluation(string evaluator, string metric, double score, bool passed)
    {
        EvaluationScore.WithLabels(evaluator, metric).Observe(score);
        Evaluations.WithLabels(evaluator, metric, passed ? "pass" : "fail").Inc();
    }

    /// <inheritdoc/>
    public void Record(in LlmUsage usage)
    {
        bool failed = usage.ErrorType.Length > 0;
        if (usage.Duration is { } duration)
        {
            OperationDuration.WithLabels(usage.Operation, usage.Provider, usage.Model, usage.ErrorType).Observe(duration.TotalSeconds);
            if (usage.TimeToFirstToken is { } first && usage.Chunks > 1)
            {
                PerChunk.WithLabels(usage.Provider, usage.Model).Observe((duration - first).TotalSeconds / (usage.Chunks - 1));
            }
        }

        if (usage.TimeToFirstToken is { } firstChunk)
        {
            FirstChunk.WithLabels(usage.Provider, usage.Model).Observe(firstChunk.TotalSeconds);
        }

        if (usage.FinishReason.Length > 0)
        {
            FinishReasons.WithLabels(usage.Provider, usage.Model, usage.FinishReason).Inc();
        }

        LlmMetrics.AddTokens(Tokens, usage);
        if ((usage.CostUsd ?? _prices.CostOf(usage)) is { } cost)
        {
            Cost.WithLabels(usage.Provider, usage.Model, usage.CostUsd is null ? "local" : "provider").Inc(cost);
        }
        else if (!failed)
        {
            Unpriced.WithLabels(usage.Provider).Inc();
        }
    }
}
