using OptiInfra.PromQL.Data;

namespace OptiInfra.PromQL.Tests.Data;

public sealed class GoNumberTests
{
    [Theory]
    [InlineData(0, "0")]
    [InlineData(1, "1")]
    [InlineData(-0.5, "-0.5")]
    [InlineData(100000, "100000")]
    [InlineData(1000000, "1e+06")]
    [InlineData(1234567.5, "1.2345675e+06")]
    [InlineData(0.0001, "0.0001")]
    [InlineData(0.00001, "1e-05")]
    [InlineData(1e100, "1e+100")]
    [InlineData(double.NaN, "NaN")]
    [InlineData(double.NegativeInfinity, "-Inf")]
    public void Values_print_as_in_a_Go_template(double value, string expected) => Assert.Equal(expected, GoNumber.Format(value));

    [Theory]
    [InlineData(1e21, "1000000000000000000000")]
    [InlineData(1.5e-7, "0.00000015")]
    [InlineData(120, "120")]
    public void Label_values_have_no_exponent(double value, string expected) => Assert.Equal(expected, GoNumber.FormatPlain(value));

    [Theory]
    [InlineData(1234.5678, "1235")]
    [InlineData(0.123456, "0.1235")]
    [InlineData(100, "100")]
    [InlineData(12345678, "1.235e+07")]
    public void Significant_digits_are_rounded(double value, string expected) => Assert.Equal(expected, GoNumber.FormatG(value, 4));
}
