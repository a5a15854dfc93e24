using System.Buffers;
using System.Text;
using OptiInfra.Metrics.Exposition;

namespace OptiInfra.Metrics.Tests.Exposition;

public sealed class NameEscapingTests
{
    [Theory]
    [InlineData("http_requests", EscapingScheme.Underscores, "http_requests")]
    [InlineData("http.requests", EscapingScheme.Underscores, "http_requests")]
    [InlineData("1a", EscapingScheme.Underscores, "_a")]
    [InlineData("http.status_code", EscapingScheme.Dots, "http_dot_status__code")]
    [InlineData("http_requests", EscapingScheme.Dots, "http__requests")]
    [InlineData("http.status_code", EscapingScheme.Values, "U__http_2e_status__code")]
    [InlineData("label with 😱", EscapingScheme.Values, "U__label_20_with_20__1f631_")]
    [InlineData("http_requests", EscapingScheme.Values, "http_requests")]
    [InlineData("http.requests", EscapingScheme.AllowUtf8, "http.requests")]
    public void Names_are_escaped_as_the_reader_asked(string name, EscapingScheme scheme, string expected) =>
        Assert.Equal(expected, NameEscaping.Escape(name, scheme));

    [Fact]
    public void A_name_that_is_not_plain_goes_into_the_braces_in_quotes()
    {
        var registry = new MetricRegistry(new MetricRegistryOptions { Utf8Names = true, SelfMetrics = false });
        registry.CreateCounter("my.requests", "Mine.", "http.method", "plain").WithLabels("GET", "p").Inc();
        registry.CreateGauge("my.level", "").Set(2);
        string text = registry.WriteText(new ExpositionFormat(ExpositionKind.Text100, EscapingScheme.AllowUtf8));
        Assert.Equal(
            """
            # HELP "my.requests_total" Mine.
            # TYPE "my.requests_total" counter
            {"my.requests_total","http.method"="GET",plain="p"} 1
            # HELP "my.level" 
            # TYPE "my.level" gauge
            {"my.level"} 2

            """,
            text);
        Assert.Contains("my_requests_total{http_method=\"GET\",plain=\"p\"} 1\n", registry.WriteText(), StringComparison.Ordinal);
    }

    [PrometheusFact]
    public async Task Promtool_reads_every_kind_of_awkward_value()
    {
        var registry = new MetricRegistry(new MetricRegistryOptions { SelfMetrics = false });
        Gauge gauge = registry.CreateGauge("awkward", "Back\\slash, \"quote\" and\nnew line.", "v");
        foreach (string value in new[] { "", "\"", "\\", "\n", "a,b", "{}", "😱", " ", "\u0001", "\ud800" })
        {
            gauge.WithLabels(value).Set(1);
        }

        Assert.Equal("", await PrometheusTools.CheckMetricsAsync(registry.WriteText()));
    }

    [Fact]
    public void Writing_into_small_pieces_gives_the_same_text()
    {
        var registry = new MetricRegistry(new MetricRegistryOptions { SelfMetrics = false });
        Counter counter = registry.CreateCounter("a_total", "A.", "x");
        for (int index = 0; index < 900; index++)
        {
            counter.WithLabels(new string('v', index % 120) + index).Inc(index);
        }

        using var pieces = new SegmentedBuffer(new SegmentPool());
        registry.Write(pieces, ExpositionFormat.Text);
        var whole = new ArrayBufferWriter<byte>();
        registry.Write(whole, ExpositionFormat.Text);
        Assert.Equal(Encoding.UTF8.GetString(whole.WrittenSpan), string.Concat(pieces.Segments().Select(segment => Encoding.UTF8.GetString(segment.Span))));
    }
}
