using System.Globalization;
using System.Text;
using OptiInfra.Metrics.Exposition;

namespace OptiInfra.Metrics.Tests.Exposition;

public sealed class NumberTextTests
{
    [Theory]
    [InlineData(0.0, "0", "0.0")]
    [InlineData(-0.0, "-0", "-0.0")]
    [InlineData(1.0, "1", "1.0")]
    [InlineData(-17.0, "-17", "-17.0")]
    [InlineData(0.1, "0.1", "0.1")]
    [InlineData(1e-5, "1e-05", "1e-05")]
    [InlineData(123456789.0, "123456789", "123456789.0")]
    [InlineData(1e22, "1e+22", "1e+22")]
    [InlineData(1.7976931348623157e308, "1.7976931348623157e+308", "1.7976931348623157e+308")]
    [InlineData(5e-324, "5e-324", "5e-324")]
    [InlineData(double.NaN, "NaN", "NaN")]
    [InlineData(double.PositiveInfinity, "+Inf", "+Inf")]
    [InlineData(double.NegativeInfinity, "-Inf", "-Inf")]
    public void A_value_has_one_form_in_each_format(double value, string text, string open)
    {
        Assert.Equal(text, Written(value, false));
        Assert.Equal(open, Written(value, true));
    }

    [Theory]
    [InlineData(0.005, "0.005", "0.005")]
    [InlineData(0.1, "0.1", "0.1")]
    [InlineData(1, "1", "1.0")]
    [InlineData(10, "10", "10.0")]
    [InlineData(2.5, "2.5", "2.5")]
    [InlineData(100000, "100000", "100000.0")]
    [InlineData(1e6, "1e+06", "1e+06")]
    [InlineData(1234567, "1.234567e+06", "1.234567e+06")]
    [InlineData(0.0001, "0.0001", "0.0001")]
    [InlineData(1e-5, "1e-05", "1e-05")]
    [InlineData(-0.5, "-0.5", "-0.5")]
    [InlineData(1e100, "1e+100", "1e+100")]
    [InlineData(0, "0", "0.0")]
    [InlineData(double.PositiveInfinity, "+Inf", "+Inf")]
    public void A_bound_is_canonical(double bound, string text, string open)
    {
        Assert.Equal(text, NumberText.Bound(bound, false));
        Assert.Equal(open, NumberText.Bound(bound, true));
    }

    [Fact]
    public void Any_double_reads_back_as_itself()
    {
        var random = new Random(7);
        for (int round = 0; round < 20_000; round++)
        {
            double value = BitConverter.Int64BitsToDouble(random.NextInt64());
            if (double.IsFinite(value))
            {
                Assert.Equal(value, double.Parse(Written(value, true), CultureInfo.InvariantCulture));
                Assert.Equal(value, double.Parse(NumberText.Bound(value, true), CultureInfo.InvariantCulture));
                Assert.True(Written(value, true).AsSpan().IndexOfAny('.', 'e') >= 0);
            }
        }
    }

    private static string Written(double value, bool asFloat)
    {
        Span<byte> output = stackalloc byte[NumberText.MaxLength];
        return Encoding.ASCII.GetString(output[..NumberText.Write(output, value, asFloat)]);
    }
}
