using OptiInfra.PromQL.Data;
using OptiInfra.PromQL.Testing;

namespace OptiInfra.PromQL.Tests.Testing;

public sealed class SeriesNotationTests
{
    [Theory]
    [InlineData("1 -2.5 +3e2", "1 -2.5 300")]
    [InlineData("1+2x3", "1 3 5 7")]
    [InlineData("1-2x2", "1 -1 -3")]
    [InlineData("-1+1x1", "-1 0")]
    [InlineData("7x2", "7 7 7")]
    [InlineData("0x2", "0 0 0")]
    [InlineData("1e-1+1x1", "0.1 1.1")]
    [InlineData("_ 1 _x2 2", "- 1 - - 2")]
    [InlineData("NaN Inf -Inf", "NaN +Inf -Inf")]
    [InlineData("", "")]
    public void Values_are_expanded(string notation, string expected)
    {
        IEnumerable<string> values = SeriesNotation.ReadValues(notation).Select(value => value.IsPresent ? GoNumber.Format(value.Float) : "-");

        Assert.Equal(expected, string.Join(' ', values));
    }

    [Fact]
    public void Stale_is_a_marker_and_not_just_any_NaN()
    {
        List<SampleValue> values = SeriesNotation.ReadValues("stale NaN");

        Assert.True(StaleMarker.Is(values[0].Float));
        Assert.False(StaleMarker.Is(values[1].Float));
    }

    [Fact]
    public void Histograms_repeat_and_grow()
    {
        List<SampleValue> values = SeriesNotation.ReadValues("{{schema:1 count:1 sum:2 offset:-1 buckets:[1]}}+{{schema:1 count:1 sum:1 buckets:[1]}}x1 {{}}");

        Assert.Equal(
            ["{{schema:1 count:1 sum:2 offset:-1 buckets:[1]}}", "{{schema:1 count:2 sum:3 offset:-1 buckets:[1 1]}}", "{{}}"],
            values.Select(value => value.Histogram?.ToNotation()));
    }

    [Theory]
    [InlineData("up{job=\"x\"} 1", "{__name__=\"up\", job=\"x\"}")]
    [InlineData("{__name__=\"up\"} 1", "{__name__=\"up\"}")]
    [InlineData("{\"up.time\", \"a b\"='c\\n'} 1", "{__name__=\"up.time\", \"a b\"=\"c\\n\"}")]
    [InlineData("up{ job = \"x\" , } 1", "{__name__=\"up\", job=\"x\"}")]
    [InlineData("up 1", "{__name__=\"up\"}")]
    [InlineData("{} 1", "{}")]
    public void Series_names_are_read(string notation, string expected) =>
        Assert.Equal(expected, SeriesNotation.ReadSeries(notation).Labels.ToString());

    [Theory]
    [InlineData("up 1+2")]
    [InlineData("up abc")]
    [InlineData("up 1x")]
    [InlineData("up 1x99999999999")]
    [InlineData("up 1 2x10000001")]
    [InlineData("up{job=} 1")]
    [InlineData("up{job=\"x} 1")]
    [InlineData("up {{schema:x}}")]
    [InlineData("up {{colour:1}}")]
    [InlineData("up {{schema:1")]
    public void Mistakes_are_refused(string notation) =>
        Assert.Throws<SeriesNotation.NotationException>(() => SeriesNotation.ReadSeries(notation));
}
