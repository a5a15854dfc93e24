namespace OptiInfra.Metrics.Tests;

public sealed class CounterTests
{
    private readonly MetricRegistry _registry = new();

    [Theory]
    [InlineData(-1)]
    [InlineData(-0.5)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public void An_amount_that_is_no_increase_is_refused_and_counted(double amount)
    {
        Counter counter = _registry.CreateCounter("a_total", "A.");
        counter.Inc(2);
        counter.Inc(amount);
        Assert.Equal(2, counter.Value);
        Assert.Contains("metrics_rejected_values_total{family=\"a_total\"} 1\n", _registry.WriteText(), StringComparison.Ordinal);
    }

    [Fact]
    public void Whole_and_broken_amounts_add_up()
    {
        Counter counter = _registry.CreateCounter("a_total", "A.");
        counter.Inc();
        counter.Inc(41);
        counter.Inc(0.5);
        counter.Inc(1e12);
        Assert.Equal(1e12 + 42.5, counter.Value);
    }

    [Fact]
    public void Whole_amounts_stay_exact_where_doubles_would_not()
    {
        Counter counter = _registry.CreateCounter("a_total", "A.");
        for (int round = 0; round < 1 << 21; round++)
        {
            counter.Inc((1L << 32) - 1);
        }

        counter.Inc();
        Assert.Contains("\na_total 9007199252643841\n".Replace("9007199252643841", ((((1L << 32) - 1) * (1L << 21)) + 1).ToString(), StringComparison.Ordinal), _registry.WriteText(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_total_kept_elsewhere_only_raises_the_counter()
    {
        Counter counter = _registry.CreateCounter("a_total", "A.");
        counter.WithLabels().IncTo(5);
        counter.WithLabels().IncTo(3);
        counter.WithLabels().IncTo(7.5);
        Assert.Equal(7.5, counter.Value);
    }

    [Fact]
    public async Task Nothing_is_lost_under_many_threads()
    {
        Counter counter = _registry.CreateCounter("a_total", "A.");
        await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() =>
        {
            for (int index = 0; index < 20_000; index++)
            {
                counter.Inc();
                counter.Inc(0.5);
            }
        })));
        Assert.Equal(16 * 20_000 * 1.5, counter.Value);
    }
}
