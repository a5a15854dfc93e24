using OptiInfra.PromQL.Syntax;

namespace OptiInfra.PromQL.Tests.Syntax;

public sealed class SelectorInjectionTests
{
    private static readonly LabelMatcher Team = new(default, "team", MatchOp.Equal, "a");

    [Theory]
    [InlineData("up", "up{team=\"a\"}")]
    [InlineData("rate(x_total{job=\"j\"}[5m])", "rate(x_total{job=\"j\",team=\"a\"}[5m])")]
    [InlineData("sum by (job) (a) / on (job) (b offset 5m)", "sum by (job) (a{team=\"a\"}) / on (job) (b{team=\"a\"} offset 5m)")]
    [InlineData("max_over_time(rate(x_total[1m])[1h:5m])", "max_over_time(rate(x_total{team=\"a\"}[1m])[1h:5m])")]
    [InlineData("-topk(scalar(n), x)", "-topk(scalar(n{team=\"a\"}), x{team=\"a\"})")]
    [InlineData("x{team=\"a\"}", "x{team=\"a\"}")]
    [InlineData("x{team=\"b\"}", "x{team=\"a\",team=\"b\"}")]
    [InlineData("vector(1)", "vector(1)")]
    public void Every_selector_is_narrowed_and_nothing_else_changes(string query, string narrowed)
    {
        Expr expr = PromQLParser.Parse(query).Expr!;

        Assert.Equal(narrowed, SelectorInjection.Require(expr, [Team]).ToString());
    }
}
