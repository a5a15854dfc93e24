using System.Diagnostics;

namespace OptiInfra.Bench;

/// <summary>One figure of the table.</summary>
/// <param name="What">What was measured.</param>
/// <param name="Value">The figure; smaller is better.</param>
/// <param name="Unit">Its unit.</param>
/// <param name="Budget">What it may be at most, if it has a budget.</param>
/// <param name="Peer">The same measured with a peer in this run, if one can be had.</param>
/// <param name="PeerName">Which peer.</param>
internal sealed record Figure(string What, double Value, string Unit, double? Budget = null, double? Peer = null, string PeerName = "")
{
    public bool IsOver => Budget is { } budget && Value > budget;
}

/// <summary>A named measurement, which gives one figure or several. It takes a few seconds and cleans up after itself.</summary>
internal sealed record Measurement(string Name, Func<Task<IReadOnlyList<Figure>>> RunAsync)
{
    /// <summary>A measurement that needs no waiting.</summary>
    public static Measurement Of(string name, Func<IReadOnlyList<Figure>> run) => new(name, () => Task.FromResult(run()));
}

/// <summary>Timing of short operations: warmed up, in rounds, the fastest round counts, since noise only ever adds.</summary>
internal static class Timing
{
    // Many short rounds: on a machine that others use too, some of them run without being interrupted.
    private const int Rounds = 300;
    private static readonly TimeSpan RoundLength = TimeSpan.FromMilliseconds(1);

    /// <summary>Nanoseconds for one of the operations that <paramref name="loop"/> repeats.</summary>
    public static double Nanoseconds(Action<int> loop)
    {
        for (int warmUp = 0; warmUp < 30; warmUp++)
        {
            loop(2000);
        }

        // The compiler replaces hot code in the background; give it time before looking.
        Repeat(loop, TimeSpan.FromMilliseconds(250));
        int count = Math.Max(1000, (int)(RoundLength.TotalNanoseconds / Enumerable.Range(0, 5).Min(_ => Once(loop, 5_000))));
        return Enumerable.Range(0, Rounds).Min(_ => Once(loop, count));
    }

    /// <summary>Bytes one operation allocates on this thread.</summary>
    public static double Bytes(Action<int> loop)
    {
        const int count = 10_000;
        loop(count);
        long before = GC.GetAllocatedBytesForCurrentThread();
        loop(count);
        return Math.Round((GC.GetAllocatedBytesForCurrentThread() - before) / (double)count, 2);
    }

    /// <summary>Milliseconds of the fastest of some runs.</summary>
    public static double Milliseconds(Action run, int runs = 12)
    {
        run();
        run();
        return Enumerable.Range(0, runs).Min(_ =>
        {
            long start = Stopwatch.GetTimestamp();
            run();
            return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        });
    }

    private static double Once(Action<int> loop, int count)
    {
        long start = Stopwatch.GetTimestamp();
        loop(count);
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / count;
    }

    private static void Repeat(Action<int> loop, TimeSpan time)
    {
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < time)
        {
            loop(2000);
        }
    }
}
