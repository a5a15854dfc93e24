using OptiInfra.PromQL.Syntax;

namespace OptiInfra.Compiler.Compile;

/// <summary>Adds matchers to selectors on the syntax tree, so that the result always parses and nothing can be escaped from.</summary>
internal static class SelectorInjection
{
    /// <summary>The expression with further matchers in every selector; an expression that does not parse comes back as it is.</summary>
    public static string Inject(string expr, ParserOptions options, Func<VectorSelector, IReadOnlyList<LabelMatcher>> matchers) =>
        PromQLParser.Parse(expr, options).Expr is { } tree
            ? Rewrite(tree, selector => Add(selector, matchers(selector))).ToString()
            : expr;

    /// <summary>The tree with every selector replaced.</summary>
    public static Expr Rewrite(Expr expr, Func<VectorSelector, VectorSelector> change) => expr switch
    {
        VectorSelector selector => change(selector),
        MatrixSelector matrix => matrix with { Selector = change(matrix.Selector) },
        SubqueryExpr subquery => subquery with { Inner = Rewrite(subquery.Inner, change) },
        ParenExpr paren => paren with { Inner = Rewrite(paren.Inner, change) },
        UnaryExpr unary => unary with { Inner = Rewrite(unary.Inner, change) },
        BinaryExpr binary => binary with { Left = Rewrite(binary.Left, change), Right = Rewrite(binary.Right, change) },
        Call call => call with { Args = [.. call.Args.Select(arg => Rewrite(arg, change))] },
        Aggregation aggregation => aggregation with
        {
            Inner = Rewrite(aggregation.Inner, change),
            Param = aggregation.Param is null ? null : Rewrite(aggregation.Param, change),
        },
        _ => expr,
    };

    private static VectorSelector Add(VectorSelector selector, IReadOnlyList<LabelMatcher> matchers)
    {
        // A matcher that is there already is not repeated; one that differs stays, and both must hold.
        LabelMatcher[] missing = [.. matchers.Where(matcher => !selector.Matchers.Any(known => known.Name == matcher.Name && known.Op == matcher.Op && known.Value == matcher.Value))];
        return missing.Length == 0 ? selector : selector with { Matchers = [.. missing, .. selector.Matchers] };
    }
}
