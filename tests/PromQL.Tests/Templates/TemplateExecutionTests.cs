using OptiInfra.PromQL.Data;
using OptiInfra.PromQL.Templates;
using OptiInfra.PromQL.Types;

namespace OptiInfra.PromQL.Tests.Templates;

public sealed class TemplateExecutionTests
{
    private static readonly TemplateData Data = new()
    {
        Labels = new Dictionary<string, string> { ["agent"] = "cost-agent", ["zone"] = "eu" },
        ExternalLabels = new Dictionary<string, string> { ["cluster"] = "c1" },
        ExternalUrl = "http://prom:9090/path",
        Value = 1234567.5,
        Query = text => text == "none" ? [] :
        [
            new TemplateSample(new Dictionary<string, string> { ["instance"] = "b" }, 21.0),
            new TemplateSample(new Dictionary<string, string> { ["instance"] = "a" }, 11.0),
        ],
    };

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("{{ $labels.agent }} in {{ .Labels.zone }}", "cost-agent in eu")]
    [InlineData("{{ $labels.missing }}|", "|")]
    [InlineData("{{ $value }} {{ .Value | humanize }}", "1.2345675e+06 1.235M")]
    [InlineData("{{ $externalLabels.cluster }} {{ $externalURL }} {{ pathPrefix }}", "c1 http://prom:9090/path /path")]
    [InlineData("{{ if eq $labels.zone \"eu\" }}Europe{{ else }}elsewhere{{ end }}", "Europe")]
    [InlineData("{{ if gt $value 2e6 }}much{{ else if gt $value 1e6 }}some{{ else }}little{{ end }}", "some")]
    [InlineData("{{ with $labels.missing }}x{{ else }}none{{ end }}", "none")]
    [InlineData("{{ with $x := $labels.zone }}{{ $x | toUpper }}{{ . }}{{ end }}", "EUeu")]
    [InlineData("{{ range $i, $s := query \"up\" }}{{ $i }}={{ $s.Labels.instance }}:{{ .Value }} {{ end }}", "0=b:21 1=a:11 ")]
    [InlineData("{{ range query \"up\" | sortByLabel \"instance\" }}{{ .Labels.instance }}{{ break }}{{ end }}", "a")]
    [InlineData("{{ range query \"none\" }}x{{ else }}empty{{ end }}", "empty")]
    [InlineData("{{ range $k, $v := $labels }}{{ $k }}={{ $v }};{{ end }}", "agent=cost-agent;zone=eu;")]
    [InlineData("{{ query \"up\" | first | value }} {{ query \"up\" | first | label \"instance\" }}", "21 b")]
    [InlineData("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ $y := 3 }}{{ end }}{{ $x }}", "2")]
    [InlineData("{{ define \"t\" }}{{ .arg0 }}-{{ .arg1 }}{{ end }}{{ template \"t\" (args 1 \"b\") }}", "1-b")]
    [InlineData("a {{- 1 -}} b", "a1b")]
    [InlineData("{{ printf \"%.2f%% %5s|%-4d|%03d %q %v %t\" 12.345 \"ab\" 7 7 \"x\" 0.5 true }}", "12.35%    ab|7   |007 \"x\" 0.5 true")]
    [InlineData("{{ printf \"%d %s\" 1.5 }}", "%!d(float64=1.5) %!s(MISSING)")]
    [InlineData("{{ print 1 2 \"a\" \"b\" 3 }}{{ println 1 }}", "1 2ab31\n")]
    [InlineData("{{ len \"héy\" }} {{ index $labels \"zone\" }} {{ slice \"hello\" 1 3 }}", "4 eu el")]
    [InlineData("{{ and $labels.missing 1 }}|{{ or $labels.missing 2 }}|{{ not true }}", "|2|false")]
    [InlineData("{{ $labels }}", "map[agent:cost-agent zone:eu]")]
    [InlineData("{{ humanizePercentage 0.1234567 }} {{ humanize1024 1048576.0 }} {{ humanizeDuration 93784.0 }} {{ humanizeDuration 0.0123 }}", "12.35% 1Mi 1d 2h 3m 4s 12.3ms")]
    [InlineData("{{ humanizeTimestamp 1435065584.128 }}", "2015-06-23 13:19:44.128 +0000 UTC")]
    [InlineData("{{ (1435065584.128 | toTime).Format \"Mon, 02 Jan 2006 15:04:05.00\" }}", "Tue, 23 Jun 2015 13:19:44.12")]
    [InlineData("{{ \"foo.example.com:80\" | stripPort }} {{ \"foo.example.com:80\" | stripDomain }} {{ \"[2001:db8::1]:80\" | stripPort }} {{ \"192.0.2.1:80\" | stripDomain }}", "foo.example.com foo:80 2001:db8::1 192.0.2.1:80")]
    [InlineData("{{ reReplaceAll \"(a)b\" \"x$1\" \"abab\" }} {{ match \"^a+$\" \"aa\" }}", "xaxa true")]
    [InlineData("{{ graphLink \"up{a=\\\"b c\\\"}\" }}", "/graph?g0.expr=up%7Ba%3D%22b+c%22%7D&g0.tab=0")]
    [InlineData("{{ title \"aa bb CC\" }} {{ toLower \"AbC\" }} {{ parseDuration \"1h2m\" }}", "Aa Bb CC abc 3720")]
    [InlineData("{{ html \"<a & 'b'>\" }} {{ urlquery \"a b&c\" }}", "&lt;a &amp; &#39;b&#39;&gt; a+b%26c")]
    public void Templates_expand_as_in_Prometheus(string text, string expected) => Assert.Equal(expected, Run(text));

    [Theory]
    [InlineData("{{ query \"none\" | first }}", "no elements")]
    [InlineData("{{ $labels.agent.more }}", "can't evaluate field more in type string")]
    [InlineData("{{ if eq $value 1 }}x{{ end }}", "incompatible types")]
    [InlineData("{{ humanize \"one\" }}", "invalid syntax")]
    [InlineData("{{ toUpper 1 }}", "expected string; got int")]
    [InlineData("{{ template \"missing\" }}", "not defined")]
    [InlineData("{{ define \"t\" }}{{ template \"t\" }}{{ end }}{{ template \"t\" }}", "maximum template depth")]
    public void What_cannot_be_done_is_an_error(string text, string message)
    {
        var error = Assert.Throws<TemplateExecutionException>(() => Run(text));

        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_histogram_prints_its_buckets()
    {
        var histogram = new FloatHistogram { Count = 3, Sum = 10, Positive = HistogramBuckets.From(1, [3]) };

        Assert.Equal("{count:3, sum:10, (1,2]:3}", Run("{{ $value }}", Data with { Value = histogram }));
    }

    private static string Run(string text, TemplateData? data = null)
    {
        (Template? template, TemplateError? error) = TemplateParser.Parse(text, PrometheusVersion.V35);
        Assert.Null(error);
        return TemplateExecution.Run(template!, data ?? Data);
    }
}
