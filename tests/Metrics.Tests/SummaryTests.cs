namespace OptiInfra.Metrics.Tests;

public sealed class SummaryTests
{
    [Fact]
    public void Quantiles_look_at_the_window_and_totals_at_everything()
    {
        var clock = new ManualTime();
        var registry = new MetricRegistry(new MetricRegistryOptions { Time = clock, SelfMetrics = false });
        Summary summary = registry.CreateSummary("a_seconds", "A.", new SummaryOptions { Quantiles = [0.5], Window = TimeSpan.FromMinutes(10), WindowSteps = 5 });
        summary.Observe(100);
        clock.Advance(TimeSpan.FromMinutes(9));
        summary.Observe(1);
        summary.Observe(1);
        Assert.InRange(summary.WithLabels().Quantile(1), 99, 101);
        clock.Advance(TimeSpan.FromMinutes(5));
        Assert.InRange(summary.WithLabels().Quantile(1), 0.99, 1.01);
        clock.Advance(TimeSpan.FromHours(5));
        Assert.Equal(
            """
            # HELP a_seconds A.
            # TYPE a_seconds summary
            a_seconds{quantile="0.5"} NaN
            a_seconds_sum 102
            a_seconds_count 3

            """,
            registry.WriteText());
    }

    [Fact]
    public void A_quantile_outside_0_to_1_is_refused() =>
        Assert.Throws<ArgumentException>(() => new MetricRegistry().CreateSummary("a", "A.", new SummaryOptions { Quantiles = [1.1] }));
}
