namespace OptiInfra.Kubernetes.Runtime;

/// <summary>
/// Exponential waiting: <see cref="Initial"/>, doubled each time up to <see cref="Cap"/>, each stretched by a random part of
/// <see cref="Jitter"/>; it starts over when nothing failed for <see cref="ResetAfter"/>.
/// </summary>
internal sealed class Backoff(TimeProvider time, Random random)
{
    private TimeSpan next;
    private long lastUse;

    public TimeSpan Initial { get; init; } = TimeSpan.FromMilliseconds(800);

    public TimeSpan Cap { get; init; } = TimeSpan.FromSeconds(30);

    public double Factor { get; init; } = 2;

    /// <summary>1.0 means that a wait of d becomes one between d and 2d.</summary>
    public double Jitter { get; init; } = 1.0;

    public TimeSpan ResetAfter { get; init; } = TimeSpan.FromMinutes(2);

    public TimeSpan Next()
    {
        if (next == TimeSpan.Zero || (lastUse != 0 && time.GetElapsedTime(lastUse) > ResetAfter))
        {
            next = Initial;
        }

        lastUse = time.GetTimestamp();
        TimeSpan wait = next;
        next = next * Factor < Cap ? next * Factor : Cap;
        return wait + (wait * (Jitter * random.NextDouble()));
    }

    public void Reset() => next = TimeSpan.Zero;
}
