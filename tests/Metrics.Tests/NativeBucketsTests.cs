namespace OptiInfra.Metrics.Tests;

public sealed class NativeBucketsTests
{
    [Theory]
    [InlineData(1.0, 0, 0)]
    [InlineData(2.0, 0, 1)]
    [InlineData(2.0001, 0, 2)]
    [InlineData(0.5, 0, -1)]
    [InlineData(1.0, 3, 0)]
    [InlineData(1.09, 3, 1)]
    [InlineData(2.0, 3, 8)]
    [InlineData(2.0001, 3, 9)]
    [InlineData(1.0, -1, 0)]
    [InlineData(4.0, -1, 1)]
    [InlineData(4.1, -1, 2)]
    [InlineData(0.25, -1, -1)]
    [InlineData(0.24, -1, -1)]
    [InlineData(5e-324, 0, -1074)]
    public void A_value_has_the_index_that_the_specification_gives_it(double value, int schema, int index) =>
        Assert.Equal(index, NativeBuckets.IndexOf(value, schema));

    [Fact]
    public void Every_value_lies_between_the_bounds_of_its_bucket()
    {
        var random = new Random(3);
        for (int round = 0; round < 20_000; round++)
        {
            double value = Math.Exp((random.NextDouble() * 200) - 100);
            int schema = random.Next(-4, 9);
            int index = NativeBuckets.IndexOf(value, schema);
            Assert.True(value <= NativeBuckets.UpperBound(index, schema) * (1 + 1e-12), $"{value} is above bucket {index} of schema {schema}");
            Assert.True(value > NativeBuckets.UpperBound(index - 1, schema) * (1 - 1e-12), $"{value} is below bucket {index} of schema {schema}");
        }
    }

    [Theory]
    [InlineData(1.1, 3)]
    [InlineData(2, 0)]
    [InlineData(1.005, 8)]
    [InlineData(70000, -4)]
    public void The_growth_factor_chooses_the_schema(double factor, int schema) => Assert.Equal(schema, NativeBuckets.SchemaFor(factor));

    [Fact]
    public void Too_many_buckets_lower_the_resolution_and_lose_no_observation()
    {
        var buckets = new NativeBuckets(8, 20, 0);
        for (int value = 1; value <= 10_000; value++)
        {
            buckets.Add(value);
            buckets.Add(-value);
        }

        buckets.Add(0);
        Assert.True(buckets.Schema < 8);
        Assert.True(buckets.Positive.Used + buckets.Negative.Used <= 20);
        Assert.Equal(10_000, buckets.Positive.Filled().Sum(bucket => bucket.Count));
        Assert.Equal(10_000, buckets.Negative.Filled().Sum(bucket => bucket.Count));
        Assert.Equal(1, buckets.ZeroCount);
    }

    [Fact]
    public void Values_at_both_ends_of_the_range_of_doubles_fit()
    {
        var buckets = new NativeBuckets(8, 160, 0);
        buckets.Add(double.MaxValue);
        buckets.Add(double.Epsilon);
        Assert.Equal(2, buckets.Positive.Filled().Sum(bucket => bucket.Count));
    }

    [Fact]
    public void A_quantile_is_off_by_less_than_the_buckets_width()
    {
        var buckets = new NativeBuckets(6, 4096, 0);
        for (int value = 1; value <= 1000; value++)
        {
            buckets.Add(value);
        }

        Assert.InRange(buckets.Quantile(0.5), 500 * 0.994, 500 * 1.006);
        Assert.InRange(buckets.Quantile(0.99), 990 * 0.994, 990 * 1.006);
        Assert.True(double.IsNaN(new NativeBuckets(6, 8, 0).Quantile(0.5)));
    }
}
