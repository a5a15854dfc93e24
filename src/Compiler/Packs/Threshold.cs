using OptiInfra.PromQL.Syntax;

namespace OptiInfra.Compiler.Packs;

/// <summary>The threshold of an alert is the number that its outermost comparison compares with.</summary>
internal static class Threshold
{
    /// <summary>The expression with another threshold; null when it has none.</summary>
    public static string? Replace(string expr, double threshold) =>
        PromQLParser.Parse(expr).Expr is { } tree && Replace(tree, threshold) is { } changed ? changed.ToString() : null;

    private static Expr? Replace(Expr expr, double threshold) => expr switch
    {
        ParenExpr paren when Replace(paren.Inner, threshold) is { } inner => paren with { Inner = inner },
        BinaryExpr binary when binary.Op.IsComparison() && IsNumber(binary.Right) => binary with { Right = new NumberLiteral(default, threshold) },

        // "a > 5 unless b": the condition stands on the left.
        BinaryExpr binary when binary.Op.IsSet() && Replace(binary.Left, threshold) is { } left => binary with { Left = left },
        _ => null,
    };

    private static bool IsNumber(Expr expr) => expr.Unparenthesized() is NumberLiteral or UnaryExpr { Inner: NumberLiteral };
}
