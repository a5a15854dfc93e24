using System.Diagnostics;
using OptiInfra.Metrics.Exposition;

namespace OptiInfra.Metrics.Tests;

public sealed class ExemplarTests
{
    private readonly ManualTime _clock = new();

    [Fact]
    public void An_exemplar_stands_beside_its_sample_in_OpenMetrics_only()
    {
        var registry = new MetricRegistry(new MetricRegistryOptions { Time = _clock, SelfMetrics = false });
        registry.CreateCounter("a_total", "A.").Inc(3, Exemplar.Of(("trace_id", "t1")));
        registry.CreateHistogram("b_seconds", "B.", new HistogramOptions { Buckets = [1] }).Observe(0.5, Exemplar.Of(("trace_id", "t2")));
        string open = registry.WriteText(ExpositionFormat.OpenMetrics);
        Assert.Contains("\na_total 3.0 # {trace_id=\"t1\"} 3.0 1767323045.0\n", open, StringComparison.Ordinal);
        Assert.Contains("\nb_seconds_bucket{le=\"1.0\"} 1 # {trace_id=\"t2\"} 0.5 1767323045.0\n", open, StringComparison.Ordinal);
        Assert.DoesNotContain("#", string.Concat(registry.WriteText().Split('\n').Where(line => !line.StartsWith('#'))), StringComparison.Ordinal);
    }

    [Fact]
    public void The_sampled_activity_is_taken_at_most_once_a_second_and_only_where_asked_for()
    {
        var registry = new MetricRegistry(new MetricRegistryOptions { Time = _clock, SelfMetrics = false });
        Counter counter = registry.CreateCounter("a_total", "A.", new MetricOptions { Exemplars = true });
        Counter without = registry.CreateCounter("b_total", "B.");
        using (Activity first = Sampled())
        {
            counter.Inc();
            without.Inc();
            Assert.Contains(first.TraceId.ToHexString(), registry.WriteText(ExpositionFormat.OpenMetrics), StringComparison.Ordinal);
            Assert.Null(without.WithLabels().Exemplar);
        }

        Exemplar? taken = counter.WithLabels().Exemplar;
        using (Sampled())
        {
            counter.Inc();
            Assert.Same(taken, counter.WithLabels().Exemplar);
            _clock.Advance(TimeSpan.FromSeconds(2));
            counter.Inc();
            Assert.NotSame(taken, counter.WithLabels().Exemplar);
        }
    }

    [Fact]
    public void A_refused_amount_leaves_no_exemplar()
    {
        Counter counter = new MetricRegistry().CreateCounter("a_total", "A.");
        counter.Inc(-1, Exemplar.Of(("trace_id", "t")));
        Assert.Null(counter.WithLabels().Exemplar);
    }

    [Fact]
    public void More_than_128_characters_are_refused() =>
        Assert.Throws<ArgumentException>(() => Exemplar.Of(("trace_id", new string('x', 121))));

    private static Activity Sampled()
    {
        var activity = new Activity("test");
        activity.SetIdFormat(ActivityIdFormat.W3C);
        activity.ActivityTraceFlags = ActivityTraceFlags.Recorded;
        return activity.Start();
    }
}
