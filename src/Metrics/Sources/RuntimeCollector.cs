using System.Runtime;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace OptiInfra.Metrics.Sources;

/// <summary>
/// The .NET runtime: garbage collection, thread pool, locks, exceptions, compilation. Read from the runtime's own counters at scrape
/// time; no event listener runs, so an idle application pays nothing.
/// </summary>
public sealed class RuntimeCollector : IDisposable
{
    private static readonly string[] Generations = ["gen0", "gen1", "gen2", "loh", "poh"];

    private readonly Counter _collections;
    private readonly Counter _pause;
    private readonly Counter _allocated;
    private readonly Gauge _heap;
    private readonly Gauge _committed;
    private readonly Gauge _poolThreads;
    private readonly Gauge _poolQueue;
    private readonly Counter _poolItems;
    private readonly Counter _contentions;
    private readonly Counter _exceptions;
    private readonly Counter _methods;
    private readonly Gauge _assemblies;
    private readonly IDisposable _subscription;

    public RuntimeCollector(MetricRegistry registry)
    {
        _collections = registry.CreateCounter("dotnet_gc_collections_total", "Garbage collections by oldest generation collected.", "generation");
        _pause = registry.CreateCounter("dotnet_gc_pause_seconds_total", "Time the program stood still for garbage collection.");
        _allocated = registry.CreateCounter("dotnet_gc_allocated_bytes_total", "Memory allocated on the managed heap.");
        _heap = registry.CreateGauge("dotnet_gc_heap_size_bytes", "Managed heap after the last collection, by generation.", "generation");
        _committed = registry.CreateGauge("dotnet_gc_committed_bytes", "Memory the garbage collector holds.");
        _poolThreads = registry.CreateGauge("dotnet_threadpool_threads", "Threads of the thread pool.");
        _poolQueue = registry.CreateGauge("dotnet_threadpool_queue_length", "Work items that wait for a thread.");
        _poolItems = registry.CreateCounter("dotnet_threadpool_work_items_total", "Work items done.");
        _contentions = registry.CreateCounter("dotnet_lock_contentions_total", "Times a thread had to wait for a lock.");
        _exceptions = registry.CreateCounter("dotnet_exceptions_total", "Exceptions thrown, caught or not.");
        _methods = registry.CreateCounter("dotnet_jit_methods_total", "Methods compiled at run time.");
        _assemblies = registry.CreateGauge("dotnet_assemblies", "Assemblies loaded.");
        registry.CreateInfo("dotnet_runtime", "The runtime this process runs on.", "version", "os", "architecture", "gc")
            .Set(Environment.Version.ToString(), RuntimeInformation.RuntimeIdentifier, RuntimeInformation.ProcessArchitecture.ToString(), GCSettings.IsServerGC ? "server" : "workstation");
        AppDomain.CurrentDomain.FirstChanceException += CountException;
        _subscription = registry.OnCollect(Collect);
    }

    public void Dispose()
    {
        AppDomain.CurrentDomain.FirstChanceException -= CountException;
        _subscription.Dispose();
    }

    private void Collect()
    {
        GCMemoryInfo memory = GC.GetGCMemoryInfo();
        for (int generation = 0; generation <= GC.MaxGeneration; generation++)
        {
            // A collection of an older generation also counts for the younger ones; only the oldest is meant here.
            int older = generation < GC.MaxGeneration ? GC.CollectionCount(generation + 1) : 0;
            _collections.WithLabels(Generations[generation]).IncTo(GC.CollectionCount(generation) - older);
        }

        for (int generation = 0; generation < memory.GenerationInfo.Length; generation++)
        {
            _heap.WithLabels(Generations[generation]).Set(memory.GenerationInfo[generation].SizeAfterBytes);
        }

        _pause.WithLabels().IncTo(GC.GetTotalPauseDuration().TotalSeconds);
        _allocated.WithLabels().IncTo(GC.GetTotalAllocatedBytes());
        _committed.Set(memory.TotalCommittedBytes);
        _poolThreads.Set(ThreadPool.ThreadCount);
        _poolQueue.Set(ThreadPool.PendingWorkItemCount);
        _poolItems.WithLabels().IncTo(ThreadPool.CompletedWorkItemCount);
        _contentions.WithLabels().IncTo(Monitor.LockContentionCount);
        _methods.WithLabels().IncTo(JitInfo.GetCompiledMethodCount());
        _assemblies.Set(AppDomain.CurrentDomain.GetAssemblies().Length);
    }

    private void CountException(object? sender, FirstChanceExceptionEventArgs thrown) => _exceptions.Inc();
}
