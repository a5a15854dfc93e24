using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Tests.Differential;
using OptiInfra.PromQL.Tests.Support;

namespace OptiInfra.PromQL.Tests.Syntax;

public sealed class PrinterTests
{
    private static readonly ParserOptions Everything = new() { ExperimentalFunctions = true, DurationExpressions = true };

    private const string Long = "histogram_quantile(0.99, sum by (le, service) (rate(http_request_duration_seconds_bucket{job=\"api\", code!~\"5..\"}[5m]))) > 1";

    [Theory]
    [InlineData("sum(x) by (b, a)", "sum by (b, a) (x)")]
    [InlineData("SUM by () (x)", "sum(x)")]
    [InlineData("x{b='1',a=\"2\"}", "x{a=\"2\",b=\"1\"}")]
    [InlineData("{\"a b\"=\"é\\xff\\n\"}", "{\"a b\"=\"é\\xff\\n\"}")]
    [InlineData("a + on (x) group_left b", "a + on (x) group_left () b")]
    [InlineData("a / ignoring(\"x y\") b", "a / ignoring (\"x y\") b")]
    [InlineData("a unless on() b", "a unless on () b")]
    [InlineData("a == bool 1e3", "a == bool 1000")]
    [InlineData("1e-7 + 1.5e21 + -0 + Inf + nan", "0.0000001 + 1500000000000000000000 + -0 + +Inf + NaN")]
    [InlineData("90m", "1h30m")]
    [InlineData("x[90m:30s] offset -5m @ 1.5", "x[1h30m:30s] @ 1.500 offset -5m")]
    [InlineData("x[2w] @ end()", "x[2w] @ end()")]
    [InlineData("-(1 + x)^2", "-(1 + x) ^ 2")]
    [InlineData("topk(3, x) without(a)", "topk without (a) (3, x)")]
    [InlineData("x[5m*(2+1)]", "x[5m * (2 + 1)]")]
    public void Prints_the_normal_form(string text, string expected) =>
        Assert.Equal(expected, PromQLParser.Parse(text, Everything).Expr!.ToString());

    [Fact]
    public void Printed_expressions_parse_back_to_the_same_print()
    {
        var generator = new ExpressionGenerator(new Random(11));
        int accepted = 0;
        for (int i = 0; i < 20_000; i++)
        {
            // "Inf ^ 2" is printed with Prometheus' own "+Inf", which reads back as +(Inf ^ 2): the same value, another tree.
            if (PromQLParser.Parse(generator.Next(), Everything).Expr is { } expr && !expr.ToString().Contains("Inf ^", StringComparison.Ordinal))
            {
                accepted++;
                string printed = expr.ToString();
                string formatted = Printer.Format(expr);
                Assert.Equal(printed, PromQLParser.Parse(printed, Everything).Expr?.ToString());
                Assert.Equal(formatted, Printer.Format(PromQLParser.Parse(formatted, Everything).Expr!));
            }
        }
        Assert.True(accepted > 2_000, $"only {accepted} were accepted");
    }

    [ToolTheory("prom-3.5/promtool")]
    [InlineData(Long)]
    [InlineData("(" + Long + ") and on (service) -(sum without (instance) (rate(errors_total[5m])) / sum without (instance) (rate(requests_total[5m]))) > bool 0.0001")]
    [InlineData("max_over_time((" + Long + ")[1h:5m]) or topk(5, label_replace(" + Long + ", \"a\", \"$1\", \"service\", \"(.*)\"))")]
    [InlineData("short > 1")]
    public void Breaks_long_expressions_as_promtool_does(string text) =>
        Assert.Equal(new Promtool("3.5").Format(text).TrimEnd('\n'), Printer.Format(PromQLParser.Parse(text).Expr!));
}
