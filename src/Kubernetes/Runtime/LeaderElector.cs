using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;
using OptiInfra.Metrics;

namespace OptiInfra.Kubernetes.Runtime;

/// <summary>Which lease, who we are, and the timings (client-go's).</summary>
public sealed record LeaderElectionOptions
{
    public required string Namespace { get; init; }

    public required string Name { get; init; }

    /// <summary>Unique among the candidates; a pod's name is.</summary>
    public required string Identity { get; init; }

    /// <summary>Others wait this long after the last sign of life.</summary>
    public TimeSpan LeaseDuration { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>We stop this long after our last successful renewal.</summary>
    public TimeSpan RenewDeadline { get; init; } = TimeSpan.FromSeconds(10);

    public TimeSpan RetryPeriod { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Give the lease back on a clean stop, so that the next leader need not wait.</summary>
    public bool ReleaseOnStop { get; init; } = true;

    public ILogger Logger { get; init; } = NullLogger.Instance;

    public Random Random { get; init; } = new();

    internal void Validate()
    {
        if (LeaseDuration <= RenewDeadline || RenewDeadline <= RetryPeriod * LeaderElector.JitterFactor)
        {
            throw new ArgumentException($"leases need LeaseDuration ({LeaseDuration}) > RenewDeadline ({RenewDeadline}) > {LeaderElector.JitterFactor} × RetryPeriod ({RetryPeriod})");
        }
    }
}

/// <summary>We led and could not renew the lease in time: somebody else may lead now. The process should end.</summary>
public sealed class LeadershipLostException(string message) : Exception(message);

/// <summary>
/// At most one leader among processes that share a lease. It trusts no clock but its own, and of that only how long things take:
/// a lease has ended when we have not seen it change for as long as it says; and we stop leading a safe while before others
/// can see ours so, counted from when we <em>sent</em> the last renewal that worked. Kubernetes offers no fencing: a write that
/// left before the deadline may arrive after it, so leaders' writes carry resource versions or field managers.
/// </summary>
public sealed class LeaderElector : IDisposable
{
    internal const double JitterFactor = 1.2;

    private readonly LeaderElectionOptions options;
    private readonly LeaseStore store;
    private readonly TimeProvider time;
    private readonly GaugeSeries status;
    private readonly CounterSeries slowPath;
    private readonly CancellationTokenSource lost = new();
    private LeaseRecord? observed;
    private long observedAt;
    private long renewedAt;
    private volatile bool leading;

    public LeaderElector(KubeClient client, LeaderElectionOptions options)
        : this(new KubeLeaseStore(client, options), options, client?.Time ?? TimeProvider.System, client?.Metrics ?? KubeMetrics.None)
    {
    }

    internal LeaderElector(LeaseStore store, LeaderElectionOptions options, TimeProvider time, KubeMetrics metrics)
    {
        options.Validate();
        this.store = store;
        this.options = options;
        this.time = time;
        status = metrics.LeaderStatus.WithLabels(options.Name);
        slowPath = metrics.LeaderSlowPath.WithLabels(options.Name);
        status.Set(0);
    }

    public bool IsLeader => leading;

    /// <summary>Who led when we looked last.</summary>
    public string? CurrentLeader => observed?.Spec.HolderIdentity is { Length: > 0 } holder ? holder : null;

    /// <summary>Cancelled at the moment leadership is lost; everything in flight must stop then.</summary>
    public CancellationToken Lost => lost.Token;

    /// <summary>
    /// A watchdog for liveness probes: false when we believe to lead but have not renewed for longer than the lease and this grace,
    /// which only a hanging process can bring about.
    /// </summary>
    public bool IsAlive(TimeSpan grace) => !leading || time.GetElapsedTime(Volatile.Read(ref renewedAt)) <= options.LeaseDuration + grace;

    /// <summary>
    /// Waits for the lease, leads, and returns when the work has ended or the stop came. Throws
    /// <see cref="LeadershipLostException"/> when the lease was lost meanwhile; the work's token is cancelled then.
    /// </summary>
    public async Task RunAsync(Func<CancellationToken, Task> lead, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(lead);
        if (!await AcquireAsync(stop).ConfigureAwait(false))
        {
            return;
        }

        leading = true;
        status.Set(1);
        options.Logger.LogInformation("{Identity} leads {Lease}", options.Identity, options.Name);
        using var stopLeading = CancellationTokenSource.CreateLinkedTokenSource(stop, lost.Token);
        using var stopRenewing = new CancellationTokenSource();
        Task work = lead(stopLeading.Token);
        Task renewing = RenewUntilLostAsync(stopRenewing.Token);
        bool finished = await Task.WhenAny(work, renewing).ConfigureAwait(false) == work;
        leading = finished && leading;
        if (!finished)
        {
            status.Set(0);
            lost.Cancel(); // at once, not when a thread is free
            throw new LeadershipLostException($"{options.Identity} could not renew lease {options.Name} within {options.RenewDeadline.TotalSeconds:0} s");
        }

        stopRenewing.Cancel();
        await renewing.ConfigureAwait(false);
        leading = false;
        status.Set(0);
        if (options.ReleaseOnStop)
        {
            await ReleaseAsync().ConfigureAwait(false);
        }

        await work.ConfigureAwait(false);
    }

    public void Dispose() => lost.Dispose();

    private async Task<bool> AcquireAsync(CancellationToken stop)
    {
        try
        {
            while (!await TryAsync(options.RenewDeadline, stop).ConfigureAwait(false))
            {
                await Task.Delay(options.RetryPeriod * (1 + (JitterFactor * options.Random.NextDouble())), time, stop).ConfigureAwait(false);
            }

            return true;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return false;
        }
    }

    // Ends when the lease is lost, or when told to stop.
    private async Task RenewUntilLostAsync(CancellationToken stop)
    {
        try
        {
            while (true)
            {
                TimeSpan left = options.RenewDeadline - time.GetElapsedTime(renewedAt);
                if (left <= TimeSpan.Zero)
                {
                    return;
                }

                await Task.Delay(left < options.RetryPeriod ? left : options.RetryPeriod, time, stop).ConfigureAwait(false);
                left = options.RenewDeadline - time.GetElapsedTime(renewedAt);
                if (left > TimeSpan.Zero)
                {
                    await TryAsync(left, stop).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The work is done; the lease is still ours.
        }
    }

    /// <summary>One attempt to get or keep the lease, given up after a time. A failure of the environment is a "no".</summary>
    private async Task<bool> TryAsync(TimeSpan patience, CancellationToken stop)
    {
        using var deadline = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, stop);
        try
        {
            if (leading && await TryWriteAsync(observed!, either.Token).ConfigureAwait(false))
            {
                return true;
            }

            if (leading)
            {
                slowPath.Inc();
            }

            return await TryAfterReadingAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return false;
        }
        catch (KubeException e)
        {
            options.Logger.LogInformation("lease {Lease}: {Message}", options.Name, e.Message);
            return false;
        }
    }

    private async Task<bool> TryAfterReadingAsync(CancellationToken cancellationToken)
    {
        LeaseRecord? record = await store.ReadAsync(cancellationToken).ConfigureAwait(false);
        Observe(record);
        if (record is not null && IsHeldByOther(record.Spec))
        {
            return false;
        }

        return await TryWriteAsync(record, cancellationToken).ConfigureAwait(false);
    }

    private bool IsHeldByOther(LeaseSpec spec)
    {
        if (spec.HolderIdentity is null or "" || spec.HolderIdentity == options.Identity)
        {
            return false;
        }

        // The holder's own duration counts, not ours: one that released set it to a second.
        var duration = TimeSpan.FromSeconds(spec.LeaseDurationSeconds ?? options.LeaseDuration.TotalSeconds);
        return time.GetElapsedTime(observedAt) < duration;
    }

    private void Observe(LeaseRecord? record)
    {
        if (record is null || record.Spec != observed?.Spec)
        {
            observedAt = time.GetTimestamp();
        }

        observed = record;
    }

    private async Task<bool> TryWriteAsync(LeaseRecord? expected, CancellationToken cancellationToken)
    {
        DateTimeOffset now = time.GetUtcNow();
        bool ours = expected?.Spec.HolderIdentity == options.Identity;
        var wanted = new LeaseSpec
        {
            HolderIdentity = options.Identity,
            LeaseDurationSeconds = (int)options.LeaseDuration.TotalSeconds,
            AcquireTime = ours ? expected!.Spec.AcquireTime : now,
            RenewTime = now,
            LeaseTransitions = (expected?.Spec.LeaseTransitions ?? 0) + (expected is null || ours ? 0 : 1),
        };
        long sent = time.GetTimestamp();
        if (await store.TryWriteAsync(expected, wanted, cancellationToken).ConfigureAwait(false) is not { } written)
        {
            return false;
        }

        // The answer may have taken longer than the lease is good for.
        if (time.GetElapsedTime(sent) >= options.RenewDeadline)
        {
            return false;
        }

        Observe(written);
        Volatile.Write(ref renewedAt, sent);
        return true;
    }

    private async Task ReleaseAsync()
    {
        using var patience = new CancellationTokenSource(options.RetryPeriod, time);
        try
        {
            LeaseRecord? record = observed;
            for (int attempt = 0; attempt < 2 && record?.Spec.HolderIdentity == options.Identity; attempt++)
            {
                DateTimeOffset now = time.GetUtcNow();
                LeaseSpec free = record.Spec with { HolderIdentity = "", LeaseDurationSeconds = 1, RenewTime = now, AcquireTime = now };
                if (await store.TryWriteAsync(record, free, patience.Token).ConfigureAwait(false) is not null)
                {
                    return;
                }

                record = await store.ReadAsync(patience.Token).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is KubeException or OperationCanceledException)
        {
            options.Logger.LogInformation("lease {Lease} could not be released and will expire: {Message}", options.Name, e.Message);
        }
    }
}
