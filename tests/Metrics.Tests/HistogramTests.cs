using OptiInfra.Metrics.Exposition;

namespace OptiInfra.Metrics.Tests;

public sealed class HistogramTests
{
    private readonly MetricRegistry _registry = new();

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(15)]
    [InlineData(100)]
    public void Every_value_falls_into_the_first_bucket_that_is_not_below_it(int bounds)
    {
        Histogram histogram = _registry.CreateHistogram("a_seconds", "A.", new HistogramOptions { Buckets = HistogramOptions.Linear(1, 1, bounds) });
        long[] expected = new long[bounds + 1];
        for (double value = -1; value < bounds + 2; value += 0.25)
        {
            histogram.Observe(value);
            expected[Math.Clamp((int)Math.Ceiling(value) - 1, 0, bounds)]++;
        }

        long[] counts = new long[bounds + 1];
        histogram.WithLabels().Read(counts);
        Assert.Equal(expected, counts);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public void A_value_that_would_spoil_the_sum_is_refused_and_counted(double value)
    {
        Histogram histogram = _registry.CreateHistogram("a_seconds", "A.");
        histogram.Observe(value);
        Assert.Equal(0, histogram.WithLabels().Count);
        Assert.Contains("metrics_rejected_values_total{family=\"a_seconds\"} 1\n", _registry.WriteText(), StringComparison.Ordinal);
    }

    [Fact]
    public void Bounds_must_ascend_and_a_trailing_infinity_is_understood()
    {
        Assert.Throws<ArgumentException>(() => _registry.CreateHistogram("a", "A.", new HistogramOptions { Buckets = [1, 1] }));
        Assert.Throws<ArgumentException>(() => _registry.CreateHistogram("a", "A.", new HistogramOptions { Buckets = [double.NaN] }));
        Assert.Equal([1, 2], _registry.CreateHistogram("a", "A.", new HistogramOptions { Buckets = [1, 2, double.PositiveInfinity] }).Buckets);
    }

    [Fact]
    public void OpenMetrics_leaves_out_a_sum_that_could_fall()
    {
        Histogram histogram = _registry.CreateHistogram("a", "A.", new HistogramOptions { Buckets = [-1, 1] });
        histogram.Observe(-5);
        string open = _registry.WriteText(ExpositionFormat.OpenMetrics);
        Assert.DoesNotContain("a_sum", open, StringComparison.Ordinal);
        Assert.DoesNotContain("a_count", open, StringComparison.Ordinal);
        Assert.Contains("\na_sum -5\n", _registry.WriteText(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_timer_observes_when_it_is_disposed()
    {
        Histogram histogram = _registry.CreateHistogram("a_seconds", "A.");
        using (histogram.Time())
        {
            Assert.Equal(0, histogram.WithLabels().Count);
        }

        Assert.Equal(1, histogram.WithLabels().Count);
    }

    [Fact]
    public void A_quantile_is_interpolated_inside_its_bucket()
    {
        Histogram histogram = _registry.CreateHistogram("a_seconds", "A.", new HistogramOptions { Buckets = [1, 2, 4] });
        Assert.Equal(0, histogram.Quantile(0.5));
        foreach (double value in new[] { 0.5, 1.5, 1.6, 3 })
        {
            histogram.Observe(value);
        }

        Assert.Equal(1.5, histogram.Quantile(0.5));
        Assert.Equal(4, histogram.Quantile(1));
    }

    [Fact]
    public async Task Sum_and_count_always_belong_together()
    {
        Histogram histogram = _registry.CreateHistogram("a_seconds", "A.");
        HistogramSeries series = histogram.WithLabels();
        using var stop = new CancellationTokenSource();
        Task[] writers = [.. Enumerable.Range(0, 3).Select(_ => Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                series.Observe(2);
            }
        }))];
        long[] counts = new long[histogram.Buckets.Count + 1];
        for (int read = 0; read < 5000; read++)
        {
            (long count, double sum) = series.Read(counts);
            Assert.Equal(2 * count, sum);
        }

        await stop.CancelAsync();
        await Task.WhenAll(writers);
    }
}
