namespace OptiInfra.Metrics.Agents;

/// <summary>
/// Calls to language models: how many, how long, how many tokens, at what cost. The set behind the base and the KOSMOS dialect.
/// </summary>
public sealed class LlmMetrics : ILlmMetrics
{
    private readonly LlmPrices _prices;

    public LlmMetrics(MetricRegistry registry, AgentMetricsOptions? options = null)
    {
        options ??= new AgentMetricsOptions();
        _prices = options.Prices;
        Requests = registry.CreateCounter("llm_requests_total", "Calls to language models by outcome.", options.Family(), "provider", "model", "status");
        Duration = registry.CreateHistogram("llm_request_duration_seconds", "Time from request to the last byte of a model's answer.", options.Durations(HistogramOptions.ModelSeconds), "provider", "model");
        FirstToken = registry.CreateHistogram("llm_time_to_first_token_seconds", "Time from request to the first chunk of a streamed answer.", options.Durations(HistogramOptions.ModelSeconds), "provider", "model");
        Tokens = registry.CreateCounter(
            "llm_tokens_total",
            "Tokens by type: input, input_cached, input_cache_write, output, output_reasoning. The types do not overlap, so their sum is the whole.",
            options.Family("tokens"),
            "provider",
            "model",
            "type");
        Cost = registry.CreateCounter("llm_cost_dollars_total", "Cost of calls in US dollars, as charged or by price list.", options.Family("dollars"), "provider", "model");
        Unpriced = registry.CreateCounter("llm_unpriced_requests_total", "Calls whose model is on no price list, so that their cost is not in llm_cost_dollars_total.", "provider");
    }

    public Counter Requests { get; }

    public Histogram Duration { get; }

    public Histogram FirstToken { get; }

    public Counter Tokens { get; }

    public Counter Cost { get; }

    public Counter Unpriced { get; }

    /// <inheritdoc/>
    public void Record(in LlmUsage usage)
    {
        bool failed = usage.ErrorType.Length > 0;
        Requests.WithLabels(usage.Provider, usage.Model, failed ? "error" : "success").Inc();
        if (usage.Duration is { } duration)
        {
            Duration.WithLabels(usage.Provider, usage.Model).Observe(duration.TotalSeconds);
        }

        if (usage.TimeToFirstToken is { } first)
        {
            FirstToken.WithLabels(usage.Provider, usage.Model).Observe(first.TotalSeconds);
        }

        AddTokens(Tokens, usage);
        if ((usage.CostUsd ?? _prices.CostOf(usage)) is { } cost)
        {
            Cost.WithLabels(usage.Provider, usage.Model).Inc(cost);
        }
        else if (!failed)
        {
            Unpriced.WithLabels(usage.Provider).Inc();
        }
    }

    /// <summary>Splits the counts so that no token is counted twice.</summary>
    internal static void AddTokens(Counter tokens, in LlmUsage usage)
    {
        Add(tokens, usage, "input", usage.InputTokens - usage.CachedInputTokens - usage.CacheWriteTokens);
        Add(tokens, usage, "input_cached", usage.CachedInputTokens);
        Add(tokens, usage, "input_cache_write", usage.CacheWriteTokens);
        Add(tokens, usage, "output", usage.OutputTokens - usage.ReasoningTokens);
        Add(tokens, usage, "output_reasoning", usage.ReasoningTokens);
    }

    private static void Add(Counter tokens, in LlmUsage usage, string type, long count)
    {
        if (count != 0)
        {
            tokens.WithLabels(usage.Provider, usage.Model, type).Inc(count);
        }
    }
}
