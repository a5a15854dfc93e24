using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Types;

namespace OptiInfra.PromQL.Tests.Syntax;

public sealed class PromQLParserTests
{
    private static readonly ParserOptions V2 = new() { Version = PrometheusVersion.V253 };

    private static readonly ParserOptions V3 = new() { Version = PrometheusVersion.V35 };

    [Theory]
    [InlineData("foo[90]")]
    [InlineData("foo offset 90")]
    [InlineData("5m")]
    [InlineData("foo @ 1h")]
    [InlineData("1_000")]
    [InlineData("sum by (\"a b\") (foo)")]
    [InlineData("foo offset 0s")]
    [InlineData("foo offset +5m")]
    [InlineData("foo[--5m]")]
    [InlineData("sum by (a:b) (foo)")]
    public void Accepted_since_3_0_only(string text)
    {
        Assert.False(PromQLParser.Parse(text, V2).IsValid);
        Assert.True(PromQLParser.Parse(text, V3).IsValid);
    }

    [Theory]
    [InlineData("holt_winters(foo[5m], 0.5, 0.5)")]
    [InlineData("0xeee")]
    public void Accepted_before_3_0_only(string text)
    {
        Assert.True(PromQLParser.Parse(text, V2).IsValid);
        Assert.False(PromQLParser.Parse(text, V3).IsValid);
    }

    [Theory]
    [InlineData("sum and sum", "vector")]
    [InlineData("by + without", "vector")]
    [InlineData("on(x)", null)]
    [InlineData("sum by (without) (foo)", null)]
    [InlineData("sum by (on, bool, group_left) (foo)", "vector")]
    [InlineData("-foo ^ 2", "vector")]
    [InlineData("{\"foo\"}", "vector")]
    [InlineData("{\"foo\", a=\"b\"}", "vector")]
    [InlineData("foo{\"bar\"}", null)]
    [InlineData("{}", null)]
    [InlineData("{a=~\".*\"}", null)]
    [InlineData("{a=~\".+\"}", "vector")]
    [InlineData("{a!=\"\"}", "vector")]
    [InlineData("foo[5m:] @ start() offset -1h", "matrix")]
    [InlineData("foo offset 5m [5m]", null)]
    [InlineData("foo @ start() [5m]", "matrix")]
    [InlineData("foo @ 1 [5m]", null)]
    [InlineData("1 == 1", null)]
    [InlineData("1 == bool 1", "scalar")]
    [InlineData("foo + bool bar", null)]
    [InlineData("foo and 1", null)]
    [InlineData("foo + on(a) group_left(a) bar", null)]
    [InlineData("foo and on(a) group_left bar", null)]
    [InlineData("1 + on(a) foo", null)]
    [InlineData("1 + on() foo", "vector")]
    [InlineData("rate(foo)", null)]
    [InlineData("sum(foo[5m])", null)]
    [InlineData("topk(foo)", null)]
    [InlineData("count_values(\"x\", foo)", "vector")]
    [InlineData("\"text\"", "string")]
    [InlineData("`a\\`", "string")]
    [InlineData("'\\''", "string")]
    [InlineData("\"\\'\"", null)]
    [InlineData("foo{a=\"\\xff\"}", "vector")]
    [InlineData("foo{a=~\"\\xff.\"}", null)]
    [InlineData("0755", "scalar")]
    [InlineData("0x", null)]
    [InlineData("1e999", null)]
    [InlineData("foo @ Inf", null)]
    [InlineData("foo # comment\n + 1", "vector")]
    [InlineData("foo{a=\"b\" # comment )\n}", "vector")]
    [InlineData("abs(foo,)", null)]
    [InlineData("foo[1h30m]", "matrix")]
    [InlineData("foo[30m1h]", null)]
    [InlineData("foo[300y]", null)]
    [InlineData("mad_over_time(foo[5m])", null)]
    [InlineData("", null)]
    [InlineData("# only a comment", null)]
    public void Gets_the_type_or_is_refused(string text, string? type)
    {
        Expr? expr = PromQLParser.Parse(text, V3).Expr;
        Assert.Equal(type, expr is null ? null : PromQLCheck.TypeName(expr.Type));
    }

    [Theory]
    [InlineData("sum(rate(x)", "1:12: unclosed left parenthesis")]
    [InlineData("foo bar\n + 1", "1:5: unexpected identifier \"bar\"")]
    [InlineData("foo +\n  rate(bar)", "2:8: expected type range vector in call to function \"rate\", got instant vector")]
    [InlineData("é", "1:1: unexpected character: 'é'")]
    [InlineData("foo{a=\"é\"} + é", "1:15: unexpected character: 'é'")]
    [InlineData("sum(a b) + avg(c d)", "1:7: unexpected identifier \"b\"|1:18: unexpected identifier \"d\"")]
    [InlineData("rate(foo) + irate(bar)", "1:6: expected type range vector in call to function \"rate\", got instant vector|"
        + "1:19: expected type range vector in call to function \"irate\", got instant vector")]
    [InlineData("mad_over_time(foo[5m])", "1:1: function \"mad_over_time\" is not enabled; it is experimental and needs --enable-feature=promql-experimental-functions")]
    [InlineData("holt_winters(foo[5m],1,1)", "1:1: unknown function with name \"holt_winters\"; it was removed in Prometheus 3.0")]
    public void Names_every_mistake_with_its_place(string text, string expected) =>
        Assert.Equal(expected, string.Join('|', PromQLParser.Parse(text, V3).Diagnostics.Select(d => $"{d.Start}: {d.Message}")));

    [Fact]
    public void Nodes_know_the_bytes_they_came_from()
    {
        const string text = "sum by (a) (rate(é_total{b=\"x\"}[5m] offset 1m)) > 1";
        const string ascii = "sum by (a) (rate(e_total{b=\"x\"}[5m] offset 1m)) > 1";
        Assert.False(PromQLParser.Parse(text, V3).IsValid);
        Expr root = PromQLParser.Parse(ascii, V3).Expr!;
        string[] parts = [.. root.Walk().Select(node => ascii[node.Span.Start..node.Span.End])];
        Assert.Equal(
            [ascii, ascii[..^4], "rate(e_total{b=\"x\"}[5m] offset 1m)", "e_total{b=\"x\"}[5m] offset 1m", "e_total{b=\"x\"}", "1"], parts);
    }

    [Fact]
    public void Duration_arithmetic_is_read_when_the_release_allows_it()
    {
        const string text = "foo[5m * (1 + 1)] offset -(2m)";
        Assert.Equal(
            "experimental duration expression is not enabled; it needs --enable-feature=promql-duration-expr",
            PromQLParser.Parse(text, V3).Diagnostics[0].Message);
        Assert.Equal("foo[5m * (1 + 1)] offset -2m", PromQLParser.Parse(text, V3 with { DurationExpressions = true }).Expr!.ToString());
        Assert.True(PromQLParser.Parse(text, V3 with { Version = PrometheusVersion.V314 }).IsValid);
        Assert.False(PromQLParser.Parse("foo[1 / 0]", V3 with { DurationExpressions = true }).IsValid);
    }

    [Theory]
    [InlineData('(', 1_000_000)]
    [InlineData('-', 1_000_000)]
    [InlineData('{', 1_000_000)]
    [InlineData('[', 1_000_000)]
    public void A_megabyte_of_nesting_is_an_error_on_a_small_stack(char bracket, int count) =>
        OnSmallStack(() => Assert.False(PromQLParser.Parse("foo " + new string(bracket, count), V3).IsValid));

    [Fact]
    public void Deep_calls_chains_powers_and_subqueries_are_errors_on_a_small_stack() => OnSmallStack(() =>
    {
        string[] monsters =
        [
            string.Concat(Enumerable.Repeat("abs(", 100_000)) + "foo" + new string(')', 100_000),
            string.Concat(Enumerable.Repeat("-{}-1", 10_000)),
            "foo" + string.Concat(Enumerable.Repeat("[1m:]", 10_000)),
            string.Concat(Enumerable.Repeat("1^", 100_000)) + "1",
            string.Concat(Enumerable.Repeat("foo+", 100_000)) + "foo",
            $"foo[{new string('-', 100_000)}1m]",
            $"foo offset {new string('-', 100_000)}1m",
            $"foo[{new string('(', 100_000)}1m{new string(')', 100_000)}]",
        ];
        foreach (string monster in monsters)
        {
            Assert.False(PromQLParser.Parse(monster, V3).IsValid);
        }
        Assert.True(PromQLParser.Parse(new string('(', 250) + "foo" + new string(')', 250), V3).IsValid);
        Assert.True(PromQLParser.Parse(string.Concat(Enumerable.Repeat("foo+", 900)) + "foo", V3).IsValid);
    });

    [Fact]
    public void Noise_never_crashes_the_parser()
    {
        var random = new Random(7);
        const string alphabet = "foo(){}[],:@#\"'`\\=~!<>+-*/%^ \n\t0123456789.eEx_sumbyonrategroup_left5mé\ud800\udfff\0";
        for (int i = 0; i < 20_000; i++)
        {
            string noise = string.Concat(Enumerable.Range(0, random.Next(1, 60)).Select(_ => alphabet[random.Next(alphabet.Length)]));
            ParseResult result = PromQLParser.Parse(noise, random.Next(2) == 0 ? V2 : V3);
            Assert.Equal(result.IsValid, result.Diagnostics.IsEmpty);
        }
    }

    private static void OnSmallStack(Action action)
    {
        Exception? failure = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    action();
                }
                catch (Exception e)
                {
                    failure = e;
                }
            },
            1 << 20);
        thread.Start();
        thread.Join();
        Assert.True(failure is null, failure?.ToString());
    }
}
