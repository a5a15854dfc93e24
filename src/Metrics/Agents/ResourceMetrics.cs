namespace OptiInfra.Metrics.Agents;

/// <summary>The resource agent: accelerators and scaling.</summary>
public sealed class ResourceMetrics
{
    public ResourceMetrics(MetricRegistry registry)
    {
        GpuUtilization = registry.CreateGauge("gpu_utilization", "Share of the time the accelerator was busy, 0 to 1.", new MetricOptions { Unit = "ratio" }, "gpu_id");
        ScalingEvents = registry.CreateCounter("scaling_events_total", "Changes of the number of replicas, by direction.", new MetricOptions { InitialSeries = [["up"], ["down"]] }, "direction");
        MemoryUtilization = registry.CreateGauge("memory_utilization", "Share of the memory limit in use, 0 to 1.", new MetricOptions { Unit = "ratio" });
        CostPerHour = registry.CreateGauge("resource_cost_usd_per_hour", "Current cost of a class of resources, in US dollars per hour.", "resource");
        Consolidation = registry.CreateGauge("resource_consolidation_ratio", "Workloads per node after consolidation divided by before.", new MetricOptions { Unit = "ratio" });
    }

    public Gauge GpuUtilization { get; }

    public Counter ScalingEvents { get; }

    public Gauge MemoryUtilization { get; }

    public Gauge CostPerHour { get; }

    public Gauge Consolidation { get; }

    /// <summary>Records a change of replicas; no change is no event.</summary>
    public void TrackScaling(int before, int after)
    {
        if (before != after)
        {
            ScalingEvents.WithLabels(after > before ? "up" : "down").Inc();
        }
    }
}
