using OptiInfra.PromQL.Syntax;

namespace OptiInfra.PromQL.Engine;

/// <summary>Durations in milliseconds, computed where the query has arithmetic in their place.</summary>
internal static class Durations
{
    public static long Resolve(PromDuration constant, DurationExpr? expression, bool mayBeNegative)
    {
        if (expression is null)
        {
            return constant.Milliseconds;
        }
        double seconds = Value(expression);
        if (seconds <= 0 && !mayBeNegative)
        {
            throw new EvaluationException($"{expression.Span.Start}:{expression.Span.End}: duration must be greater than 0");
        }
        if (double.IsNaN(seconds) || Math.Abs(seconds) > long.MaxValue / 1e9)
        {
            throw new EvaluationException($"{expression.Span.Start}:{expression.Span.End}: duration is out of range");
        }
        return (long)(seconds * 1000);
    }

    private static double Value(Expr expr) => expr switch
    {
        NumberLiteral number => number.Value,
        ParenExpr paren => Value(paren.Inner),
        DurationExpr { Left: null, Op: BinaryOp.Sub } negation => -Value(negation.Right),
        DurationExpr { Left: null } plain => Value(plain.Right),
        DurationExpr sum => Compute(sum, Value(sum.Left), Value(sum.Right)),
        _ => throw new InvalidOperationException($"{expr.GetType().Name} is no duration"),
    };

    private static double Compute(DurationExpr expr, double left, double right) => expr.Op switch
    {
        BinaryOp.Add => left + right,
        BinaryOp.Sub => left - right,
        BinaryOp.Mul => left * right,
        BinaryOp.Pow => Math.Pow(left, right),
        BinaryOp.Div when right == 0 => throw new EvaluationException($"{expr.Span.Start}:{expr.Span.End}: division by zero"),
        BinaryOp.Mod when right == 0 => throw new EvaluationException($"{expr.Span.Start}:{expr.Span.End}: modulo by zero"),
        BinaryOp.Div => left / right,
        _ => left % right,
    };
}
