namespace OptiInfra.Metrics.Agents;

/// <summary>The performance agent: what its tuning of model servers achieved.</summary>
public sealed class PerformanceMetrics
{
    public PerformanceMetrics(MetricRegistry registry)
    {
        var ratio = new MetricOptions { Unit = "ratio" };
        LatencyImprovement = registry.CreateGauge("latency_improvement_ratio", "Latency before the tuning divided by latency after it.", ratio);
        Throughput = registry.CreateGauge("throughput_qps", "Requests per second the tuned service handles.", new MetricOptions { Unit = "qps" });
        CacheHitRate = registry.CreateGauge("kv_cache_hit_rate", "Share of lookups the key-value cache answered, 0 to 1. For a rate over time use the counters.", ratio);
        CacheHits = registry.CreateCounter("kv_cache_hits_total", "Lookups the key-value cache answered.");
        CacheQueries = registry.CreateCounter("kv_cache_queries_total", "Lookups in the key-value cache.");
        QuantizationSpeedup = registry.CreateGauge("quantization_speedup", "Speed of the quantized model divided by that of the original.", ratio);
    }

    public Gauge LatencyImprovement { get; }

    public Gauge Throughput { get; }

    public Gauge CacheHitRate { get; }

    public Counter CacheHits { get; }

    public Counter CacheQueries { get; }

    public Gauge QuantizationSpeedup { get; }

    /// <summary>Records cache lookups and how many of them hit.</summary>
    public void TrackCache(long queries, long hits)
    {
        CacheQueries.Inc(queries);
        CacheHits.Inc(hits);
        if (CacheQueries.Value > 0)
        {
            CacheHitRate.Set(CacheHits.Value / CacheQueries.Value);
        }
    }

    /// <summary>Says what the tuning achieved.</summary>
    public void Update(double latencyImprovement, double throughputQps, double quantizationSpeedup)
    {
        LatencyImprovement.Set(latencyImprovement);
        Throughput.Set(throughputQps);
        QuantizationSpeedup.Set(quantizationSpeedup);
    }
}
