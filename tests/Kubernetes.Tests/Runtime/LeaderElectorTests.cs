using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;
using OptiInfra.Kubernetes.Runtime;
using OptiInfra.Metrics;

namespace OptiInfra.Kubernetes.Tests.Runtime;

/// <summary>
/// All of it runs on virtual time, inline with the clock; hence Task.Run, which gets rid of the test runner's synchronisation context.
/// </summary>
public sealed class LeaderElectorTests
{
    [Fact]
    public async Task Two_candidates_never_lead_at_once_whatever_their_clocks_say_and_the_network_does()
    {
        for (int seed = 0; seed < 1000; seed++)
        {
            (string? overlap, int leaders) = await Task.Run(() => new Election(seed).Run());
            Assert.True(overlap is null, $"seed {seed}: {overlap}");
            Assert.True(leaders > 0, $"seed {seed}: nobody ever led");
        }
    }

    [Fact]
    public Task A_leader_that_is_cut_off_stops_within_ten_seconds_and_the_other_starts_no_sooner_than_fifteen() => Task.Run(() =>
    {
        var time = new VirtualTime();
        var leases = new MemoryLeases(time);
        using Candidate first = new("first", leases, time, TimeSpan.FromHours(1), 1);
        first.Start();
        using Candidate second = new("second", leases, time, TimeSpan.FromHours(-1), 2);
        second.Start();
        time.Advance(TimeSpan.FromSeconds(5));
        Assert.True(first.Leads);
        TimeSpan lastRenewal = leases.LastWrite;
        first.Store.CutOff = true;
        time.Advance(TimeSpan.FromSeconds(60));
        Assert.True(first.Lost);
        Assert.InRange((first.Stopped - lastRenewal).TotalSeconds, 0, 10.001);
        Assert.True(second.Leads);
        Assert.True(second.Started - lastRenewal >= TimeSpan.FromSeconds(15), $"the second started {second.Started - lastRenewal} after the last renewal");
    });


    [Fact]
    public Task A_released_lease_is_taken_over_within_seconds() => Task.Run(() =>
    {
        var time = new VirtualTime();
        var leases = new MemoryLeases(time);
        using Candidate first = new("first", leases, time, TimeSpan.Zero, 1);
        first.Start();
        using Candidate second = new("second", leases, time, TimeSpan.Zero, 2);
        second.Start();
        time.Advance(TimeSpan.FromSeconds(5));
        first.Stop();
        TimeSpan released = time.Elapsed;
        Assert.Equal("", leases.Current!.Spec.HolderIdentity);
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.True(second.Leads);
        Assert.True(second.Started - released <= TimeSpan.FromSeconds(6));
        Assert.Equal(1, leases.Current.Spec.LeaseTransitions);
    });


    [Fact]
    public Task The_duration_in_the_record_counts_and_not_ours() => Task.Run(() =>
    {
        var time = new VirtualTime();
        var leases = new MemoryLeases(time);
        leases.Put(new LeaseSpec { HolderIdentity = "stranger", LeaseDurationSeconds = 60, LeaseTransitions = 7 });
        using Candidate candidate = new("me", leases, time, TimeSpan.Zero, 1);
        candidate.Start();
        time.Advance(TimeSpan.FromSeconds(59));
        Assert.False(candidate.Leads);
        time.Advance(TimeSpan.FromSeconds(6));
        Assert.True(candidate.Leads);
        Assert.Equal(8, leases.Current!.Spec.LeaseTransitions);
    });


    [Fact]
    public Task Renewing_takes_one_write_and_no_read() => Task.Run(() =>
    {
        var time = new VirtualTime();
        var leases = new MemoryLeases(time);
        using Candidate candidate = new("me", leases, time, TimeSpan.Zero, 1);
        candidate.Start();
        int reads = candidate.Store.Reads;
        int writes = candidate.Store.Writes;
        time.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(reads, candidate.Store.Reads);
        Assert.Equal(writes + 10, candidate.Store.Writes);
        Assert.Equal(0, candidate.Metrics.LeaderSlowPath.WithLabels("lease").Value);
        Assert.Equal(1, candidate.Metrics.LeaderStatus.WithLabels("lease").Value);
    });


    [Fact]
    public void Timings_that_cannot_be_safe_are_refused()
    {
        var options = new LeaderElectionOptions { Namespace = "ns", Name = "lease", Identity = "me", RenewDeadline = TimeSpan.FromSeconds(20) };
        Assert.Throws<ArgumentException>(() => new LeaderElector(new CandidateStore(new MemoryLeases(new VirtualTime()), new VirtualTime(), new Random(1)), options, new VirtualTime(), KubeMetrics.None));
    }

    [Fact]
    public Task The_watchdog_barks_when_a_leader_has_not_renewed_for_too_long() => Task.Run(() =>
    {
        var time = new VirtualTime();
        var frozen = new VirtualTime();
        var leases = new MemoryLeases(time);
        // Its timers never fire (a hanging process), but time passes.
        using Candidate candidate = new("me", leases, new Hanging(time, frozen), TimeSpan.Zero, 1);
        candidate.Start();
        Assert.True(candidate.Elector.IsAlive(TimeSpan.FromSeconds(5)));
        time.Advance(TimeSpan.FromSeconds(19));
        Assert.True(candidate.Elector.IsAlive(TimeSpan.FromSeconds(5)));
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.False(candidate.Elector.IsAlive(TimeSpan.FromSeconds(5)));
    });


    private sealed class Hanging(VirtualTime clock, VirtualTime timers) : TimeProvider
    {
        public override long TimestampFrequency => clock.TimestampFrequency;

        public override long GetTimestamp() => clock.GetTimestamp();

        public override DateTimeOffset GetUtcNow() => clock.GetUtcNow();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => timers.CreateTimer(callback, state, dueTime, period);
    }

    /// <summary>Three candidates, skewed clocks, a network that delays, loses and cuts off at random, for five virtual minutes.</summary>
    private sealed class Election(int seed)
    {
        public (string? Overlap, int Leaders) Run()
        {
            var random = new Random(seed);
            var time = new VirtualTime();
            var leases = new MemoryLeases(time);
            List<Candidate> candidates = [.. Enumerable.Range(0, 3).Select(i => Join(i))];
            int leaders = 0;
            int next = 3;
            for (int step = 0; step < 120; step++)
            {
                time.Advance(TimeSpan.FromMilliseconds(random.Next(100, 5000)));
                Candidate[] leading = [.. candidates.Where(candidate => candidate.Leads)];
                leaders += leading.Length;
                if (leading.Length > 1)
                {
                    return ($"{leading[0].Name} and {leading[1].Name} lead at {time.Elapsed}", leaders);
                }

                Candidate chosen = candidates[random.Next(candidates.Count)];
                switch (random.Next(8))
                {
                    case 0: chosen.Store.CutOff = true; break;
                    case 1 or 2: chosen.Store.CutOff = false; break;
                    case 3: chosen.Store.MaxDelay = TimeSpan.FromSeconds(random.Next(0, 14)); break;
                    case 4: chosen.Store.MaxDelay = TimeSpan.Zero; break;
                    case 5 when random.Next(4) == 0: chosen.Stop(); break;
                    default: break;
                }

                for (int i = 0; i < candidates.Count; i++)
                {
                    candidates[i] = candidates[i].Ended ? Join(next++) : candidates[i];
                }
            }

            string? overlap = leases.Overlaps(out string which) ? which : null;
            return (overlap, leaders);

            Candidate Join(int number)
            {
                var candidate = new Candidate($"c{number}", leases, time, TimeSpan.FromMinutes(random.Next(-60, 60)), seed + number);
                candidate.Start();
                return candidate;
            }
        }
    }
}

/// <summary>A lease in memory, and a record of who led when.</summary>
internal sealed class MemoryLeases(VirtualTime time)
{
    private readonly List<(string Who, TimeSpan From, TimeSpan To)> reigns = [];
    private int version;

    public LeaseRecord? Current { get; private set; }

    public TimeSpan LastWrite { get; private set; }

    public LeaseRecord Put(LeaseSpec spec)
    {
        LastWrite = time.Elapsed;
        return Current = new LeaseRecord(spec, (++version).ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    public void Reigned(string who, TimeSpan from, TimeSpan to) => reigns.Add((who, from, to));

    public bool Overlaps(out string which)
    {
        (string Who, TimeSpan From, TimeSpan To)[] sorted = [.. reigns.OrderBy(reign => reign.From)];
        for (int i = 1; i < sorted.Length; i++)
        {
            if (sorted[i].From < sorted[i - 1].To)
            {
                which = $"{sorted[i - 1]} overlaps {sorted[i]}";
                return true;
            }
        }

        which = "";
        return false;
    }
}

/// <summary>One candidate's way to the leases: slow, lossy, or cut off.</summary>
internal sealed class CandidateStore(MemoryLeases leases, TimeProvider time, Random random) : LeaseStore
{
    public bool CutOff { get; set; }

    public TimeSpan MaxDelay { get; set; }

    public int Reads { get; private set; }

    public int Writes { get; private set; }

    public override async Task<LeaseRecord?> ReadAsync(CancellationToken cancellationToken)
    {
        Reads++;
        await TravelAsync(cancellationToken).ConfigureAwait(false);
        LeaseRecord? found = leases.Current;
        await TravelAsync(cancellationToken).ConfigureAwait(false);
        return found;
    }

    public override async Task<LeaseRecord?> TryWriteAsync(LeaseRecord? expected, LeaseSpec wanted, CancellationToken cancellationToken)
    {
        Writes++;
        LeaseRecord? written = await DeliverAsync(expected, wanted).WaitAsync(cancellationToken).ConfigureAwait(false);
        await TravelAsync(cancellationToken).ConfigureAwait(false);
        return written;
    }

    // A request that was given up may still arrive.
    private async Task<LeaseRecord?> DeliverAsync(LeaseRecord? expected, LeaseSpec wanted)
    {
        await TravelAsync(CancellationToken.None).ConfigureAwait(false);
        return leases.Current?.Version == expected?.Version ? leases.Put(wanted) : null;
    }

    private async Task TravelAsync(CancellationToken cancellationToken)
    {
        if (CutOff)
        {
            await new TaskCompletionSource().Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        if (MaxDelay > TimeSpan.Zero)
        {
            // Unlike a cancelled Task.Delay, a cancelled WaitAsync goes on inline, so that the simulation stays on one thread.
            await Task.Delay(MaxDelay * random.NextDouble(), time, CancellationToken.None).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }
}

/// <summary>A process that would like to lead.</summary>
internal sealed class Candidate : IDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly TimeProvider time;
    private readonly MemoryLeases leases;
    private readonly long origin;
    private Task? running;

    public Candidate(string name, MemoryLeases leases, TimeProvider time, TimeSpan skew, int seed)
    {
        Name = name;
        this.leases = leases;
        this.time = time is VirtualTime virtualTime ? virtualTime.Skewed(skew) : time;
        origin = new VirtualTime().GetTimestamp();
        Store = new CandidateStore(leases, this.time, new Random(seed));
        Metrics = new KubeMetrics(new MetricRegistry());
        var options = new LeaderElectionOptions { Namespace = "ns", Name = "lease", Identity = name, Random = new Random(seed) };
        Elector = new LeaderElector(Store, options, this.time, Metrics);
    }

    public string Name { get; }

    public CandidateStore Store { get; }

    public KubeMetrics Metrics { get; }

    public LeaderElector Elector { get; }

    public bool Leads { get; private set; }

    public bool Lost { get; private set; }

    public bool Ended => running?.IsCompleted == true;

    public TimeSpan Started { get; private set; }

    public TimeSpan Stopped { get; private set; }

    private TimeSpan Now => time.GetElapsedTime(origin);

    public void Start() => running = RunAsync();

    /// <summary>A clean end, over a network that works for the moment.</summary>
    public void Stop()
    {
        Store.CutOff = false;
        Store.MaxDelay = TimeSpan.Zero;
        stop.Cancel();
        Assert.True(SpinWait.SpinUntil(() => Ended, TimeSpan.FromSeconds(20)), $"{Name} did not end");
    }

    public void Dispose()
    {
        stop.Dispose();
        Elector.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            await Elector.RunAsync(LeadAsync, stop.Token).ConfigureAwait(false);
        }
        catch (LeadershipLostException)
        {
            Lost = true;
        }
    }

    private async Task LeadAsync(CancellationToken leading)
    {
        Started = Now;
        Leads = true;
        var ended = new TaskCompletionSource();
        // The token is the order to stop, so its callback is the moment that counts.
        using CancellationTokenRegistration onStop = leading.Register(() =>
        {
            Leads = false;
            Stopped = Now;
            leases.Reigned(Name, Started, Stopped);
            ended.SetResult();
        });
        await ended.Task.ConfigureAwait(false);
    }
}
