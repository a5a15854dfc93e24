using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Syntax;

/// <summary>Ranges, subqueries, offset, @ and the durations in them.</summary>
internal ref partial struct ExprParser
{
    // ---- Ranges, subqueries, offset and @.

    private Expr? Brackets(Expr? inner)
    {
        int start = token.Span.Start;
        Advance();
        (PromDuration range, DurationExpr? rangeExpr, bool good) = RangeDuration("subquery or range");
        if (good && token.Kind == TokenKind.Colon)
        {
            return Subquery(inner, range, rangeExpr);
        }
        if (good && token.Kind != TokenKind.RightBracket)
        {
            Unexpected("subquery or range", "\":\" or \"]\"");
            good = false;
        }
        CloseBracket();
        if (!good || inner is null)
        {
            return null;
        }
        var brackets = new TextSpan(start, lastEnd);
        if (inner is not VectorSelector selector)
        {
            Report(brackets, "ranges only allowed for vector selectors");
            return null;
        }
        if (selector.Offset != PromDuration.Zero)
        {
            Report(brackets, "no offset modifiers allowed before range");
        }
        else if (selector.At.Kind == AtKind.Timestamp)
        {
            Report(brackets, "no @ modifiers allowed before range");
        }
        return new MatrixSelector(new TextSpan(inner.Span.Start, lastEnd), selector, range) { RangeExpr = rangeExpr, Height = 2 };
    }

    private SubqueryExpr? Subquery(Expr? inner, PromDuration range, DurationExpr? rangeExpr)
    {
        Advance();
        PromDuration step = default;
        DurationExpr? stepExpr = null;
        bool good = true;
        if (token.Kind != TokenKind.RightBracket)
        {
            (step, stepExpr, good) = RangeDuration("subquery selector");
            if (good && token.Kind != TokenKind.RightBracket)
            {
                Unexpected("subquery selector", "\"]\"");
                good = false;
            }
        }
        CloseBracket();
        return !good || inner is null ? null : Bounded(new SubqueryExpr(new TextSpan(inner.Span.Start, lastEnd), inner, range, step)
        {
            RangeExpr = rangeExpr,
            StepExpr = stepExpr,
            Height = inner.Height + 1,
        });
    }

    /// <summary>A duration that must be positive; the flag is false when a mistake in its form has been reported.</summary>
    private (PromDuration Constant, DurationExpr? Expr, bool Good) RangeDuration(string context)
    {
        if (!options.IsV3)
        {
            if (token.Kind == TokenKind.Duration)
            {
                return (Duration(), null, true);
            }
            Unexpected(context, "duration");
            return default;
        }
        Expr? duration = DurationOperand(0, context);
        switch (duration)
        {
            case null:
                return default;
            case DurationExpr expr:
                return (default, expr, true);
            default:
                var number = (NumberLiteral)duration;
                if (number.Value <= 0)
                {
                    Report(number.Span, "duration must be greater than 0");
                    return (default, null, true);
                }
                return (PromDuration.FromSeconds(number.Value), null, true);
        }
    }

    private Expr? Offset(Expr? inner)
    {
        Advance();
        PromDuration offset = default;
        DurationExpr? offsetExpr = null;
        if (!options.IsV3)
        {
            bool negative = token.Kind == TokenKind.Sub;
            if (negative)
            {
                Advance();
            }
            if (token.Kind != TokenKind.Duration)
            {
                Unexpected("offset", "duration");
                return null;
            }
            offset = negative ? -Duration() : Duration();
        }
        else
        {
            Expr? duration = OffsetDuration();
            if (duration is null)
            {
                return null;
            }
            offsetExpr = duration as DurationExpr;
            offset = duration is NumberLiteral number ? PromDuration.FromSeconds(number.Value) : default;
        }
        return inner is null ? null : WithOffset(inner, offset, offsetExpr);
    }

    /// <summary>Without parentheses only a signed constant belongs to the offset: <c>foo offset 5m + 1</c> adds one to foo.</summary>
    private Expr? OffsetDuration()
    {
        if (token.Kind is TokenKind.Number or TokenKind.Duration)
        {
            return DurationConstant();
        }
        if (token.Kind is TokenKind.Add or TokenKind.Sub)
        {
            Token sign = token;
            Advance();
            if (token.Kind is TokenKind.Number or TokenKind.Duration)
            {
                return Negated(sign, DurationConstant());
            }
            Expr? operand = DurationOperand(MulPrecedence, "offset");
            return operand is null ? null : DurationOperators(Negated(sign, operand), 0);
        }
        return DurationOperand(0, "offset");
    }

    private Expr? WithOffset(Expr inner, PromDuration offset, DurationExpr? offsetExpr)
    {
        switch (inner)
        {
            case VectorSelector selector:
                ReportOffsetTwice(inner, selector.Offset, selector.OffsetExpr);
                return selector with { Span = selector.Span with { End = lastEnd }, Offset = offset, OffsetExpr = offsetExpr };
            case MatrixSelector matrix:
                ReportOffsetTwice(inner, matrix.Selector.Offset, matrix.Selector.OffsetExpr);
                return matrix with
                {
                    Span = matrix.Span with { End = lastEnd },
                    Selector = matrix.Selector with { Offset = offset, OffsetExpr = offsetExpr },
                };
            case SubqueryExpr subquery:
                ReportOffsetTwice(inner, subquery.Offset, subquery.OffsetExpr);
                return subquery with { Span = subquery.Span with { End = lastEnd }, Offset = offset, OffsetExpr = offsetExpr };
            default:
                Report(inner.Span, "offset modifier must be preceded by an instant vector selector or range vector selector or a subquery");
                return null;
        }
    }

    private readonly void ReportOffsetTwice(Expr inner, PromDuration offset, DurationExpr? offsetExpr)
    {
        if (offset != PromDuration.Zero || offsetExpr is not null)
        {
            Report(inner.Span, "offset may not be set multiple times");
        }
    }

    private Expr? At(Expr? inner)
    {
        Advance();
        AtModifier at;
        double seconds = 0;
        if (token.Kind is TokenKind.Start or TokenKind.EndKeyword)
        {
            at = new AtModifier(token.Kind == TokenKind.Start ? AtKind.Start : AtKind.End);
            Advance();
            if (!Expect(TokenKind.LeftParen, "") || !Expect(TokenKind.RightParen, ""))
            {
                return null;
            }
        }
        else
        {
            bool negative = token.Kind == TokenKind.Sub;
            if (token.Kind is TokenKind.Add or TokenKind.Sub)
            {
                Advance();
            }
            if (token.Kind != TokenKind.Number && (token.Kind != TokenKind.Duration || !options.IsV3))
            {
                Unexpected("@", "timestamp");
                return null;
            }
            seconds = token.Kind == TokenKind.Number ? Number().Value : Duration().Seconds;
            seconds = negative ? -seconds : seconds;
            at = new AtModifier(AtKind.Timestamp, ToMilliseconds(seconds));
        }
        if (inner is null)
        {
            return null;
        }
        if (!double.IsFinite(seconds) || seconds is >= long.MaxValue or <= long.MinValue)
        {
            Report(inner.Span, "timestamp out of bounds for @ modifier");
        }
        return WithAt(inner, at);
    }

    private static long ToMilliseconds(double seconds)
    {
        double ms = Math.Round(seconds * 1000, MidpointRounding.AwayFromZero);
        return ms is > long.MinValue and < long.MaxValue ? (long)ms : 0;
    }

    private Expr? WithAt(Expr inner, AtModifier at)
    {
        AtModifier before;
        Expr changed;
        switch (inner)
        {
            case VectorSelector selector:
                before = selector.At;
                changed = selector with { Span = selector.Span with { End = lastEnd }, At = at };
                break;
            case MatrixSelector matrix:
                before = matrix.Selector.At;
                changed = matrix with { Span = matrix.Span with { End = lastEnd }, Selector = matrix.Selector with { At = at } };
                break;
            case SubqueryExpr subquery:
                before = subquery.At;
                changed = subquery with { Span = subquery.Span with { End = lastEnd }, At = at };
                break;
            default:
                Report(inner.Span, "@ modifier must be preceded by an instant vector selector or range vector selector or a subquery");
                return null;
        }
        if (before.IsSet)
        {
            Report(inner.Span, "@ <timestamp> may not be set multiple times");
        }
        return changed;
    }

    // ---- Duration expressions (from 3.4, behind a flag until 3.14): signs are always allowed, operators and parentheses need it.

    private const int MulPrecedence = 5;

    private Expr? DurationOperand(int floor, string context)
    {
        Expr? left;
        switch (token.Kind)
        {
            case TokenKind.Number or TokenKind.Duration:
                left = DurationConstant();
                break;
            case TokenKind.Add or TokenKind.Sub:
                Token sign = token;
                if (!Enter())
                {
                    return null;
                }
                Advance();
                left = DurationOperand(MulPrecedence, context) is { } operand ? Negated(sign, operand) : null;
                nesting--;
                break;
            case TokenKind.LeftParen:
                left = DurationParentheses(context);
                break;
            default:
                Unexpected(context, "number or duration");
                return null;
        }
        return left is null ? null : DurationOperators(left, floor);
    }

    private Expr? DurationParentheses(string context)
    {
        int start = token.Span.Start;
        if (!Enter())
        {
            return null;
        }
        Advance();
        Expr? inner = DurationOperand(0, context);
        nesting--;
        if (inner is null || !Close(TokenKind.RightParen, context))
        {
            return null;
        }
        RequireDurationExpressions(inner.Span);
        return inner is DurationExpr expr ? expr with { Wrapped = true, Span = new TextSpan(start, lastEnd) } : inner;
    }

    private Expr? DurationOperators(Expr left, int floor)
    {
        while (token.Kind is >= TokenKind.Add and <= TokenKind.Pow)
        {
            TokenKind kind = token.Kind;
            int precedence = Precedence(kind);
            if (kind == TokenKind.Pow ? precedence < floor : precedence <= floor)
            {
                break;
            }
            TextSpan op = token.Span;
            Advance();
            RequireDurationExpressions(left.Span);
            if (!Enter())
            {
                return null;
            }
            Expr? right = DurationOperand(precedence, "duration expression");
            nesting--;
            if (right is null)
            {
                return null;
            }
            if (kind is TokenKind.Div or TokenKind.Mod && right is NumberLiteral { Value: 0 })
            {
                Report(op, kind == TokenKind.Div ? "division by zero" : "modulo by zero");
            }
            left = Bounded(new DurationExpr(new TextSpan(left.Span.Start, right.Span.End), (BinaryOp)(kind - TokenKind.Add), left, right)
            {
                Height = Math.Max(left.Height, right.Height) + 1,
            });
        }
        return left;
    }

    private NumberLiteral DurationConstant()
    {
        NumberLiteral number = token.Kind == TokenKind.Number ? Number() : DurationNumber();
        return InDurationRange(number, number.Span);
    }

    private Expr Negated(Token sign, Expr operand)
    {
        bool negative = sign.Kind == TokenKind.Sub;
        var span = new TextSpan(sign.Span.Start, operand.Span.End);
        return operand is NumberLiteral number
            ? InDurationRange(number with { Value = negative ? -number.Value : number.Value, Span = span }, sign.Span)
            : negative ? Bounded(new DurationExpr(span, BinaryOp.Sub, null, operand) { Height = operand.Height + 1 })
            : operand;
    }

    private readonly NumberLiteral InDurationRange(NumberLiteral number, TextSpan place)
    {
        const double maxSeconds = (1UL << 63) / 1e9;
        if (number.Value is > maxSeconds or < -maxSeconds)
        {
            Report(place, "duration out of range");
            return number with { Value = 0 };
        }
        return number;
    }

    private readonly void RequireDurationExpressions(TextSpan span)
    {
        if (!options.AllowsDurationExpressions)
        {
            Report(span, "experimental duration expression is not enabled; it needs --enable-feature=promql-duration-expr");
        }
    }
}
