using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Runtime;
using OptiInfra.Metrics;

namespace OptiInfra.Kubernetes.Tests.Runtime;

public sealed class WorkQueueTests
{
    private readonly VirtualTime time = new();
    private readonly KubeMetrics metrics = new(new MetricRegistry());

    private WorkQueue<string> Queue() => new("q", new WorkQueueOptions { Time = time, Metrics = metrics });

    [Fact]
    public async Task A_thousand_adds_during_a_run_make_exactly_one_more_run()
    {
        using WorkQueue<string> queue = Queue();
        queue.Add("a");
        WorkItem<string>? first = await queue.GetAsync(default);
        for (int i = 0; i < 1000; i++)
        {
            queue.Add("a");
        }

        Assert.Equal(0, queue.Length);
        queue.Done(first!.Key);
        Assert.Equal("a", (await queue.GetAsync(default))!.Key);
        queue.Done("a");
        Assert.Equal(0, queue.Length);
    }

    [Fact]
    public async Task Failures_wait_five_milliseconds_doubling_up_to_a_thousand_seconds()
    {
        using WorkQueue<string> queue = Queue();
        for (int n = 0; n < 20; n++)
        {
            queue.AddAfterFailure("a");
            double expected = Math.Min(5 * Math.Pow(2, n), 1_000_000);
            time.Advance(TimeSpan.FromMilliseconds(expected - 1));
            Assert.Equal(0, queue.Length);
            time.Advance(TimeSpan.FromMilliseconds(1));
            Assert.Equal(1, queue.Length);
            queue.Done((await queue.GetAsync(default))!.Key);
        }

        Assert.Equal(20, queue.Failures("a"));
        queue.Forget("a");
        queue.AddAfterFailure("a");
        time.Advance(TimeSpan.FromMilliseconds(5));
        Assert.Equal(1, queue.Length);
    }

    [Fact]
    public async Task A_fresh_edit_overtakes_fifty_thousand_resyncs()
    {
        using WorkQueue<string> queue = Queue();
        for (int i = 0; i < 50_000; i++)
        {
            queue.Add($"old-{i}", WorkQueue<string>.Low);
        }

        queue.Add("old-40000");
        queue.Add("new");
        Assert.Equal("old-40000", (await queue.GetAsync(default))!.Key);
        Assert.Equal("new", (await queue.GetAsync(default))!.Key);
        Assert.Equal("old-0", (await queue.GetAsync(default))!.Key);
    }

    [Fact]
    public async Task Within_a_priority_the_first_asked_for_is_the_first_served()
    {
        using WorkQueue<string> queue = Queue();
        foreach (string key in (string[])["a", "b", "c", "a"])
        {
            queue.Add(key);
        }

        Assert.Equal("a", (await queue.GetAsync(default))!.Key);
        Assert.Equal("b", (await queue.GetAsync(default))!.Key);
        Assert.Equal("c", (await queue.GetAsync(default))!.Key);
    }

    [Fact]
    public async Task Asking_twice_takes_the_higher_priority_and_the_earlier_time()
    {
        using WorkQueue<string> queue = Queue();
        queue.Add("a", 5, TimeSpan.FromMinutes(10));
        queue.Add("a", 1, TimeSpan.FromMinutes(1));
        time.Advance(TimeSpan.FromMinutes(1));
        WorkItem<string>? item = await queue.GetAsync(default);
        Assert.Equal(new WorkItem<string>("a", 5), item);
        queue.Done("a");
        time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(0, queue.Length);
    }

    [Fact]
    public async Task A_requeue_is_not_lost_when_a_change_comes_before_it()
    {
        using WorkQueue<string> queue = Queue();
        queue.Add("a", 0, TimeSpan.FromSeconds(30));
        queue.Add("a"); // our own status write comes back
        Assert.Equal("a", (await queue.GetAsync(default))!.Key);
        queue.Add("a", 0, TimeSpan.FromSeconds(30)); // that run asks for its time again
        queue.Done("a");
        time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal("a", (await queue.GetAsync(default))!.Key);
    }

    [Fact]
    public async Task A_waiting_worker_gets_what_becomes_due()
    {
        using WorkQueue<string> queue = Queue();
        Task<WorkItem<string>?> worker = queue.GetAsync(default);
        queue.Add("later", 0, TimeSpan.FromSeconds(2));
        queue.Add("sooner", 0, TimeSpan.FromSeconds(1));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("sooner", (await worker)!.Key);
        Assert.Equal(0, queue.Length);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, queue.Length);
    }

    [Fact]
    public async Task A_cancelled_worker_takes_nothing_with_it()
    {
        using WorkQueue<string> queue = Queue();
        using var cancel = new CancellationTokenSource();
        Task<WorkItem<string>?> impatient = queue.GetAsync(cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => impatient);
        queue.Add("a");
        Assert.Equal("a", (await queue.GetAsync(default))!.Key);
    }

    [Fact]
    public async Task Closing_frees_waiting_workers_and_refuses_more()
    {
        WorkQueue<string> queue = Queue();
        Task<WorkItem<string>?>[] workers = [.. Enumerable.Range(0, 3).Select(_ => queue.GetAsync(default))];
        queue.Close();
        Assert.All(await Task.WhenAll(workers), Assert.Null);
        queue.Add("a");
        Assert.Null(await queue.GetAsync(default));
        queue.Dispose();
    }

    [Fact]
    public async Task Many_workers_never_hold_one_key_twice()
    {
        using WorkQueue<string> queue = new("real");
        var held = new System.Collections.Concurrent.ConcurrentDictionary<string, int>();
        int runs = 0;
        async Task WorkAsync()
        {
            await Task.Yield();
            while (await queue.GetAsync(default) is { } item)
            {
                Assert.True(held.TryAdd(item.Key, 1), $"{item.Key} was handed out twice");
                await Task.Yield();
                held.TryRemove(item.Key, out _);
                if (Interlocked.Increment(ref runs) <= 20_000)
                {
                    queue.Add(item.Key, runs % 3);
                }

                queue.Done(item.Key);
            }
        }

        Task[] workers = [.. Enumerable.Range(0, 8).Select(_ => WorkAsync())];
        for (int i = 0; i < 50; i++)
        {
            queue.Add($"k{i}");
        }

        await Eventually.TrueAsync(() => Volatile.Read(ref runs) >= 20_000 && queue.Length == 0 && held.IsEmpty);
        queue.Close();
        await Task.WhenAll(workers);
    }

    [Fact]
    public async Task Metrics_follow_what_happens()
    {
        using WorkQueue<string> queue = Queue();
        Assert.Contains("workqueue_depth{name=\"q\",controller=\"q\",priority=\"0\"} 0", metrics.Registry.WriteText());
        queue.Add("a");
        queue.Add("b", -100);
        queue.Add("b", -100);
        string text = metrics.Registry.WriteText();
        Assert.Contains("workqueue_depth{name=\"q\",controller=\"q\",priority=\"0\"} 1", text);
        Assert.Contains("workqueue_depth{name=\"q\",controller=\"q\",priority=\"-100\"} 1", text);
        Assert.Contains("workqueue_adds_total{name=\"q\",controller=\"q\"} 2", text);
        queue.Add("b"); // its priority rises
        Assert.Contains("priority=\"-100\"} 0", metrics.Registry.WriteText());
        await queue.GetAsync(default);
        time.Advance(TimeSpan.FromSeconds(3));
        text = metrics.Registry.WriteText();
        Assert.Contains("workqueue_longest_running_processor_seconds{name=\"q\",controller=\"q\"} 3", text);
        Assert.Contains("workqueue_unfinished_work_seconds{name=\"q\",controller=\"q\"} 3", text);
        queue.Done("a");
        Assert.Contains("workqueue_work_duration_seconds_count{name=\"q\",controller=\"q\"} 1", metrics.Registry.WriteText());
    }

    [Fact]
    public void Any_number_of_priorities_makes_at_most_a_few_series()
    {
        using WorkQueue<string> queue = Queue();
        for (int i = 0; i < 1000; i++)
        {
            queue.Add($"k{i}", i);
        }

        Assert.InRange(metrics.QueueDepth.SeriesCount, 20, 26);
    }
}
