using OptiInfra.Metrics;

namespace OptiInfra.Samples.Agents;

/// <summary>
/// What an agent does when it is asked to optimise: it calls a model (pretended, but counted like a real call) and moves
/// the metrics of its role a step, the way a real agent's metrics move.
/// </summary>
internal sealed class RoleWork
{
    private readonly Random random;
    private readonly Counter calls;
    private readonly Counter tokens;
    private readonly Counter spend;
    private readonly Histogram callSeconds;
    private readonly Counter executions;
    private readonly Histogram confidence;
    private readonly Action<Misbehaviour> step;
    private readonly string role;

    public RoleWork(string role, MetricRegistry registry, Random random)
    {
        this.role = role;
        this.random = random;
        calls = registry.CreateCounter("llm_api_calls_total", "Calls to a model provider.", "provider", "model");
        tokens = registry.CreateCounter("llm_token_usage_total", "Tokens used; type is input or output.", "provider", "type");
        spend = registry.CreateCounter("llm_cost_usd_total", "Estimated spend on model calls in US dollars.", "provider", "model");
        callSeconds = registry.CreateHistogram("llm_call_duration_seconds", "Time of a model call, to the last chunk of a stream.", new HistogramOptions { Buckets = [0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300] }, "provider", "model");
        executions = registry.CreateCounter("optimization_executions_total", "Optimizations run, by kind and outcome.", "type", "outcome");
        confidence = registry.CreateHistogram("recommendation_confidence", "Confidence of recommendations, from 0 to 1.", new HistogramOptions { Buckets = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1] });
        step = StepOf(role, registry);
        step(Misbehaviour.None);
    }

    public string Do(Misbehaviour wrong)
    {
        double seconds = 0.1 + random.NextDouble();
        int read = random.Next(400, 2000);
        int written = random.Next(50, 400);
        calls.WithLabels("demo", "demo-1").Inc();
        tokens.WithLabels("demo", "input").Inc(read);
        tokens.WithLabels("demo", "output").Inc(written);
        spend.WithLabels("demo", "demo-1").Inc(((read * 0.000003) + (written * 0.000015)) * wrong.Cost);
        callSeconds.WithLabels("demo", "demo-1").Observe(seconds);
        executions.WithLabels(role, "success").Inc();
        confidence.Observe(Math.Clamp(Near(0.9, 0.05) - wrong.Quality, 0, 1));
        step(wrong);
        return $"{role}: one recommendation";
    }

    private Action<Misbehaviour> StepOf(string agent, MetricRegistry registry) => agent switch
    {
        "cost" => Cost(registry),
        "performance" => Performance(registry),
        "resource" => Resource(registry),
        _ => Application(registry),
    };

    private Action<Misbehaviour> Cost(MetricRegistry registry)
    {
        Counter savings = registry.CreateCounter("cost_savings_total", "Savings realised, in US dollars.");
        Counter recommendations = registry.CreateCounter("cost_recommendations_total", "Recommendations made, by kind (spot, reserved, right_sizing).", "type");
        Gauge spot = registry.CreateGauge("spot_migration_success_rate", "Share of the last spot migrations that succeeded, from 0 to 1.");
        Gauge coverage = registry.CreateGauge("reserved_instance_coverage", "Share of eligible usage covered by reserved instances, from 0 to 1.");
        return wrong =>
        {
            savings.Inc(random.NextDouble());
            recommendations.WithLabels("spot").Inc();
            spot.Set(Near(0.95, 0.02) - wrong.Quality);
            coverage.Set(Near(0.8, 0.02));
        };
    }

    private Action<Misbehaviour> Performance(MetricRegistry registry)
    {
        Gauge improvement = registry.CreateGauge("latency_improvement_ratio", "Latency after optimization divided by latency before.");
        Gauge throughput = registry.CreateGauge("throughput_qps", "Queries answered per second by the optimized model.");
        Gauge cache = registry.CreateGauge("kv_cache_hit_rate", "Share of prompt tokens found in the key-value cache, from 0 to 1.");
        Gauge speedup = registry.CreateGauge("quantization_speedup", "Speed of the quantized model relative to the original.");
        return wrong =>
        {
            improvement.Set(Near(0.7, 0.05) + wrong.Quality);
            throughput.Set(Near(40, 5));
            cache.Set(Math.Max(0, Near(0.8, 0.05) - wrong.Quality));
            speedup.Set(Near(1.6, 0.1));
        };
    }

    private Action<Misbehaviour> Resource(MetricRegistry registry)
    {
        Gauge gpu = registry.CreateGauge("gpu_utilization", "Share of time the GPU was busy, from 0 to 1.", "gpu_id");
        Gauge memory = registry.CreateGauge("memory_utilization", "Share of the memory limit in use, from 0 to 1.");
        Counter scaling = registry.CreateCounter("scaling_events_total", "Scaling actions; direction is up or down.", "direction");
        Gauge consolidation = registry.CreateGauge("resource_consolidation_ratio", "Nodes in use after consolidation divided by nodes before.");
        return wrong =>
        {
            gpu.WithLabels("0").Set(Math.Min(1, Near(0.6, 0.1) + wrong.Quality));
            gpu.WithLabels("1").Set(Math.Min(1, Near(0.5, 0.1) + wrong.Quality));
            memory.Set(Math.Min(1, Near(0.6, 0.05) + wrong.Quality));
            scaling.WithLabels("up").Inc();
            consolidation.Set(Near(0.75, 0.05));
        };
    }

    private Action<Misbehaviour> Application(MetricRegistry registry)
    {
        Gauge quality = registry.CreateGauge("quality_score", "Last evaluated quality, from 0 to 1, by kind of metric.", "metric_type");
        Counter regressions = registry.CreateCounter("regression_detections_total", "Quality regressions detected.");
        Gauge results = registry.CreateGauge("ab_test_results", "Last result of an A/B test variant, by metric.", "variant", "metric");
        return wrong =>
        {
            double score = Math.Clamp(Near(0.98, 0.005) - wrong.Quality, 0, 1);
            quality.WithLabels("overall").Set(score);
            regressions.Inc(score < 0.95 ? 1 : 0);
            results.WithLabels("a", "quality").Set(score);
            results.WithLabels("b", "quality").Set(Math.Clamp(score - 0.01, 0, 1));
        };
    }

    private double Near(double middle, double spread) => middle + (((random.NextDouble() * 2) - 1) * spread);
}
