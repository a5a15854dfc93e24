using System.Globalization;

namespace OptiInfra.Metrics.Sources;

/// <summary>
/// NVIDIA accelerators by <c>gpu_id</c>: use, memory, power, temperature. Where the driver's library is not installed there is
/// no collector and nothing is said about it.
/// </summary>
public sealed class GpuCollector : IDisposable
{
    private readonly INvml _nvml;
    private readonly Gauge _utilization;
    private readonly Gauge _memoryUsed;
    private readonly Gauge _memoryTotal;
    private readonly Gauge _power;
    private readonly Gauge _temperature;
    private readonly IDisposable _subscription;

    internal GpuCollector(MetricRegistry registry, INvml nvml)
    {
        _nvml = nvml;
        _utilization = registry.CreateGauge("gpu_utilization", "Share of the time the accelerator was busy, 0 to 1.", new MetricOptions { Unit = "ratio" }, "gpu_id");
        _memoryUsed = registry.CreateGauge("gpu_memory_used_bytes", "Memory of the accelerator in use.", "gpu_id");
        _memoryTotal = registry.CreateGauge("gpu_memory_total_bytes", "Memory of the accelerator.", "gpu_id");
        _power = registry.CreateGauge("gpu_power_watts", "Power the accelerator draws.", "gpu_id");
        _temperature = registry.CreateGauge("gpu_temperature_celsius", "Temperature of the accelerator.", "gpu_id");
        _subscription = registry.OnCollect(Collect);
    }

    /// <summary>Starts to collect, or returns null where there is no NVIDIA driver.</summary>
    public static GpuCollector? TryStart(MetricRegistry registry) => NvmlLibrary.TryOpen() is { } nvml ? new GpuCollector(registry, nvml) : null;

    public void Dispose()
    {
        _subscription.Dispose();
        _nvml.Dispose();
    }

    private void Collect()
    {
        for (int index = 0; index < _nvml.DeviceCount; index++)
        {
            string id = index.ToString(CultureInfo.InvariantCulture);
            GpuReading reading = _nvml.Read(index);
            Set(_utilization, id, reading.Utilization);
            Set(_memoryUsed, id, reading.MemoryUsedBytes);
            Set(_memoryTotal, id, reading.MemoryTotalBytes);
            Set(_power, id, reading.PowerWatts);
            Set(_temperature, id, reading.TemperatureCelsius);
        }
    }

    /// <summary>What a device does not tell is not shown, rather than shown as 0.</summary>
    private static void Set(Gauge gauge, string id, double? value)
    {
        if (value is { } known)
        {
            gauge.WithLabels(id).Set(known);
        }
    }
}

/// <summary>What an accelerator told; null for what it does not support.</summary>
internal readonly record struct GpuReading(double? Utilization, double? MemoryUsedBytes, double? MemoryTotalBytes, double? PowerWatts, double? TemperatureCelsius);

/// <summary>The part of the NVIDIA management library that is read here. The real one and the recorded one of the tests.</summary>
internal interface INvml : IDisposable
{
    int DeviceCount { get; }

    GpuReading Read(int device);
}
