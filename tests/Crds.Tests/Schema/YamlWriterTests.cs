using System.Text.Json.Nodes;
using OptiInfra.Crds.Schema;

namespace OptiInfra.Crds.Tests.Schema;

public sealed class YamlWriterTests
{
    [Theory]
    [InlineData("15s", "15s")]
    [InlineData("plain text", "plain text")]
    [InlineData("up == 0", "up == 0")]
    [InlineData("", "''")]
    [InlineData("true", "'true'")]
    [InlineData("No", "'No'")]
    [InlineData("8080", "'8080'")]
    [InlineData("1e5", "'1e5'")]
    [InlineData("12:30", "'12:30'")]
    [InlineData("0x1F", "'0x1F'")]
    [InlineData(".5", "'.5'")]
    [InlineData(".inf", "'.inf'")]
    [InlineData(".spec.role", ".spec.role")]
    [InlineData("null", "'null'")]
    [InlineData("~", "'~'")]
    [InlineData("a: b", "'a: b'")]
    [InlineData("a #b", "'a #b'")]
    [InlineData("{{ $value }}", "'{{ $value }}'")]
    [InlineData("- x", "'- x'")]
    [InlineData("it's", "it's")]
    [InlineData("'x'", "\"'x'\"")]
    [InlineData("tab\there", "\"tab\\there\"")]
    [InlineData("sum(rate(x[5m])) by (a)", "sum(rate(x[5m])) by (a)")]
    public void Quotes_exactly_what_could_be_read_as_something_else(string value, string written) =>
        Assert.Equal($"key: {written}\n", YamlWriter.Write(new JsonObject { ["key"] = value }));

    [Fact]
    public void Nests_lists_and_mappings_as_people_write_them()
    {
        JsonNode node = JsonNode.Parse("""{"groups":[{"name":"a","rules":[{"alert":"X","labels":{"severity":"warning"}},{"record":"y"}]}],"empty":{},"none":[],"count":3,"b":true,"list":["x","1"],"deep":[[1,2],[3]]}""")!;

        Assert.Equal(
            """
            groups:
            - name: a
              rules:
              - alert: X
                labels:
                  severity: warning
              - record: 'y'
            empty: {}
            none: []
            count: 3
            b: true
            list:
            - x
            - '1'
            deep:
            -
              - 1
              - 2
            -
              - 3

            """,
            YamlWriter.Write(node));
    }

    [Fact]
    public void Writes_several_lines_as_a_block_where_that_is_exact()
    {
        Assert.Equal("a: |\n  x\n\n  y\n", YamlWriter.Write(new JsonObject { ["a"] = "x\n\ny\n" }));
        Assert.Equal("a: |-\n  x\n  y\n", YamlWriter.Write(new JsonObject { ["a"] = "x\ny" }));
        Assert.Equal("a: \"x\\n\\n\"\n", YamlWriter.Write(new JsonObject { ["a"] = "x\n\n" }));
        Assert.Equal("a: \" x\\ny\"\n", YamlWriter.Write(new JsonObject { ["a"] = " x\ny" }));
    }
}
