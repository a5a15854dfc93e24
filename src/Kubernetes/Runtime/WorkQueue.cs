using OptiInfra.Kubernetes.Client;
using OptiInfra.Metrics;

namespace OptiInfra.Kubernetes.Runtime;

/// <summary>How a queue waits and who watches it.</summary>
public sealed record WorkQueueOptions
{
    public TimeSpan FirstBackoff { get; init; } = TimeSpan.FromMilliseconds(5);

    public TimeSpan MaxBackoff { get; init; } = TimeSpan.FromSeconds(1000);

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public KubeMetrics Metrics { get; init; } = KubeMetrics.None;
}

/// <summary>A key to work on, and the priority it was asked for with.</summary>
public sealed record WorkItem<TKey>(TKey Key, int Priority)
    where TKey : notnull;

/// <summary>
/// Keys to be worked on. A key is in here at most once, and never with two workers at a time: asked for again while being worked on, it
/// comes back once when that is done. Higher priority first, first come first served within one; a key asked for twice takes
/// the higher priority and the earlier time. One lock, one timer, no polling.
/// </summary>
public sealed class WorkQueue<TKey> : IDisposable
    where TKey : notnull
{
    /// <summary>The priority of what only might have changed: first lists and resyncs.</summary>
    public const int Low = -100;

    private readonly WorkQueueOptions options;
    private readonly WorkQueueMetrics metrics;
    private readonly Lock gate = new();
    private readonly Dictionary<TKey, Entry> entries = [];
    private readonly Dictionary<TKey, long> processing = [];
    private readonly Dictionary<TKey, int> failures = [];
    private readonly SortedSet<Entry> ready = new(Comparer<Entry>.Create((a, b) => a.Priority != b.Priority ? b.Priority.CompareTo(a.Priority) : a.Order.CompareTo(b.Order)));
    private readonly SortedSet<Entry> waiting = new(Comparer<Entry>.Create((a, b) => a.Due != b.Due ? a.Due.CompareTo(b.Due) : a.Order.CompareTo(b.Order)));
    private readonly LinkedList<TaskCompletionSource<WorkItem<TKey>?>> workers = [];
    private readonly ITimer timer;
    private long order;
    private bool closed;

    private sealed class Entry(TKey key, int priority, long order)
    {
        public TKey Key => key;

        public int Priority { get; set; } = priority;

        public long Order { get; set; } = order;

        /// <summary>The timestamp (of the monotonic clock) at which it becomes ready; 0: now.</summary>
        public long Due { get; set; }

        public long ReadySince { get; set; }
    }

    public WorkQueue(string name, WorkQueueOptions? options = null)
    {
        Name = name;
        this.options = options ?? new WorkQueueOptions();
        timer = this.options.Time.CreateTimer(_ => OnTimer(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        metrics = new WorkQueueMetrics(name, this.options.Metrics, Running);
    }

    public string Name { get; }

    /// <summary>Keys that could be worked on now.</summary>
    public int Length
    {
        get
        {
            lock (gate)
            {
                return ready.Count;
            }
        }
    }

    /// <summary>How often in a row a key failed.</summary>
    public int Failures(TKey key)
    {
        lock (gate)
        {
            return failures.GetValueOrDefault(key);
        }
    }

    /// <summary>Asks for a key to be worked on, now or after some time.</summary>
    public void Add(TKey key, int priority = 0, TimeSpan after = default)
    {
        lock (gate)
        {
            if (!closed)
            {
                Add_NeedsLock(key, priority, after);
            }
        }
    }

    /// <summary>Asks again for a key that failed, after a wait that doubles with every failure in a row.</summary>
    public void AddAfterFailure(TKey key, int priority = 0)
    {
        lock (gate)
        {
            if (closed)
            {
                return;
            }

            int count = failures[key] = failures.GetValueOrDefault(key) + 1;
            double wait = Math.Min(options.FirstBackoff.Ticks * Math.Pow(2, Math.Min(count - 1, 62)), options.MaxBackoff.Ticks);
            metrics.Retries.Inc();
            Add_NeedsLock(key, priority, TimeSpan.FromTicks((long)wait));
        }
    }

    /// <summary>The key succeeded: its next failure is its first.</summary>
    public void Forget(TKey key)
    {
        lock (gate)
        {
            failures.Remove(key);
        }
    }

    /// <summary>The next key; null when the queue is closed. Every key got must be given back with <see cref="Done"/>.</summary>
    public Task<WorkItem<TKey>?> GetAsync(CancellationToken cancellationToken)
    {
        lock (gate)
        {
            if (closed)
            {
                return Task.FromResult<WorkItem<TKey>?>(null);
            }

            if (cancellationToken.IsCancellationRequested)
            {
                return Task.FromCanceled<WorkItem<TKey>?>(cancellationToken);
            }

            if (ready.Count > 0)
            {
                return Task.FromResult<WorkItem<TKey>?>(Take_NeedsLock());
            }

            var worker = new TaskCompletionSource<WorkItem<TKey>?>(TaskCreationOptions.RunContinuationsAsynchronously);
            workers.AddLast(worker);
            return cancellationToken.CanBeCanceled ? WaitAsync(worker, cancellationToken) : worker.Task;
        }
    }

    /// <summary>The worker is done with a key, well or badly.</summary>
    public void Done(TKey key)
    {
        lock (gate)
        {
            if (processing.Remove(key, out long since))
            {
                metrics.Work.Observe(options.Time.GetElapsedTime(since).TotalSeconds);
            }

            if (entries.TryGetValue(key, out Entry? entry) && entry.Due == 0)
            {
                MakeReady_NeedsLock(entry);
            }
        }
    }

    /// <summary>No more work: waiting workers get null, keys that are still queued are dropped.</summary>
    public void Close()
    {
        lock (gate)
        {
            closed = true;
            foreach (TaskCompletionSource<WorkItem<TKey>?> worker in workers)
            {
                worker.TrySetResult(null);
            }

            workers.Clear();
            entries.Clear();
            ready.Clear();
            waiting.Clear();
            metrics.Cleared();
        }
    }

    public void Dispose()
    {
        Close();
        timer.Dispose();
        metrics.Dispose();
    }

    private void Add_NeedsLock(TKey key, int priority, TimeSpan after)
    {
        long due = after > TimeSpan.Zero ? options.Time.GetTimestamp() + (long)(after.TotalSeconds * options.Time.TimestampFrequency) : 0;
        if (!entries.TryGetValue(key, out Entry? entry))
        {
            entry = new Entry(key, priority, ++order) { Due = due };
            entries.Add(key, entry);
            metrics.Adds.Inc();
            Place_NeedsLock(entry);
            return;
        }

        bool wasReady = ready.Remove(entry);
        if (wasReady)
        {
            metrics.Left(entry.Priority);
        }

        waiting.Remove(entry);
        entry.Priority = Math.Max(entry.Priority, priority);
        entry.Due = Math.Min(entry.Due, due);
        Place_NeedsLock(entry);
    }

    private void Place_NeedsLock(Entry entry)
    {
        if (entry.Due == 0)
        {
            MakeReady_NeedsLock(entry);
            return;
        }

        waiting.Add(entry);
        if (ReferenceEquals(waiting.Min, entry))
        {
            Arm_NeedsLock();
        }
    }

    // A key that a worker holds stays out of the ready set until the worker is done.
    private void MakeReady_NeedsLock(Entry entry)
    {
        entry.ReadySince = entry.ReadySince == 0 ? options.Time.GetTimestamp() : entry.ReadySince;
        if (processing.ContainsKey(entry.Key))
        {
            return;
        }

        ready.Add(entry);
        metrics.Entered(entry.Priority);
        while (ready.Count > 0 && workers.First is { } first)
        {
            workers.RemoveFirst();
            Hand_NeedsLock(first.Value);
        }
    }

    private void Hand_NeedsLock(TaskCompletionSource<WorkItem<TKey>?> worker)
    {
        Entry next = ready.Min!;
        if (worker.TrySetResult(new WorkItem<TKey>(next.Key, next.Priority)))
        {
            Take_NeedsLock();
        }
    }

    private WorkItem<TKey> Take_NeedsLock()
    {
        Entry next = ready.Min!;
        ready.Remove(next);
        entries.Remove(next.Key);
        processing[next.Key] = options.Time.GetTimestamp();
        metrics.Left(next.Priority);
        metrics.Queue.Observe(options.Time.GetElapsedTime(next.ReadySince).TotalSeconds);
        return new WorkItem<TKey>(next.Key, next.Priority);
    }

    private async Task<WorkItem<TKey>?> WaitAsync(TaskCompletionSource<WorkItem<TKey>?> worker, CancellationToken cancellationToken)
    {
        CancellationTokenRegistration registration = cancellationToken.Register(() =>
        {
            lock (gate)
            {
                workers.Remove(worker);
                worker.TrySetCanceled(cancellationToken);
            }
        });
        await using (registration.ConfigureAwait(false))
        {
            return await worker.Task.ConfigureAwait(false);
        }
    }

    private void OnTimer()
    {
        lock (gate)
        {
            long now = options.Time.GetTimestamp();
            while (waiting.Min is { } entry && entry.Due <= now)
            {
                waiting.Remove(entry);
                entry.Due = 0;
                entry.Order = ++order;
                MakeReady_NeedsLock(entry);
            }

            Arm_NeedsLock();
        }
    }

    private void Arm_NeedsLock()
    {
        if (waiting.Min is { } first && !closed)
        {
            TimeSpan wait = options.Time.GetElapsedTime(options.Time.GetTimestamp(), first.Due);
            // Timers count whole milliseconds and must not fire early.
            timer.Change(TimeSpan.FromMilliseconds(Math.Max(0, Math.Ceiling(wait.TotalMilliseconds))), Timeout.InfiniteTimeSpan);
        }
    }

    private (double Total, double Longest) Running()
    {
        lock (gate)
        {
            double total = 0;
            double longest = 0;
            foreach (long since in processing.Values)
            {
                double seconds = options.Time.GetElapsedTime(since).TotalSeconds;
                total += seconds;
                longest = Math.Max(longest, seconds);
            }

            return (total, longest);
        }
    }
}

/// <summary>The <c>workqueue_*</c> series of one queue.</summary>
internal sealed class WorkQueueMetrics : IDisposable
{
    /// <summary>More priorities than this share one series: a label must not grow with user input.</summary>
    private const int MaxPriorities = 25;

    private readonly string name;
    private readonly KubeMetrics metrics;
    private readonly IDisposable collecting;
    private readonly Dictionary<int, GaugeSeries> depths = [];

    public WorkQueueMetrics(string name, KubeMetrics metrics, Func<(double Total, double Longest)> running)
    {
        this.name = name;
        this.metrics = metrics;
        Adds = metrics.QueueAdds.WithLabels(name, name);
        Retries = metrics.QueueRetries.WithLabels(name, name);
        Queue = metrics.QueueSeconds.WithLabels(name, name);
        Work = metrics.WorkSeconds.WithLabels(name, name);
        GaugeSeries unfinished = metrics.UnfinishedSeconds.WithLabels(name, name);
        GaugeSeries longest = metrics.LongestRunningSeconds.WithLabels(name, name);
        Depth(0);
        collecting = metrics.Registry.OnCollect(() =>
        {
            (double total, double max) = running();
            unfinished.Set(total);
            longest.Set(max);
        });
    }

    public CounterSeries Adds { get; }

    public CounterSeries Retries { get; }

    public HistogramSeries Queue { get; }

    public HistogramSeries Work { get; }

    public void Entered(int priority) => Depth(priority).Inc();

    public void Left(int priority) => Depth(priority).Dec();

    public void Cleared()
    {
        foreach (GaugeSeries depth in depths.Values)
        {
            depth.Set(0);
        }
    }

    public void Dispose() => collecting.Dispose();

    private GaugeSeries Depth(int priority)
    {
        if (!depths.TryGetValue(priority, out GaugeSeries? depth))
        {
            string label = depths.Count < MaxPriorities ? priority.ToString(System.Globalization.CultureInfo.InvariantCulture) : "exceeded_cardinality_limit";
            depths[priority] = depth = metrics.QueueDepth.WithLabels(name, name, label);
        }

        return depth;
    }
}
