using OptiInfra.PromQL.Syntax;

namespace OptiInfra.Compiler.Dashboards;

/// <summary>
/// Confines a panel's query to the jobs and instances chosen in the dashboard. Grafana's variables are not PromQL: those
/// inside strings are, those that stand for durations are replaced by sentinels while the query is a syntax tree.
/// </summary>
internal static class PanelScope
{
    /// <summary>Grafana's duration variables and the odd durations that stand for them; nobody writes these by hand.</summary>
    private static readonly (string Variable, string Sentinel)[] Durations = [("$__rate_interval", "7m43s"), ("$__range", "7m47s")];

    private static readonly LabelMatcher[] Chosen = [Matcher("job", "$job"), Matcher("instance", "$instance")];

    /// <summary>The query with matchers on <c>$job</c> and <c>$instance</c> in every selector, if it is about targets.</summary>
    public static string Confine(PanelQuery query)
    {
        Expr expr = Parse(query);
        string text = Printer.Print(query.Scoped ? SelectorInjection.Require(expr, Chosen) : expr);
        return Durations.Aggregate(text, (current, duration) => current.Replace(duration.Sentinel, duration.Variable, StringComparison.Ordinal));
    }

    /// <summary>The query as a tree, its duration variables replaced by sentinels. A query that does not parse is our own mistake.</summary>
    public static Expr Parse(PanelQuery query)
    {
        string text = Durations.Aggregate(query.Expr, (current, duration) => current.Replace(duration.Variable, duration.Sentinel, StringComparison.Ordinal));
        ParseResult parsed = PromQLParser.Parse(text);
        return parsed.Expr ?? throw new InvalidOperationException($"the dashboard query {query.Expr} does not parse: {string.Join("; ", parsed.Diagnostics)}");
    }

    private static LabelMatcher Matcher(string name, string value) => new(default, name, MatchOp.Regex, value);
}
