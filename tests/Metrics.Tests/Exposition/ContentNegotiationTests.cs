using OptiInfra.Metrics.Exposition;

namespace OptiInfra.Metrics.Tests.Exposition;

public sealed class ContentNegotiationTests
{
    [Theory]
    [InlineData(null, ExpositionKind.Text004)]
    [InlineData("", ExpositionKind.Text004)]
    [InlineData("*/*", ExpositionKind.Text004)]
    [InlineData("image/png", ExpositionKind.Text004)]
    [InlineData("text/plain", ExpositionKind.Text004)]
    [InlineData("text/plain;version=0.0.4", ExpositionKind.Text004)]
    [InlineData("text/plain;version=1.0.0", ExpositionKind.Text100)]
    [InlineData("application/openmetrics-text", ExpositionKind.OpenMetrics)]
    [InlineData("application/openmetrics-text;version=1.0.0", ExpositionKind.OpenMetrics)]
    [InlineData("application/openmetrics-text;version=2.0.0", ExpositionKind.Text004)]
    [InlineData("application/openmetrics-text;q=0, text/plain;q=0.1", ExpositionKind.Text004)]
    [InlineData("application/openmetrics-text;q=0", ExpositionKind.Text004)]
    [InlineData("application/openmetrics-text;q=0.3,text/plain;version=1.0.0;q=0.4", ExpositionKind.Text100)]
    [InlineData("APPLICATION/OpenMetrics-Text; Version=\"1.0.0\"", ExpositionKind.OpenMetrics)]
    [InlineData("application/openmetrics-text;q=abc,text/plain;q=0.1", ExpositionKind.Text004)]
    [InlineData("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited", ExpositionKind.Protobuf)]
    [InlineData("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text", ExpositionKind.Text004)]

    // What Prometheus 3 and 2.53 send.
    [InlineData("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2", ExpositionKind.OpenMetrics)]
    [InlineData("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.2", ExpositionKind.Protobuf)]
    public void The_known_type_with_the_highest_weight_wins(string? accept, ExpositionKind expected) =>
        Assert.Equal(expected, ContentNegotiation.Choose(accept).Kind);

    [Theory]
    [InlineData("text/plain;version=1.0.0;escaping=allow-utf-8", EscapingScheme.AllowUtf8)]
    [InlineData("text/plain;version=1.0.0;escaping=dots", EscapingScheme.Dots)]
    [InlineData("text/plain;version=1.0.0;escaping=values", EscapingScheme.Values)]
    [InlineData("text/plain;version=1.0.0;escaping=other", EscapingScheme.Underscores)]
    [InlineData("text/plain;version=1.0.0", EscapingScheme.Underscores)]
    public void The_escaping_is_what_the_reader_asks_for(string accept, EscapingScheme expected) =>
        Assert.Equal(expected, ContentNegotiation.Choose(accept).Escaping);

    [Theory]
    [InlineData(null, false)]
    [InlineData("gzip", true)]
    [InlineData("deflate, gzip;q=0.5", true)]
    [InlineData("gzip;q=0", false)]
    [InlineData("*", true)]
    [InlineData("*, gzip;q=0", false)]
    [InlineData("br", false)]
    public void Gzip_is_used_when_it_is_allowed(string? acceptEncoding, bool expected) =>
        Assert.Equal(expected, ContentNegotiation.AcceptsGzip(acceptEncoding));
}
