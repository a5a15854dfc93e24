using System.Diagnostics;
using Microsoft.Extensions.Logging;
using OptiInfra.Operator.Prometheus;

namespace OptiInfra.Operator.Feedback;

/// <summary>How often Prometheus is looked at.</summary>
internal sealed record FeedbackOptions
{
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A look may take this share of the time; where there are many targets, looks become rarer by themselves.</summary>
    public double Share { get; init; } = 0.05;
}

/// <summary>
/// Looks at the Prometheus of one stack again and again and hands over what it sees. That it does not answer is something
/// to see, too.
/// </summary>
internal sealed class FeedbackLoop(Func<Uri?> address, FeedbackOptions options, TimeProvider clock, ILogger logger) : IDisposable
{
    private PrometheusApi? prometheus;
    private string? version;

    public async Task RunAsync(Action<Observation> observed, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            long start = Stopwatch.GetTimestamp();
            observed(await LookAsync(stop));
            TimeSpan pause = Stopwatch.GetElapsedTime(start) / options.Share;
            await Task.Delay(pause > options.Interval ? pause : options.Interval, clock, stop);
        }
    }

    public void Dispose() => prometheus?.Dispose();

    private async Task<Observation> LookAsync(CancellationToken stop)
    {
        if (address() is not { } now)
        {
            return new Observation { Problem = "spec.prometheus.url is not set, so nobody can be asked" };
        }

        if (prometheus is null || prometheus.Address != now)
        {
            prometheus?.Dispose();
            prometheus = new PrometheusApi(now);
        }

        try
        {
            version ??= (await prometheus.BuildInfoAsync(stop)).Version;
            return Observation.Of(await prometheus.TargetsAsync(stop), await prometheus.RulesAsync(stop), version);
        }
        catch (PrometheusException error)
        {
            // It may come back as another version.
            version = null;
            logger.LogDebug("No feedback: {Reason}", error.Message);
            return new Observation { Problem = error.Message };
        }
    }
}
