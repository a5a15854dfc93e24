namespace OptiInfra.Metrics.Agents;

/// <summary>
/// The metrics of one module, all names beginning with the module's: <c>prompt_manager_operations_total</c>. Several modules
/// may live in one process.
/// </summary>
public sealed class ModuleMetrics : ILlmMetrics
{
    private readonly LlmPrices _prices;

    public ModuleMetrics(MetricRegistry registry, string module, AgentMetricsOptions? options = null)
    {
        options ??= new AgentMetricsOptions();
        Module = module.Replace('-', '_');
        _prices = options.Prices;
        Operations = registry.CreateCounter($"{Module}_operations_total", "Operations by outcome.", "operation", "status");
        Duration = registry.CreateHistogram($"{Module}_operation_duration_seconds", "Time an operation took.", options.Durations(HistogramOptions.RequestSeconds), "operation");
        Tokens = registry.CreateCounter($"{Module}_tokens_total", "Tokens used, by type.", options.Family("tokens"), "provider", "model", "type");
        Cost = registry.CreateCounter($"{Module}_cost_total", "Cost in US dollars.", options.Family("usd"), "provider", "model");
        Unpriced = registry.CreateCounter($"{Module}_unpriced_requests_total", "Model calls without a known price, so that their cost is missing.", "provider");
        Requests = registry.CreateCounter($"{Module}_requests_total", "Requests to model providers by outcome.", "provider", "status");
        Errors = registry.CreateCounter($"{Module}_errors_total", "Failures by kind.", "error_type");
        CacheHits = registry.CreateCounter($"{Module}_cache_hits_total", "Lookups the cache answered.");
        CacheMisses = registry.CreateCounter($"{Module}_cache_misses_total", "Lookups the cache could not answer.");
        Validations = registry.CreateCounter($"{Module}_security_validation_total", "Security checks of prompts by result.", "result");
        Injections = registry.CreateCounter($"{Module}_injections_detected_total", "Prompt injections detected.");
        RateLimitHits = registry.CreateCounter($"{Module}_rate_limit_hits_total", "Requests refused because of a rate limit.");
        Connections = registry.CreateGauge($"{Module}_active_connections", "Connections open now.");
    }

    public string Module { get; }

    public Counter Operations { get; }

    public Histogram Duration { get; }

    public Counter Tokens { get; }

    public Counter Cost { get; }

    public Counter Unpriced { get; }

    public Counter Requests { get; }

    public Counter Errors { get; }

    public Counter CacheHits { get; }

    public Counter CacheMisses { get; }

    public Counter Validations { get; }

    public Counter Injections { get; }

    public Counter RateLimitHits { get; }

    public Gauge Connections { get; }

    /// <summary>Runs an operation and records its duration, its outcome and the kind of its failure.</summary>
    public Task<T> TrackOperationAsync<T>(string operation, Func<Task<T>> code) => Tracked.OutcomeAsync(
        () => Errors.TrackErrorsAsync(code),
        (outcome, seconds) =>
        {
            Operations.WithLabels(operation, outcome).Inc();
            Duration.WithLabels(operation).Observe(seconds);
        });

    /// <summary>Records a look into the cache.</summary>
    public void TrackCache(bool hit) => (hit ? CacheHits : CacheMisses).Inc();

    /// <inheritdoc/>
    public void Record(in LlmUsage usage)
    {
        bool failed = usage.ErrorType.Length > 0;
        Requests.WithLabels(usage.Provider, failed ? "error" : "success").Inc();
        LlmMetrics.AddTokens(Tokens, usage);
        if ((usage.CostUsd ?? _prices.CostOf(usage)) is { } cost)
        {
            Cost.WithLabels(usage.Provider, usage.Model).Inc(cost);
        }
        else if (!failed)
        {
            Unpriced.WithLabels(usage.Provider).Inc();
        }

        if (failed)
        {
            Errors.WithLabels(usage.ErrorType).Inc();
        }
    }
}
