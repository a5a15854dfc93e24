namespace OptiInfra.PromQL.Syntax;

/// <summary>
/// Narrows an expression by adding matchers to its selectors, on the syntax tree: tenancy, rule packs and dashboards all
/// confine queries this way. What a selector demands already stays; matchers only ever take series away.
/// </summary>
public static class SelectorInjection
{
    /// <summary>Adds the matchers to every selector that does not have them yet.</summary>
    public static Expr Require(Expr expr, IReadOnlyList<LabelMatcher> matchers) => Rewrite(expr, selector =>
        selector with { Matchers = [.. selector.Matchers, .. matchers.Where(matcher => !Has(selector, matcher))] });

    /// <summary>The same tree with every selector replaced by what the function makes of it.</summary>
    public static Expr Rewrite(Expr expr, Func<VectorSelector, VectorSelector> rewrite) => expr switch
    {
        VectorSelector selector => rewrite(selector),
        MatrixSelector matrix => matrix with { Selector = rewrite(matrix.Selector) },
        SubqueryExpr subquery => subquery with { Inner = Rewrite(subquery.Inner, rewrite) },
        ParenExpr paren => paren with { Inner = Rewrite(paren.Inner, rewrite) },
        UnaryExpr unary => unary with { Inner = Rewrite(unary.Inner, rewrite) },
        BinaryExpr binary => binary with { Left = Rewrite(binary.Left, rewrite), Right = Rewrite(binary.Right, rewrite) },
        Call call => call with { Args = [.. call.Args.Select(arg => Rewrite(arg, rewrite))] },
        Aggregation aggregation => aggregation with
        {
            Inner = Rewrite(aggregation.Inner, rewrite),
            Param = aggregation.Param is null ? null : Rewrite(aggregation.Param, rewrite),
        },
        _ => expr,
    };

    private static bool Has(VectorSelector selector, LabelMatcher matcher) =>
        selector.Matchers.Any(existing => existing.Name == matcher.Name && existing.Op == matcher.Op && existing.Value == matcher.Value);
}
