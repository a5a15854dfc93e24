using System.Diagnostics;

namespace OptiInfra.Kubernetes.Tests;

/// <summary>
/// A clock that moves only when told to. Timers fire inline, in order of their due times, on the thread that advances; code that awaits
/// nothing but this clock therefore runs to its next wait before <see cref="Advance"/> returns.
/// </summary>
internal sealed class VirtualTime : TimeProvider
{
    private readonly Lock gate = new();
    private readonly SortedSet<VirtualTimer> timers = new(Comparer<VirtualTimer>.Create((a, b) => a.Due != b.Due ? a.Due.CompareTo(b.Due) : a.Order.CompareTo(b.Order)));
    private long now;
    private long order;

    /// <summary>What this machine's wall clock is off by.</summary>
    public TimeSpan Skew { get; init; }

    /// <summary>Another machine's clock: the same passing of time, another wall clock.</summary>
    public TimeProvider Skewed(TimeSpan skew) => new SkewedTime(this, skew);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public TimeSpan Elapsed => TimeSpan.FromTicks(Interlocked.Read(ref now));

    /// <summary>How long until the next timer; null when there is none.</summary>
    public TimeSpan? UntilNextTimer
    {
        get
        {
            lock (gate)
            {
                return timers.Min is { } first ? TimeSpan.FromTicks(first.Due - now) : null;
            }
        }
    }

    public int Timers
    {
        get
        {
            lock (gate)
            {
                return timers.Count;
            }
        }
    }

    public override long GetTimestamp() => Interlocked.Read(ref now) + 1;

    public override DateTimeOffset GetUtcNow() => new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero) + Elapsed + Skew;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new VirtualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    public void Advance(TimeSpan by)
    {
        long target = Interlocked.Read(ref now) + by.Ticks;
        while (true)
        {
            VirtualTimer? due;
            lock (gate)
            {
                due = timers.Min is { } first && first.Due <= target ? first : null;
                if (due is null)
                {
                    now = Math.Max(now, target);
                    return;
                }

                timers.Remove(due);
                now = Math.Max(now, due.Due);
                due.Rearm_NeedsLock();
            }

            due.Fire();
        }
    }

    /// <summary>
    /// Lets virtual time pass in small steps while real I/O goes on, until something is so. Fails after twenty real seconds.
    /// </summary>
    public async Task PassUntilAsync(Func<bool> condition, TimeSpan? step = null)
    {
        var real = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(real.Elapsed < TimeSpan.FromSeconds(20), "what was waited for did not happen");
            await Task.Delay(2);
            Advance(step ?? TimeSpan.FromMilliseconds(200));
        }
    }

    private sealed class SkewedTime(VirtualTime source, TimeSpan skew) : TimeProvider
    {
        public override long TimestampFrequency => source.TimestampFrequency;

        public override long GetTimestamp() => source.GetTimestamp();

        public override DateTimeOffset GetUtcNow() => source.GetUtcNow() + skew;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            source.CreateTimer(callback, state, dueTime, period);
    }

    private sealed class VirtualTimer(VirtualTime time, TimerCallback callback, object? state) : ITimer
    {
        private TimeSpan period;

        public long Due { get; private set; }

        public long Order { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan newPeriod)
        {
            lock (time.gate)
            {
                time.timers.Remove(this);
                period = newPeriod;
                Schedule_NeedsLock(dueTime);
            }

            return true;
        }

        public void Rearm_NeedsLock() => Schedule_NeedsLock(period > TimeSpan.Zero ? period : Timeout.InfiniteTimeSpan);

        public void Fire() => callback(state);

        public void Dispose()
        {
            lock (time.gate)
            {
                time.timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Schedule_NeedsLock(TimeSpan dueTime)
        {
            if (dueTime >= TimeSpan.Zero)
            {
                Due = time.now + dueTime.Ticks;
                Order = ++time.order;
                time.timers.Add(this);
            }
        }
    }
}
