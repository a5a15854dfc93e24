using OptiInfra.PromQL.Types;

namespace OptiInfra.PromQL.Tests.Types;

public sealed class FunctionsTests
{
    [Theory]
    [InlineData("2.42", 70)]
    [InlineData("2.53", 76)]
    [InlineData("3.5", 80)]
    [InlineData("3.14", 90)]
    public void Each_release_has_its_number_of_functions(string version, int count)
    {
        Assert.True(PrometheusVersion.TryParse(version, out PrometheusVersion release));
        Assert.Equal(count, Functions.All.Count(function => function.ExistsIn(release)));
    }

    [Theory]
    [InlineData("v3.5.3", 3, 5)]
    [InlineData("2.53.3+ds1", 2, 53)]
    public void Versions_are_read_as_people_write_them(string text, int major, int minor)
    {
        Assert.True(PrometheusVersion.TryParse(text, out PrometheusVersion version));
        Assert.Equal(new PrometheusVersion(major, minor), version);
    }

    [Theory]
    [InlineData("3")]
    [InlineData("latest")]
    [InlineData("3.x")]
    public void What_is_no_version_is_refused(string text) => Assert.False(PrometheusVersion.TryParse(text, out _));
}
