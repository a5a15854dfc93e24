using OptiInfra.Metrics.Exposition;

namespace OptiInfra.Metrics.Tests;

public sealed class MetricRegistryTests
{
    private static MetricRegistry Quiet() => new(new MetricRegistryOptions { SelfMetrics = false });

    [Fact]
    public void Writes_every_type_as_text()
    {
        MetricRegistry registry = Quiet();
        registry.CreateCounter("agent_requests_total", "Requests by agent.", "agent", "status").WithLabels("cost", "success").Inc(3);
        registry.CreateGauge("active_optimizations", "Optimizations under way.").Set(2.5);
        Histogram latency = registry.CreateHistogram("request_duration_seconds", "Latency.", new HistogramOptions { Buckets = [0.1, 1] });
        latency.Observe(0.05);
        latency.Observe(0.1);
        latency.Observe(3);
        registry.CreateInfo("build", "What runs.", "version").Set("1.2");
        registry.CreateStateSet("health", "Health.", ["up", "down"]).Set("up");

        Assert.Equal(
            """
            # HELP agent_requests_total Requests by agent.
            # TYPE agent_requests_total counter
            agent_requests_total{agent="cost",status="success"} 3
            # HELP active_optimizations Optimizations under way.
            # TYPE active_optimizations gauge
            active_optimizations 2.5
            # HELP request_duration_seconds Latency.
            # TYPE request_duration_seconds histogram
            request_duration_seconds_bucket{le="0.1"} 2
            request_duration_seconds_bucket{le="1"} 2
            request_duration_seconds_bucket{le="+Inf"} 3
            request_duration_seconds_sum 3.15
            request_duration_seconds_count 3
            # HELP build_info What runs.
            # TYPE build_info gauge
            build_info{version="1.2"} 1
            # HELP health Health.
            # TYPE health gauge
            health{health="up"} 1
            health{health="down"} 0

            """,
            registry.WriteText());
    }

    [Fact]
    public void Writes_OpenMetrics_with_units_float_forms_and_an_end()
    {
        MetricRegistry registry = Quiet();
        registry.CreateCounter("cpu_seconds_total", "CPU \"time\".").Inc(2);
        registry.CreateHistogram("wait_seconds", "Wait.", new HistogramOptions { Buckets = [1, 1e6] }).Observe(1);

        Assert.Equal(
            """
            # TYPE cpu_seconds counter
            # UNIT cpu_seconds seconds
            # HELP cpu_seconds CPU \"time\".
            cpu_seconds_total 2.0
            # TYPE wait_seconds histogram
            # UNIT wait_seconds seconds
            # HELP wait_seconds Wait.
            wait_seconds_bucket{le="1.0"} 1
            wait_seconds_bucket{le="1e+06"} 1
            wait_seconds_bucket{le="+Inf"} 1
            wait_seconds_sum 1.0
            wait_seconds_count 1
            # EOF

            """,
            registry.WriteText(ExpositionFormat.OpenMetrics));
    }

    [Fact]
    public void Creating_the_same_family_again_returns_it()
    {
        MetricRegistry registry = Quiet();
        Assert.Same(registry.CreateCounter("a_total", "A.", "x"), registry.CreateCounter("a", "A.", "x"));
    }

    [Theory]
    [InlineData("a")]
    [InlineData("a_created")]
    [InlineData("a_total")]
    public void A_name_that_another_family_writes_is_refused(string name)
    {
        MetricRegistry registry = Quiet();
        registry.CreateCounter("a_total", "A.");
        InvalidOperationException refused = Assert.Throws<InvalidOperationException>(() => registry.CreateGauge(name, "A."));
        Assert.Contains("counter a_total{}", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1a")]
    [InlineData("a-b")]
    [InlineData("")]
    public void An_illegal_name_is_refused(string name) =>
        Assert.Throws<ArgumentException>(() => Quiet().CreateGauge(name, "A."));

    [Theory]
    [InlineData("user_id")]
    [InlineData("session")]
    [InlineData("path")]
    [InlineData("prompt")]
    [InlineData("request_id")]
    public void A_label_without_bound_is_refused_unless_permitted(string label)
    {
        Assert.Throws<ArgumentException>(() => Quiet().CreateCounter("a_total", "A.", label));
        Quiet().CreateCounter("a_total", "A.", new MetricOptions { PermittedLabels = [label] }, label);
    }

    [Fact]
    public void Static_labels_come_first_on_every_series()
    {
        var registry = new MetricRegistry(new MetricRegistryOptions { SelfMetrics = false, StaticLabels = new Dictionary<string, string> { ["service"] = "cost" } });
        registry.CreateGauge("a", "A.", "x").WithLabels("1").Set(1);
        registry.CreateGauge("b", "B.").Set(2);
        string text = registry.WriteText();
        Assert.Contains("a{service=\"cost\",x=\"1\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("b{service=\"cost\"} 2\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unregistered_family_is_gone_and_its_name_is_free()
    {
        MetricRegistry registry = Quiet();
        Assert.True(registry.Unregister(registry.CreateCounter("a_total", "A.")));
        Assert.Equal("", registry.WriteText());
        registry.CreateGauge("a", "A.");
    }

    [Fact]
    public void A_failing_callback_is_counted_and_the_rest_is_still_written()
    {
        var registry = new MetricRegistry();
        Gauge gauge = registry.CreateGauge("a", "A.");
        registry.OnCollect(() => throw new InvalidOperationException("broken sensor"));
        registry.OnCollect(() => gauge.Set(7));
        string text = registry.WriteText();
        Assert.Contains("\na 7\n", text, StringComparison.Ordinal);
        Assert.Contains("\nmetrics_callback_errors_total 1\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void An_included_registry_is_shown_and_never_writes_a_name_twice()
    {
        MetricRegistry registry = Quiet();
        MetricRegistry library = Quiet();
        registry.CreateCounter("a_total", "Mine.").Inc();
        library.CreateGauge("a", "Theirs.").Set(5);
        library.CreateGauge("b", "Theirs.").Set(6);
        registry.Include(library);
        string text = registry.WriteText();
        Assert.Contains("\na_total 1\n", text, StringComparison.Ordinal);
        Assert.Contains("\nb 6\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("\na 5\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Target_info_comes_first()
    {
        MetricRegistry registry = Quiet();
        registry.CreateGauge("a", "A.");
        registry.CreateInfo("target", "The target.", "host").Set("h");
        Assert.StartsWith("# TYPE target info\n", registry.WriteText(ExpositionFormat.OpenMetrics), StringComparison.Ordinal);
    }

    [Fact]
    public void More_labels_than_possible_are_refused() =>
        Assert.Throws<ArgumentException>(() => Quiet().CreateCounter("a_total", "A.", [.. Enumerable.Range(0, 13).Select(index => "l" + index)]));
}
