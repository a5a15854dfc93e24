using System.Diagnostics;
using System.Globalization;

namespace OptiInfra.Metrics.Sources;

/// <summary>
/// The process as the operating system sees it, in the names all Prometheus clients use. Everything is read when scraped;
/// nothing runs in between.
/// </summary>
public sealed class ProcessCollector : IDisposable
{
    private readonly Process _process = Process.GetCurrentProcess();
    private readonly Counter _cpu;
    private readonly Gauge _resident;
    private readonly Gauge _virtual;
    private readonly Gauge _threads;
    private readonly Gauge _openFiles;
    private readonly IDisposable _subscription;

    public ProcessCollector(MetricRegistry registry)
    {
        _cpu = registry.CreateCounter("process_cpu_seconds_total", "CPU time used, user and system.");
        _resident = registry.CreateGauge("process_resident_memory_bytes", "Memory held in RAM.");
        _virtual = registry.CreateGauge("process_virtual_memory_bytes", "Address space reserved.");
        _threads = registry.CreateGauge("process_threads", "Threads of the operating system.");
        _openFiles = registry.CreateGauge("process_open_fds", "Open file descriptors or handles.");
        registry.CreateGauge("process_start_time_seconds", "When the process started, in seconds since 1970.")
            .Set(new DateTimeOffset(_process.StartTime.ToUniversalTime()).ToUnixTimeMilliseconds() / 1000.0);
        if (MaxOpenFiles() is { } limit)
        {
            registry.CreateGauge("process_max_fds", "Most file descriptors the process may open.").Set(limit);
        }

        _subscription = registry.OnCollect(Collect);
    }

    public void Dispose()
    {
        _subscription.Dispose();
        _process.Dispose();
    }

    private void Collect()
    {
        _process.Refresh();
        _cpu.WithLabels().IncTo(_process.TotalProcessorTime.TotalSeconds);
        _resident.Set(_process.WorkingSet64);
        _virtual.Set(_process.VirtualMemorySize64);
        _threads.Set(_process.Threads.Count);
        _openFiles.Set(OperatingSystem.IsLinux() ? Directory.EnumerateFileSystemEntries("/proc/self/fd").Count() : _process.HandleCount);
    }

    private static double? MaxOpenFiles()
    {
        const string limits = "/proc/self/limits";
        if (!File.Exists(limits))
        {
            return null;
        }

        string? line = File.ReadLines(limits).FirstOrDefault(text => text.StartsWith("Max open files", StringComparison.Ordinal));
        string? soft = line?.Split(' ', StringSplitOptions.RemoveEmptyEntries).ElementAtOrDefault(3);
        return double.TryParse(soft, NumberStyles.Integer, CultureInfo.InvariantCulture, out double value) ? value : null;
    }
}
