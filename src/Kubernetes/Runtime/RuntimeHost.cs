using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace OptiInfra.Kubernetes.Runtime;

/// <summary>What one process of an operator runs.</summary>
public sealed record RuntimeHostOptions
{
    /// <summary>Long-running parts that every replica has and that come first: probes, metrics, webhooks.</summary>
    public IReadOnlyList<Func<CancellationToken, Task>> Servers { get; init; } = [];

    /// <summary>Caches that nobody's controller runs but that others read.</summary>
    public IReadOnlyList<Informer> Informers { get; init; } = [];

    public IReadOnlyList<Controller> Controllers { get; init; } = [];

    /// <summary>Further work of the leader alone.</summary>
    public IReadOnlyList<Func<CancellationToken, Task>> LeaderWork { get; init; } = [];

    /// <summary>Null: there is one replica, which always leads.</summary>
    public LeaderElector? Elector { get; init; }

    public EventRecorder? Events { get; init; }

    public ILogger Logger { get; init; } = NullLogger.Instance;
}

/// <summary>
/// Starts and stops the parts of an operator in the order that works. Up: servers first (a conversion webhook must answer before
/// the first list can), then caches, then the controllers' sources so that a standby is warm, then the election, then the workers.
/// Down: workers (with their grace), the lease, caches, events, servers. What fails ends the whole: a process with a part
/// missing looks alive and is not.
/// </summary>
public sealed class RuntimeHost(RuntimeHostOptions options)
{
    /// <summary>All caches are complete; what a readiness probe asks.</summary>
    public bool IsReady => AllInformers.All(informer => informer.HasSynced);

    private IEnumerable<Informer> AllInformers => options.Informers.Concat(options.Controllers.SelectMany(controller => controller.Informers)).Distinct();

    /// <summary>Runs until stopped (then it returns) or until a part fails (then it throws what that part threw).</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        RefuseTwins();
        using var servers = new Stage(options.Servers);
        using var events = new Stage(options.Events is { } recorder ? [recorder.RunAsync] : []);
        using var caches = new Stage([.. AllInformers.Select(informer => (Func<CancellationToken, Task>)informer.RunAsync)]);
        using var work = new Stage([LeadAsync]);
        Stage[] stages = [servers, events, caches, work];
        try
        {
            using CancellationTokenRegistration onStop = stop.Register(work.Stop);
            foreach (Stage stage in stages)
            {
                stage.Start();
            }

            Task ended = await Task.WhenAny([work.Completion, servers.Failure, events.Failure, caches.Failure]).ConfigureAwait(false);
            await ended.ConfigureAwait(false);
        }
        finally
        {
            foreach (Stage stage in stages.Reverse())
            {
                await stage.StopAndWaitAsync().ConfigureAwait(false);
            }
        }

        await work.Completion.ConfigureAwait(false);
    }

    private async Task LeadAsync(CancellationToken stop)
    {
        try
        {
            await Task.WhenAll(options.Controllers.Select(controller => controller.WarmUpAsync(stop))).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return;
        }

        options.Logger.LogInformation("caches are complete");
        if (options.Elector is { } elector)
        {
            await elector.RunAsync(leading => WorkAsync(leading, elector.Lost), stop).ConfigureAwait(false);
        }
        else
        {
            await WorkAsync(stop, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private async Task WorkAsync(CancellationToken stop, CancellationToken abort)
    {
        // One part that fails takes the others with it.
        using var together = CancellationTokenSource.CreateLinkedTokenSource(stop);
        List<Task> parts =
        [
            .. options.Controllers.Select(controller => controller.RunAsync(together.Token, abort)),
            .. options.LeaderWork.Select(part => part(together.Token)),
        ];
        await Stage.FirstFailureOrAll(parts).ConfigureAwait(false);
        await together.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(parts).ConfigureAwait(false);
    }

    // Two controllers of one name would share queue metrics and confuse every dashboard.
    private void RefuseTwins()
    {
        if (options.Controllers.GroupBy(controller => controller.Name).FirstOrDefault(group => group.Count() > 1) is { } twins)
        {
            throw new ArgumentException($"two controllers are called \"{twins.Key}\"");
        }
    }

    /// <summary>Parts that start and stop together.</summary>
    private sealed class Stage(IReadOnlyList<Func<CancellationToken, Task>> parts) : IDisposable
    {
        private readonly CancellationTokenSource stop = new();
        private readonly TaskCompletionSource failure = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Completion { get; private set; } = Task.CompletedTask;

        /// <summary>Never completes unless a part fails.</summary>
        public Task Failure => failure.Task;

        public void Start() => Completion = RunAsync();

        public void Stop() => stop.Cancel();

        public async Task StopAndWaitAsync()
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        public void Dispose() => stop.Dispose();

        public static async Task FirstFailureOrAll(List<Task> tasks)
        {
            var left = new List<Task>(tasks);
            while (left.Count > 0)
            {
                Task done = await Task.WhenAny(left).ConfigureAwait(false);
                left.Remove(done);
                if (!done.IsCompletedSuccessfully)
                {
                    return;
                }
            }
        }

        private async Task RunAsync()
        {
            List<Task> running = [.. parts.Select(part => part(stop.Token))];
            await FirstFailureOrAll(running).ConfigureAwait(false);
            try
            {
                if (running.Any(task => task.IsFaulted))
                {
                    await stop.CancelAsync().ConfigureAwait(false);
                }

                await Task.WhenAll(running).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                // A part that ends by its token ended well.
            }
            catch (Exception e)
            {
                failure.TrySetException(e);
                throw;
            }
        }
    }
}
