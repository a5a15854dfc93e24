namespace OptiInfra.Metrics.Tests;

public sealed class MetricFamilyTests
{
    private readonly MetricRegistry _registry = new();

    [Fact]
    public void The_same_values_give_the_same_series()
    {
        Counter counter = _registry.CreateCounter("a_total", "A.", "x", "y");
        Assert.Same(counter.WithLabels("1", "2"), counter.WithLabels(new string('1', 1), "2"));
        Assert.NotSame(counter.WithLabels("1", "2"), counter.WithLabels("2", "1"));
        Assert.NotSame(counter.WithLabels("12", ""), counter.WithLabels("1", "2"));
    }

    [Fact]
    public void A_wrong_number_of_values_is_a_mistake_of_the_program()
    {
        Counter counter = _registry.CreateCounter("a_total", "A.", "x");
        Assert.Throws<ArgumentException>(() => counter.WithLabels("1", "2"));
        Assert.Throws<InvalidOperationException>(counter.Inc);
    }

    [Fact]
    public void Beyond_the_cap_everything_goes_to_the_overflow_series_and_is_counted()
    {
        Counter counter = _registry.CreateCounter("a_total", "A.", new MetricOptions { SeriesLimit = 2 }, "x");
        foreach (string value in new[] { "1", "2", "3", "4", "1" })
        {
            counter.WithLabels(value).Inc();
        }

        Assert.Equal(3, counter.SeriesCount);
        Assert.Equal(2, counter.WithLabels("1").Value);
        Assert.Equal(2, counter.WithLabels("_other").Value);
        Assert.Contains("metrics_series_overflow_total{family=\"a_total\"} 2\n", _registry.WriteText(), StringComparison.Ordinal);
    }

    [Fact]
    public void Values_outside_a_closed_list_become_other()
    {
        var options = new MetricOptions { AllowedValues = new Dictionary<string, IReadOnlyList<string>> { ["x"] = ["1", "2"] } };
        Counter counter = _registry.CreateCounter("a_total", "A.", options, "x", "free");
        counter.WithLabels("1", "f").Inc();
        counter.WithLabels("9", "f").Inc(5);
        Assert.Equal(5, counter.WithLabels("_other", "f").Value);
        Assert.Equal(1, counter.WithLabels("1", "f").Value);
    }

    [Fact]
    public void Long_values_are_cut_and_counted_and_never_in_the_middle_of_a_character()
    {
        Counter counter = _registry.CreateCounter("a_total", "A.", "x");
        counter.WithLabels(new string('v', 127) + "😀").Inc();
        Assert.Equal(new string('v', 127), counter.AllSeries()[0].LabelValues[0]);
        Assert.Contains("metrics_truncated_labels_total{family=\"a_total\"} 1\n", _registry.WriteText(), StringComparison.Ordinal);
    }

    [Fact]
    public void Values_that_are_the_same_in_UTF_8_are_one_series()
    {
        Counter counter = _registry.CreateCounter("a_total", "A.", "x");
        counter.WithLabels("\ud800").Inc();
        counter.WithLabels("\udc00").Inc();
        counter.WithLabels("\ufffd").Inc();
        Assert.Equal(3, Assert.Single(counter.AllSeries()).Value);
    }

    [Fact]
    public void Initial_series_exist_at_zero()
    {
        _registry.CreateCounter("agent_requests_total", "A.", new MetricOptions { InitialSeries = [["cost", "success"]] }, "agent", "status");
        Assert.Contains("agent_requests_total{agent=\"cost\",status=\"success\"} 0\n", _registry.WriteText(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_removed_series_is_gone_and_its_handle_does_nothing()
    {
        Counter counter = _registry.CreateCounter("a_total", "A.", "x");
        CounterSeries handle = counter.WithLabels("1");
        Assert.True(counter.Remove("1"));
        Assert.False(counter.Remove("1"));
        handle.Inc();
        Assert.DoesNotContain("a_total{", _registry.WriteText(), StringComparison.Ordinal);
        counter.WithLabels("1").Inc();
        Assert.Contains("a_total{x=\"1\"} 1\n", _registry.WriteText(), StringComparison.Ordinal);
    }

    [Fact]
    public void Removal_by_one_label_takes_all_that_match()
    {
        Counter counter = _registry.CreateCounter("a_total", "A.", "x", "y");
        counter.WithLabels("1", "a").Inc();
        counter.WithLabels("1", "b").Inc();
        counter.WithLabels("2", "a").Inc();
        Assert.Equal(2, counter.RemoveWhere("x", "1"));
        Assert.Equal(["2"], counter.AllSeries().Select(series => series.LabelValues[0]));
    }

    [Fact]
    public void An_idle_series_leaves_and_an_update_through_its_handle_brings_it_back()
    {
        var clock = new ManualTime();
        var registry = new MetricRegistry(new MetricRegistryOptions { Time = clock });
        Counter counter = registry.CreateCounter("a_total", "A.", new MetricOptions { IdleTimeout = TimeSpan.FromMinutes(5) }, "x");
        CounterSeries idle = counter.WithLabels("idle");
        CounterSeries busy = counter.WithLabels("busy");
        idle.Inc(3);
        for (int minute = 0; minute < 7; minute++)
        {
            busy.Inc();
            registry.WriteText();
            clock.Advance(TimeSpan.FromMinutes(1));
        }

        string text = registry.WriteText();
        Assert.DoesNotContain("a_total{x=\"idle\"}", text, StringComparison.Ordinal);
        Assert.Contains("a_total{x=\"busy\"} 7\n", text, StringComparison.Ordinal);

        idle.Inc();
        Assert.Contains("a_total{x=\"idle\"} 4\n", registry.WriteText(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_thousand_series_coming_and_going_leave_nothing_behind()
    {
        Counter counter = _registry.CreateCounter("a_total", "A.", "x");
        for (int round = 0; round < 20_000; round++)
        {
            string value = round.ToString();
            counter.WithLabels(value).Inc();
            counter.Remove(value);
        }

        Assert.Equal(0, counter.SeriesCount);
        counter.WithLabels("last").Inc();
        Assert.Contains("a_total{x=\"last\"} 1\n", _registry.WriteText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Threads_that_create_the_same_series_meet_in_one_and_lose_nothing()
    {
        Counter counter = _registry.CreateCounter("a_total", "A.", "x");
        const int perThread = 20_000;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (int index = 0; index < perThread; index++)
            {
                counter.WithLabels((index % 50).ToString()).Inc();
            }
        })));
        Assert.Equal(50, counter.SeriesCount);
        Assert.Equal(8 * perThread, counter.AllSeries().Sum(series => series.Value));
    }

    [Fact]
    public void Typed_labels_find_the_series_of_their_values()
    {
        Counter counter = _registry.CreateCounter("a_total", "A.", ModelLabels.Names);
        counter.WithLabels(new ModelLabels("openai", "gpt")).Inc();
        Assert.Equal(1, counter.WithLabels("openai", "gpt").Value);
    }

    private readonly record struct ModelLabels(string Provider, string Model) : ILabels
    {
        public static string[] Names { get; } = ["provider", "model"];

        public void CopyTo(Span<string> values)
        {
            values[0] = Provider;
            values[1] = Model;
        }
    }
}
