using OptiInfra.Metrics.Sources;

namespace OptiInfra.Metrics.Tests.Sources;

public sealed class CollectorsTests
{
    [Fact]
    public void The_process_shows_what_it_uses()
    {
        var registry = new MetricRegistry();
        using var collector = new ProcessCollector(registry);
        registry.Collect();
        Assert.InRange(Gauge(registry, "process_resident_memory_bytes"), 1e6, 1e11);
        Assert.InRange(Gauge(registry, "process_open_fds"), 1, 1e6);
        Assert.InRange(Gauge(registry, "process_start_time_seconds"), 1.6e9, TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());
        Assert.True(((Counter)registry.Find("process_cpu_seconds_total")!).Value > 0);
    }

    [Fact]
    public void The_runtime_counts_collections_and_exceptions()
    {
        var registry = new MetricRegistry();
        using var collector = new RuntimeCollector(registry);
        var collections = (Counter)registry.Find("dotnet_gc_collections_total")!;
        var exceptions = (Counter)registry.Find("dotnet_exceptions_total")!;
        registry.Collect();
        double before = collections.WithLabels("gen2").Value;
        GC.Collect();
        Assert.Throws<FormatException>(() => int.Parse("x"));
        registry.Collect();
        Assert.True(collections.WithLabels("gen2").Value > before);
        Assert.True(exceptions.Value >= 1);
    }

    [Fact]
    public void Accelerators_are_shown_by_id_and_what_they_do_not_tell_is_left_out()
    {
        var registry = new MetricRegistry();
        using var collector = new GpuCollector(registry, new TwoDevices());
        string text = registry.WriteText();
        Assert.Contains("\ngpu_utilization{gpu_id=\"0\"} 0.87\n", text, StringComparison.Ordinal);
        Assert.Contains("\ngpu_utilization{gpu_id=\"1\"} 0.05\n", text, StringComparison.Ordinal);
        Assert.Contains("\ngpu_memory_total_bytes{gpu_id=\"0\"} 85899345920\n", text, StringComparison.Ordinal);
        Assert.Contains("\ngpu_power_watts{gpu_id=\"0\"} 412.5\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("gpu_power_watts{gpu_id=\"1\"}", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_the_drivers_library_nothing_is_collected_and_nothing_fails()
    {
        var registry = new MetricRegistry();
        using GpuCollector? collector = GpuCollector.TryStart(registry);
        Assert.Equal(collector is not null, registry.Find("gpu_utilization") is not null);
    }

    private static double Gauge(MetricRegistry registry, string name) => ((Gauge)registry.Find(name)!).Value;

    /// <summary>What two devices told once, the second without a power meter.</summary>
    private sealed class TwoDevices : INvml
    {
        public int DeviceCount => 2;

        public GpuReading Read(int device) => device == 0 ? new(0.87, 40e9, 85899345920, 412.5, 61) : new(0.05, 1e9, 85899345920, null, 35);

        public void Dispose()
        {
        }
    }
}
