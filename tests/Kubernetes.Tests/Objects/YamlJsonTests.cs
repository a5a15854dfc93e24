using System.Text.Json.Nodes;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Kubernetes.Tests.Objects;

public sealed class YamlJsonTests
{
    [Theory]
    [InlineData("a: 1", """{"a":1}""")]
    [InlineData("a: -0.5e3", """{"a":-500}""")]
    [InlineData("a: 0x1f", """{"a":31}""")]
    [InlineData("a: yes", """{"a":"yes"}""")]
    [InlineData("a: true\nb: False", """{"a":true,"b":false}""")]
    [InlineData("a: ~\nb: null\nc:", """{"a":null,"b":null,"c":null}""")]
    [InlineData("a: '1'\nb: \"true\"", """{"a":"1","b":"true"}""")]
    [InlineData("a: 1m\nb: 1.2.3\nc: 12:30", """{"a":"1m","b":"1.2.3","c":"12:30"}""")]
    [InlineData("a: |\n  x\n  y\n", """{"a":"x\ny\n"}""")]
    [InlineData("- 1\n- {b: [2, three]}", """[1,{"b":[2,"three"]}]""")]
    [InlineData("x: &x {a: 1, b: 2}\ny: *x\nz:\n  <<: *x\n  b: 3", """{"x":{"a":1,"b":2},"y":{"a":1,"b":2},"z":{"b":3,"a":1}}""")]
    public void Scalars_and_structures_are_read_as_kubectl_reads_them(string yaml, string json) =>
        Assert.Equal(json, Assert.Single(YamlJson.ReadAll(yaml)).ToJsonString());

    [Fact]
    public void Documents_are_separated_and_empty_ones_left_out() =>
        Assert.Equal(["1", "2"], YamlJson.ReadAll("---\n---\na: 1\n---\n# nothing\n---\na: 2\n").Select(node => node["a"]!.ToString()));

    [Theory]
    [InlineData("a: 1\na: 2", "line 2, column 1", "given twice")]
    [InlineData("a: [1", "line", "")]
    [InlineData("a: *nobody", "line 1, column 4", "unknown alias")]
    [InlineData("a: {<<: 3}", "line 1", "<< needs a mapping")]
    public void Mistakes_are_named_with_their_place(string yaml, string place, string message)
    {
        FormatException e = Assert.Throws<FormatException>(() => YamlJson.ReadAll(yaml));
        Assert.Contains(place, e.Message, StringComparison.Ordinal);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_billion_laughs_are_stopped()
    {
        string yaml = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + string.Concat("bcdefghi".Select((c, i) => $"{c}: &{c} [{string.Join(',', Enumerable.Repeat($"*{(char)(c - 1)}", 10))}]\n"));
        Assert.Throws<FormatException>(() => YamlJson.ReadAll(yaml));
    }

    [Fact]
    public void Typed_views_read_what_the_API_sends()
    {
        var json = JsonNode.Parse("""
            {"metadata":{"name":"s","creationTimestamp":"2026-11-21T10:00:00Z","annotations":null},
             "spec":{"ports":[{"name":"http","port":80,"targetPort":"web"},{"port":81,"targetPort":8081}],"selector":{"app":"a"}},
             "unknown":{"x":[1]}}
            """)!;
        Service service = System.Text.Json.JsonSerializer.Deserialize(json, KubeTypes.Services.Json)!;
        Assert.Equal(["web", "8081"], service.Spec!.Ports!.Select(port => port.TargetPort.ToString()!));
        Assert.Equal(new DateTimeOffset(2026, 11, 21, 10, 0, 0, TimeSpan.Zero), service.Metadata.CreationTimestamp);
    }

    [Theory]
    [InlineData("2026-11-21T10:00:00Z")]
    [InlineData("2026-11-21T10:00:00.5Z")]
    [InlineData("2026-11-21T10:00:00.123456Z")]
    [InlineData("2026-11-21T10:00:00.123456789Z")]
    [InlineData("2026-11-21T12:00:00+02:00")]
    public void Times_may_have_any_number_of_digits(string text)
    {
        string json = $$$"""{"metadata":{},"spec":{"renewTime":"{{{text}}}"}}""";
        Lease lease = System.Text.Json.JsonSerializer.Deserialize(json, KubeTypes.Leases.Json)!;
        Assert.Equal(10, lease.Spec!.RenewTime!.Value.UtcDateTime.Hour);
    }
}
