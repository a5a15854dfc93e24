using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;
using OptiInfra.Kubernetes.Runtime;
using OptiInfra.Metrics;
using static OptiInfra.Kubernetes.Tests.ScriptedServer;

namespace OptiInfra.Kubernetes.Tests.Runtime;

public sealed class ControllerTests
{
    private static readonly ObjectKey A = new("default", "a");

    [Fact]
    public async Task A_reconcile_that_throws_is_counted_isolated_and_retried()
    {
        int runs = 0;
        await using var stand = await Stand.StartAsync((_, _) => Interlocked.Increment(ref runs) == 1
            ? throw new InvalidOperationException("bug")
            : Task.FromResult(ReconcileResult.Done));
        await stand.Time.PassUntilAsync(() => Volatile.Read(ref runs) == 2, TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, stand.Metrics.ReconcilePanics.WithLabels("c").Value);
        Assert.Equal(1, stand.Metrics.ReconcileErrors.WithLabels("c").Value);
        await Eventually.TrueAsync(() => stand.Metrics.Reconciles.WithLabels("c", "success").Value == 1);
    }

    [Fact]
    public async Task A_terminal_error_is_counted_and_not_retried()
    {
        int runs = 0;
        await using var stand = await Stand.StartAsync((_, _) =>
        {
            Interlocked.Increment(ref runs);
            throw new TerminalReconcileException("the user has to change something");
        });
        await Eventually.TrueAsync(() => stand.Metrics.TerminalErrors.WithLabels("c").Value == 1);
        stand.Time.Advance(TimeSpan.FromHours(2));
        Assert.Equal(1, runs);
        Assert.Equal(0, stand.Metrics.ReconcilePanics.WithLabels("c").Value);
    }

    [Fact]
    public async Task A_requeue_comes_exactly_when_asked_for_and_forgets_earlier_failures()
    {
        int runs = 0;
        await using var stand = await Stand.StartAsync((_, _) => Interlocked.Increment(ref runs) switch
        {
            1 => throw new TimeoutException("the database sleeps"),
            2 => Task.FromResult(ReconcileResult.RequeueAfter(TimeSpan.FromMinutes(5))),
            _ => Task.FromResult(ReconcileResult.Done),
        });
        await stand.Time.PassUntilAsync(() => stand.Metrics.Reconciles.WithLabels("c", "requeue_after").Value == 1, TimeSpan.FromMilliseconds(1));
        Assert.Equal(0, stand.Metrics.ReconcilePanics.WithLabels("c").Value); // a failing environment is no bug
        stand.Time.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromSeconds(1));
        Assert.Equal(2, runs);
        await stand.Time.PassUntilAsync(() => Volatile.Read(ref runs) == 3);
    }

    [Fact]
    public async Task A_reconcile_that_takes_too_long_is_cancelled_and_counted()
    {
        int runs = 0;
        await using var stand = await Stand.StartAsync(
            async (_, cancellationToken) =>
            {
                if (Interlocked.Increment(ref runs) == 1)
                {
                    await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
                }

                return ReconcileResult.Done;
            },
            options => options with { ReconcileTimeout = TimeSpan.FromSeconds(30) });
        await Eventually.TrueAsync(() => Volatile.Read(ref runs) == 1);
        await stand.Time.PassUntilAsync(() => Volatile.Read(ref runs) == 2, TimeSpan.FromSeconds(1));
        Assert.True(stand.Time.Elapsed >= TimeSpan.FromSeconds(30));
        Assert.Equal(1, stand.Metrics.ReconcileTimeouts.WithLabels("c").Value);
    }

    [Fact]
    public async Task A_running_reconcile_finishes_after_the_stop_and_no_new_one_starts()
    {
        int runs = 0;
        var finish = new TaskCompletionSource();
        bool finished = false;
        await using var stand = await Stand.StartAsync(async (_, cancellationToken) =>
        {
            Interlocked.Increment(ref runs);
            await finish.Task.WaitAsync(cancellationToken);
            finished = true;
            return ReconcileResult.Done;
        });
        await Eventually.TrueAsync(() => Volatile.Read(ref runs) == 1);
        await stand.Stop.CancelAsync();
        stand.Controller.Enqueue(new ObjectKey("default", "b"));
        stand.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.False(stand.Running.IsCompleted);
        finish.SetResult();
        await stand.Running;
        Assert.True(finished);
        Assert.Equal(1, runs);
    }

    [Fact]
    public async Task Lost_leadership_cancels_what_runs_at_once()
    {
        using var lost = new CancellationTokenSource();
        var started = new TaskCompletionSource();
        var cancelled = new TaskCompletionSource();
        await using var stand = await Stand.StartAsync(
            async (_, cancellationToken) =>
            {
                started.SetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                cancelled.SetResult();
                return ReconcileResult.Done;
            },
            abort: lost.Token);
        await started.Task;
        await lost.CancelAsync();
        await cancelled.Task;
    }

    [Fact]
    public async Task The_first_reconcile_sees_complete_caches()
    {
        int seen = -1;
        Stand? stand = null;
        await using (stand = await Stand.StartAsync(
            (_, _) =>
            {
                Interlocked.CompareExchange(ref seen, stand!.Others.Store.Count, -1);
                return Task.FromResult(ReconcileResult.Done);
            },
            slowOthers: true))
        {
            await Eventually.TrueAsync(() => Volatile.Read(ref seen) >= 0);
            Assert.Equal(2, seen);
        }
    }

    [Fact]
    public async Task The_log_scope_names_controller_object_and_run()
    {
        var scopes = new ConcurrentQueue<IReadOnlyDictionary<string, object>>();
        int runs = 0;
        await using var stand = await Stand.StartAsync(
            (_, _) =>
            {
                Interlocked.Increment(ref runs);
                return Task.FromResult(ReconcileResult.Done);
            },
            options => options with { Logger = new ScopeLog(scopes) });
        await Eventually.TrueAsync(() => Volatile.Read(ref runs) == 1);
        IReadOnlyDictionary<string, object> scope = scopes.First();
        Assert.Equal(("c", "default", "a"), ((string)scope["controller"], (string)scope["namespace"], (string)scope["name"]));
        Assert.NotEqual(Guid.Empty, scope["reconcileID"]);
    }

    [Fact]
    public async Task A_cache_that_never_fills_is_named()
    {
        var time = new VirtualTime();
        await using ScriptedServer server = await ScriptedServer.StartAsync((context, _) => StatusAsync(context, 403, "Forbidden"));
        using var client = new KubeClient(server.Config, new KubeClientOptions { Time = time });
        var informer = new Informer<ConfigMap>(client, KubeTypes.ConfigMaps);
        using var controller = new Controller<ConfigMap>("c", informer, (_, _) => Task.FromResult(ReconcileResult.Done), new ControllerOptions { Time = time });
        Task running = controller.RunAsync(CancellationToken.None);
        await time.PassUntilAsync(() => running.IsCompleted, TimeSpan.FromSeconds(1));
        TimeoutException e = await Assert.ThrowsAsync<TimeoutException>(() => running);
        Assert.Equal("controller c: no complete list of configmaps within 120 s; is the kind installed and may we list it?", e.Message);
    }

    [Fact]
    public void All_series_are_there_at_zero_before_anything_happens()
    {
        var metrics = new KubeMetrics(new MetricRegistry());
        using var client = new KubeClient(new KubeConfig { Server = new Uri("http://127.0.0.1:1") });
        using var controller = new Controller<ConfigMap>("c", new Informer<ConfigMap>(client, KubeTypes.ConfigMaps), (_, _) => Task.FromResult(ReconcileResult.Done), new ControllerOptions { Metrics = metrics });
        string text = metrics.Registry.WriteText();
        foreach (string series in (string[])
            [
                "controller_runtime_reconcile_total{controller=\"c\",result=\"success\"} 0",
                "controller_runtime_reconcile_total{controller=\"c\",result=\"error\"} 0",
                "controller_runtime_reconcile_total{controller=\"c\",result=\"requeue\"} 0",
                "controller_runtime_reconcile_total{controller=\"c\",result=\"requeue_after\"} 0",
                "controller_runtime_reconcile_errors_total{controller=\"c\"} 0",
                "controller_runtime_terminal_reconcile_errors_total{controller=\"c\"} 0",
                "controller_runtime_reconcile_panics_total{controller=\"c\"} 0",
                "controller_runtime_reconcile_timeouts_total{controller=\"c\"} 0",
                "controller_runtime_reconcile_time_seconds_count{controller=\"c\"} 0",
                "controller_runtime_max_concurrent_reconciles{controller=\"c\"} 1",
                "controller_runtime_active_workers{controller=\"c\"} 0",
                "workqueue_depth{name=\"c\",controller=\"c\",priority=\"0\"} 0",
                "workqueue_adds_total{name=\"c\",controller=\"c\"} 0",
                "workqueue_retries_total{name=\"c\",controller=\"c\"} 0",
                "workqueue_queue_duration_seconds_count{name=\"c\",controller=\"c\"} 0",
                "workqueue_work_duration_seconds_count{name=\"c\",controller=\"c\"} 0",
                "workqueue_unfinished_work_seconds{name=\"c\",controller=\"c\"} 0",
                "workqueue_longest_running_processor_seconds{name=\"c\",controller=\"c\"} 0",
            ])
        {
            Assert.Contains(series + "\n", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Two_controllers_of_one_name_are_refused()
    {
        using var client = new KubeClient(new KubeConfig { Server = new Uri("http://127.0.0.1:1") });
        var informer = new Informer<ConfigMap>(client, KubeTypes.ConfigMaps);
        using var one = new Controller<ConfigMap>("same", informer, (_, _) => Task.FromResult(ReconcileResult.Done));
        using var two = new Controller<ConfigMap>("same", informer, (_, _) => Task.FromResult(ReconcileResult.Done));
        var host = new RuntimeHost(new RuntimeHostOptions { Controllers = [one, two] });
        await Assert.ThrowsAsync<ArgumentException>(() => host.RunAsync(CancellationToken.None));
    }

    [Fact]
    public async Task A_host_starts_servers_first_and_stops_them_last()
    {
        var order = new ConcurrentQueue<string>();
        using var stop = new CancellationTokenSource();
        var host = new RuntimeHost(new RuntimeHostOptions { Servers = [token => NoteAsync("server", token)], LeaderWork = [token => NoteAsync("work", token)] });
        Task running = host.RunAsync(stop.Token);
        await Eventually.TrueAsync(() => order.Count == 2);
        Assert.True(host.IsReady);
        await stop.CancelAsync();
        await running;
        Assert.Equal(["server up", "work up", "work down", "server down"], order);

        async Task NoteAsync(string what, CancellationToken token)
        {
            order.Enqueue($"{what} up");
            await Task.Delay(Timeout.InfiniteTimeSpan, token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            order.Enqueue($"{what} down");
        }
    }

    [Fact]
    public async Task A_part_that_fails_ends_the_host_with_its_exception()
    {
        var host = new RuntimeHost(new RuntimeHostOptions
        {
            Servers = [token => Task.Delay(Timeout.InfiniteTimeSpan, token)],
            LeaderWork = [async _ =>
            {
                await Task.Yield();
                throw new InvalidOperationException("broken part");
            }],
        });
        InvalidOperationException e = await Assert.ThrowsAsync<InvalidOperationException>(() => host.RunAsync(CancellationToken.None));
        Assert.Equal("broken part", e.Message);
    }

    private sealed class ScopeLog(ConcurrentQueue<IReadOnlyDictionary<string, object>> scopes) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
        {
            scopes.Enqueue((IReadOnlyDictionary<string, object>)(object)state);
            return null;
        }

        public bool IsEnabled(LogLevel logLevel) => false;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
        }
    }

    /// <summary>A controller over one ConfigMap, and a second cache that it watches.</summary>
    private sealed class Stand : IAsyncDisposable
    {
        private readonly ScriptedServer server;
        private readonly KubeClient client;

        private Stand(ScriptedServer server, Func<ObjectKey, CancellationToken, Task<ReconcileResult>> reconcile, Func<ControllerOptions, ControllerOptions>? change, CancellationToken abort)
        {
            this.server = server;
            client = new KubeClient(server.Config, new KubeClientOptions { Time = Time });
            var informer = new Informer<ConfigMap>(client, KubeTypes.ConfigMaps, new InformerOptions<ConfigMap> { UseWatchList = false });
            Others = new Informer<Secret>(client, KubeTypes.Secrets, new InformerOptions<Secret> { UseWatchList = false });
            var options = new ControllerOptions { Time = Time, Metrics = Metrics };
            Controller = new Controller<ConfigMap>("c", informer, reconcile, change?.Invoke(options) ?? options);
            Controller.Watches(Others, _ => []);
            Running = Controller.RunAsync(Stop.Token, abort);
        }

        public VirtualTime Time { get; } = new();

        public KubeMetrics Metrics { get; } = new(new MetricRegistry());

        public Controller<ConfigMap> Controller { get; }

        public Informer<Secret> Others { get; }

        public CancellationTokenSource Stop { get; } = new();

        public Task Running { get; }

        public static async Task<Stand> StartAsync(
            Func<ObjectKey, CancellationToken, Task<ReconcileResult>> reconcile,
            Func<ControllerOptions, ControllerOptions>? change = null,
            bool slowOthers = false,
            CancellationToken abort = default)
        {
            ScriptedServer server = await ScriptedServer.StartAsync(async (context, request) =>
            {
                bool secrets = request.Path.EndsWith("secrets", StringComparison.Ordinal);
                if (request.IsWatch)
                {
                    await HoldAsync(context);
                }
                else if (secrets)
                {
                    await Task.Delay(slowOthers ? 300 : 0, context.RequestAborted);
                    await JsonAsync(context, 200, List("5", slowOthers ? [ConfigMap("s1", "1"), ConfigMap("s2", "2")] : []).Replace("\"data\"", "\"ignored\"", StringComparison.Ordinal));
                }
                else
                {
                    await JsonAsync(context, 200, List("5", [ConfigMap(A.Name, "5")]));
                }
            });
            return new Stand(server, reconcile, change, abort);
        }

        public async ValueTask DisposeAsync()
        {
            await Stop.CancelAsync();
            await Running;
            Controller.Dispose();
            client.Dispose();
            await server.DisposeAsync();
            Stop.Dispose();
        }
    }
}
