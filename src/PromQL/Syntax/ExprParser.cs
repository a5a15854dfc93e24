using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text;
using OptiInfra.PromQL.Text;
using OptiInfra.PromQL.Types;

namespace OptiInfra.PromQL.Syntax;

internal readonly record struct SyntaxError(TextSpan Span, string Message, string Id = "promql/syntax");

/// <summary>
/// The recursive descent itself: operators, operands and selectors here; ranges, offsets and durations in ExprParser.Times.cs.
/// </summary>
internal ref partial struct ExprParser
{
    private readonly ReadOnlySpan<byte> source;
    private readonly ParserOptions options;
    private readonly List<SyntaxError> errors;
    private Lexer lexer;
    private Token token;

    /// <summary>End of the last token consumed: where a node ends that has just been completed.</summary>
    private int lastEnd;
    private int nesting;
    private bool tooDeep;

    public ExprParser(ReadOnlySpan<byte> source, ParserOptions options, List<SyntaxError> errors)
    {
        this.source = source;
        this.options = options;
        this.errors = errors;
        lexer = new Lexer(source, options.Version);
        token = Lex();
    }

    public Expr? ParseWhole()
    {
        if (token.Kind == TokenKind.End && errors.Count == 0)
        {
            Report(new TextSpan(0, 0), "no expression found in input");
            return null;
        }
        Expr? expr = Binary(0);
        while (token.Kind != TokenKind.End)
        {
            if (!Unexpected("", ""))
            {
                break;
            }
            Advance();
            SkipTo(TokenKind.End);
        }
        return expr;
    }

    // ---- Operators, loosest first: or; and unless; comparisons; + -; * / % atan2; ^ (to the right); then offset, @ and [].

    private static int Precedence(TokenKind kind) => kind switch
    {
        TokenKind.Or => 1,
        TokenKind.And or TokenKind.Unless => 2,
        >= TokenKind.Equal and <= TokenKind.GreaterOrEqual => 3,
        TokenKind.Add or TokenKind.Sub => 4,
        TokenKind.Mul or TokenKind.Div or TokenKind.Mod or TokenKind.Atan2 => 5,
        TokenKind.Pow => PowPrecedence,
        _ => 0,
    };

    private const int PowPrecedence = 6;

    private Expr? Binary(int floor)
    {
        Expr? left = Unary();
        while (Keywords.IsBinaryOperator(token.Kind))
        {
            TokenKind kind = token.Kind;
            int precedence = Precedence(kind);
            if (precedence <= floor && kind != TokenKind.Pow)
            {
                break;
            }
            if (precedence < floor)
            {
                break;
            }
            int opStart = token.Span.Start;
            Advance();
            bool returnBool = false;
            VectorMatching matching = MatchingModifiers(kind, ref returnBool);
            var opSpan = new TextSpan(opStart, lastEnd);
            // "^" associates to the right: its right side takes further "^" too.
            if (!Enter())
            {
                return null;
            }
            Expr? right = Binary(precedence);
            nesting--;
            left = left is null || right is null ? null : Bounded(new BinaryExpr(
                new TextSpan(left.Span.Start, right.Span.End), (BinaryOp)(kind - TokenKind.Add), left, right)
            {
                OpSpan = opSpan,
                ReturnBool = returnBool,
                Matching = matching,
                Height = Math.Max(left.Height, right.Height) + 1,
            });
        }
        return left;
    }

    private VectorMatching MatchingModifiers(TokenKind op, ref bool returnBool)
    {
        bool isSet = op is TokenKind.And or TokenKind.Or or TokenKind.Unless;
        if (token.Kind == TokenKind.Bool)
        {
            returnBool = true;
            Advance();
        }
        if (token.Kind is not (TokenKind.On or TokenKind.Ignoring))
        {
            return isSet ? VectorMatching.ManyToMany : VectorMatching.OneToOne;
        }
        bool on = token.Kind == TokenKind.On;
        Advance();
        ImmutableArray<string> labels = GroupingLabels();
        MatchCardinality card = isSet ? MatchCardinality.ManyToMany : MatchCardinality.OneToOne;
        ImmutableArray<string> include = [];
        if (token.Kind is TokenKind.GroupLeft or TokenKind.GroupRight)
        {
            card = token.Kind == TokenKind.GroupLeft ? MatchCardinality.ManyToOne : MatchCardinality.OneToMany;
            Advance();
            if (token.Kind == TokenKind.LeftParen)
            {
                include = GroupingLabels();
            }
        }
        return new VectorMatching(card, on, labels, include);
    }

    private Expr? Unary()
    {
        if (token.Kind is not (TokenKind.Add or TokenKind.Sub))
        {
            return Postfix();
        }
        bool negative = token.Kind == TokenKind.Sub;
        int start = token.Span.Start;
        if (!Enter())
        {
            return null;
        }
        Advance();
        // A sign binds as tightly as "*", so only "^" comes before it.
        Expr? operand = Binary(PowPrecedence - 1);
        nesting--;
        return operand switch
        {
            null => null,
            NumberLiteral number => number with { Span = new TextSpan(start, number.Span.End), Value = negative ? -number.Value : number.Value },
            _ => Bounded(new UnaryExpr(new TextSpan(start, operand.Span.End), negative, operand) { Height = operand.Height + 1 }),
        };
    }

    private Expr? Postfix()
    {
        Expr? expr = Primary();
        while (true)
        {
            switch (token.Kind)
            {
                case TokenKind.LeftBracket:
                    expr = Brackets(expr);
                    break;
                case TokenKind.Offset:
                    expr = Offset(expr);
                    break;
                case TokenKind.At:
                    expr = At(expr);
                    break;
                default:
                    return expr;
            }
        }
    }

    // ---- Operands.

    private Expr? Primary()
    {
        Token first = token;
        switch (first.Kind)
        {
            case TokenKind.Number:
                return Number();
            case TokenKind.Duration when options.IsV3:
                return DurationNumber();
            case TokenKind.String:
                Advance();
                return new StringLiteral(first.Span, StringSyntax.Unquote(Bytes(first)));
            case TokenKind.LeftParen:
                return Parenthesized();
            case TokenKind.LeftBrace:
                return Selector(default);
        }
        if (!Keywords.CanBeMetricName(first.Kind))
        {
            Unexpected("", "");
            return null;
        }
        Advance();
        if (Keywords.IsAggregator(first.Kind) && token.Kind is TokenKind.LeftParen or TokenKind.By or TokenKind.Without)
        {
            return Aggregate(first);
        }
        return first.Kind == TokenKind.Identifier && token.Kind == TokenKind.LeftParen ? FunctionCall(first) : Selector(first);
    }

    private NumberLiteral Number()
    {
        Token number = token;
        Advance();
        if (!NumberSyntax.TryParse(Bytes(number), out double value))
        {
            Report(number.Span, $"error parsing number: \"{TextOf(number)}\"");
        }
        return new NumberLiteral(number.Span, value);
    }

    private NumberLiteral DurationNumber()
    {
        Token duration = token;
        return new NumberLiteral(duration.Span, Duration().Seconds, IsDuration: true);
    }

    private PromDuration Duration()
    {
        Token duration = token;
        Advance();
        if (!PromDuration.TryParse(TextOf(duration), out PromDuration value, out string error))
        {
            Report(duration.Span, error);
        }
        else if (value == PromDuration.Zero && !options.IsV3)
        {
            Report(duration.Span, "duration must be greater than 0");
        }
        return value;
    }

    private ParenExpr? Parenthesized()
    {
        int start = token.Span.Start;
        if (!Enter())
        {
            return null;
        }
        Advance();
        Expr? inner = Binary(0);
        nesting--;
        bool closed = Close(TokenKind.RightParen, "");
        return inner is null || !closed ? null : Bounded(new ParenExpr(new TextSpan(start, lastEnd), inner) { Height = inner.Height + 1 });
    }

    /// <summary>The arguments of a function or aggregation, or null when a mistake in them has been reported.</summary>
    private ImmutableArray<Expr>? Arguments()
    {
        if (!Enter())
        {
            return null;
        }
        Advance();
        ImmutableArray<Expr>.Builder? args = null;
        bool good = true;
        if (token.Kind != TokenKind.RightParen)
        {
            args = ImmutableArray.CreateBuilder<Expr>(2);
            while (true)
            {
                if (Binary(0) is { } arg)
                {
                    args.Add(arg);
                }
                else
                {
                    good = false;
                    SkipTo(TokenKind.RightParen, TokenKind.Comma);
                }
                if (token.Kind != TokenKind.Comma)
                {
                    break;
                }
                TextSpan comma = token.Span;
                Advance();
                if (token.Kind == TokenKind.RightParen)
                {
                    Report(comma, "trailing commas not allowed in function call args");
                    good = false;
                    break;
                }
            }
        }
        nesting--;
        good &= Close(TokenKind.RightParen, "");
        return good ? args?.DrainToImmutable() ?? [] : null;
    }

    private Call? FunctionCall(Token name)
    {
        ImmutableArray<Expr>? parsed = Arguments();
        Function? function = Functions.Find(TextOf(name));
        if (function is null || !function.ExistsIn(options.Version))
        {
            string when = function is null ? ""
                : function.Removed is { } removed && options.Version >= removed ? $"; it was removed in Prometheus {removed}"
                : $"; it needs Prometheus {function.Since}";
            Report(name.Span, $"unknown function with name \"{TextOf(name)}\"{when}");
            return null;
        }
        if (function.IsExperimentalIn(options.Version) && !options.ExperimentalFunctions)
        {
            Report(name.Span, $"function \"{function.Name}\" is not enabled; it is experimental and needs --enable-feature=promql-experimental-functions");
        }
        return parsed is not { } args ? null
            : Bounded(new Call(new TextSpan(name.Span.Start, lastEnd), function, args) { Height = HeightOver(args) });
    }

    private Aggregation? Aggregate(Token name)
    {
        var op = (AggregateOp)(name.Kind - TokenKind.Avg);
        bool without = false;
        ImmutableArray<string>? grouping = null;
        if (token.Kind != TokenKind.LeftParen)
        {
            grouping = AggregateModifier(ref without);
        }
        if (token.Kind != TokenKind.LeftParen)
        {
            Unexpected("aggregation", "");
            return null;
        }
        ImmutableArray<Expr>? parsed = Arguments();
        if (grouping is null && token.Kind is TokenKind.By or TokenKind.Without)
        {
            grouping = AggregateModifier(ref without);
        }
        if (parsed is not { } args)
        {
            return null;
        }
        var span = new TextSpan(name.Span.Start, lastEnd);
        int expected = op.TakesParameter() ? 2 : 1;
        if (args.Length == 0)
        {
            Report(span, "no arguments for aggregate expression provided");
            return null;
        }
        if (op.IsExperimental() && !options.ExperimentalFunctions)
        {
            Report(span, $"{op.Text()}() is experimental and must be enabled with --enable-feature=promql-experimental-functions");
        }
        if (args.Length != expected)
        {
            Report(span, $"wrong number of arguments for aggregate expression provided, expected {expected}, got {args.Length}");
            return null;
        }
        return Bounded(new Aggregation(span, op, args[^1], expected == 2 ? args[0] : null)
        {
            Grouping = grouping ?? [],
            Without = without,
            Height = HeightOver(args),
        });
    }

    private ImmutableArray<string> AggregateModifier(ref bool without)
    {
        without = token.Kind == TokenKind.Without;
        Advance();
        return GroupingLabels();
    }

    private ImmutableArray<string> GroupingLabels()
    {
        if (token.Kind != TokenKind.LeftParen)
        {
            Unexpected("grouping opts", "\"(\"");
            return [];
        }
        Advance();
        var labels = ImmutableArray.CreateBuilder<string>();
        while (token.Kind != TokenKind.RightParen)
        {
            if (!GroupingLabel(labels))
            {
                SkipTo(TokenKind.RightParen);
                break;
            }
            if (token.Kind == TokenKind.Comma)
            {
                Advance();
            }
            else if (token.Kind != TokenKind.RightParen)
            {
                Unexpected("grouping opts", "\",\" or \")\"");
                SkipTo(TokenKind.RightParen);
            }
        }
        if (token.Kind == TokenKind.RightParen)
        {
            Advance();
        }
        return labels.DrainToImmutable();
    }

    private bool GroupingLabel(ImmutableArray<string>.Builder labels)
    {
        Token label = token;
        if (label.Kind == TokenKind.String && options.IsV3)
        {
            Advance();
            string name = StringSyntax.Unquote(Bytes(label));
            if (name.Length == 0 || StringSyntax.HasInvalidBytes(name))
            {
                Report(label.Span, $"invalid label name for grouping: {StringSyntax.Quote(name)}");
            }
            labels.Add(name);
            return true;
        }
        if (!Keywords.CanBeLabelName(label.Kind) || (label.Kind == TokenKind.MetricIdentifier && !options.IsV3))
        {
            Unexpected("grouping opts", "label");
            return false;
        }
        Advance();
        labels.Add(TextOf(label));
        return true;
    }

    // ---- Selectors.

    private VectorSelector? Selector(Token name)
    {
        bool named = name.Kind != TokenKind.End;
        int start = named ? name.Span.Start : token.Span.Start;
        string metric = named ? TextOf(name) : "";
        if (token.Kind != TokenKind.LeftBrace)
        {
            return new VectorSelector(name.Span, metric, []);
        }
        Advance();
        var matchers = ImmutableArray.CreateBuilder<LabelMatcher>(2);
        bool good = true;
        while (token.Kind is not (TokenKind.RightBrace or TokenKind.End))
        {
            if (!Matcher(matchers))
            {
                good = false;
                SkipTo(TokenKind.RightBrace, TokenKind.Comma);
            }
            if (token.Kind == TokenKind.Comma)
            {
                Advance();
            }
            else if (token.Kind != TokenKind.RightBrace)
            {
                good = false;
                Unexpected("label matching", "\",\" or \"}\"");
                SkipTo(TokenKind.RightBrace);
            }
        }
        good &= Close(TokenKind.RightBrace, "label matching");
        return good ? new VectorSelector(new TextSpan(start, lastEnd), metric, matchers.DrainToImmutable()) : null;
    }

    private bool Matcher(ImmutableArray<LabelMatcher>.Builder matchers)
    {
        Token name = token;
        if (name.Kind is not (TokenKind.Identifier or TokenKind.String))
        {
            Unexpected("label matching", "identifier or \"}\"");
            return false;
        }
        Advance();
        string label = name.Kind == TokenKind.String ? StringSyntax.Unquote(Bytes(name)) : TextOf(name);
        MatchOp op;
        switch (token.Kind)
        {
            case TokenKind.Assign:
                op = MatchOp.Equal;
                break;
            case TokenKind.NotEqual:
                op = MatchOp.NotEqual;
                break;
            case TokenKind.MatchRegex:
                op = MatchOp.Regex;
                break;
            case TokenKind.MatchNotRegex:
                op = MatchOp.NotRegex;
                break;
            case TokenKind.Comma or TokenKind.RightBrace when name.Kind == TokenKind.String:
                matchers.Add(new LabelMatcher(name.Span, LabelMatcher.MetricNameLabel, MatchOp.Equal, label));
                return true;
            default:
                Unexpected("label matching", name.Kind == TokenKind.String ? "\",\" or \"}\"" : "label matching operator");
                return false;
        }
        Advance();
        Token value = token;
        if (value.Kind != TokenKind.String)
        {
            Unexpected("label matching", "string");
            return false;
        }
        Advance();
        var span = new TextSpan(name.Span.Start, value.Span.End);
        string text = StringSyntax.Unquote(Bytes(value));
        if (op is MatchOp.Regex or MatchOp.NotRegex && RegexSyntax.Check(text, options.IsV3).Error is { } error)
        {
            Report(span, error);
        }
        matchers.Add(new LabelMatcher(span, label, op, text));
        return true;
    }

    // ---- Tokens and mistakes.

    private void Advance()
    {
        lastEnd = token.Span.End;
        token = Lex();
    }

    private Token Lex()
    {
        Token next = lexer.Next();
        if (next.Kind == TokenKind.Error)
        {
            Report(next.Span, lexer.Error);
            return new Token(TokenKind.End, new TextSpan(source.Length, source.Length));
        }
        return next;
    }

    private bool Expect(TokenKind kind, string context)
    {
        if (token.Kind != kind)
        {
            Unexpected(context, "");
            return false;
        }
        Advance();
        return true;
    }

    /// <summary>Consumes a closing token, skipping what does not belong before it.</summary>
    private bool Close(TokenKind kind, string context)
    {
        if (token.Kind == kind)
        {
            Advance();
            return true;
        }
        Unexpected(context, "");
        SkipTo(kind);
        if (token.Kind == kind)
        {
            Advance();
        }
        return false;
    }

    private void CloseBracket()
    {
        SkipTo(TokenKind.RightBracket);
        if (token.Kind == TokenKind.RightBracket)
        {
            Advance();
        }
    }

    /// <summary>Skips to one of the kinds at this level of brackets, or to something that closes an outer one.</summary>
    private void SkipTo(TokenKind kind, TokenKind other = TokenKind.End)
    {
        int depth = 0;
        while (token.Kind != TokenKind.End)
        {
            if (depth == 0 && (token.Kind == kind || token.Kind == other))
            {
                return;
            }
            if (token.Kind is TokenKind.LeftParen or TokenKind.LeftBrace or TokenKind.LeftBracket)
            {
                depth++;
            }
            else if (token.Kind is TokenKind.RightParen or TokenKind.RightBrace or TokenKind.RightBracket && --depth < 0)
            {
                return;
            }
            Advance();
        }
    }

    /// <summary>Reports the current token. False when there is nothing left to say: the lexer has already failed.</summary>
    private readonly bool Unexpected(string context, string expected)
    {
        if (tooDeep || (token.Kind == TokenKind.End && lexer.Error.Length > 0))
        {
            return false;
        }
        string what = token.Kind == TokenKind.End ? "end of input" : $"{Describe(token.Kind)}{StringSyntax.Quote(TextOf(token))}";
        string where = context.Length > 0 ? $" in {context}" : "";
        string wanted = expected.Length > 0 ? $", expected {expected}" : "";
        Report(token.Span, $"unexpected {what}{where}{wanted}");
        return true;
    }

    private static string Describe(TokenKind kind) => kind switch
    {
        TokenKind.Identifier => "identifier ",
        TokenKind.MetricIdentifier => "metric identifier ",
        TokenKind.Number => "number ",
        TokenKind.Duration => "duration ",
        TokenKind.String => "string ",
        _ => "",
    };

    private readonly void Report(TextSpan span, string message)
    {
        // A second complaint about the same place only repeats the first.
        if (errors.Count == 0 || errors[^1].Span.Start != span.Start)
        {
            errors.Add(new SyntaxError(span, message));
        }
    }

    private bool Enter()
    {
        if (++nesting <= PromQLParser.MaxNesting && RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            return true;
        }
        nesting--;
        GiveUp(token.Span);
        return false;
    }

    private T Bounded<T>(T node)
        where T : Expr
    {
        if (node.Height > PromQLParser.MaxHeight)
        {
            GiveUp(node.Span);
        }
        return node;
    }

    private void GiveUp(TextSpan span)
    {
        if (!tooDeep)
        {
            tooDeep = true;
            errors.Add(new SyntaxError(span, "the expression is nested too deeply"));
        }
        token = new Token(TokenKind.End, new TextSpan(source.Length, source.Length));
        lexer = new Lexer([], options.Version);
    }

    private static int HeightOver(ImmutableArray<Expr> children)
    {
        int height = 0;
        foreach (Expr child in children)
        {
            height = Math.Max(height, child.Height);
        }
        return height + 1;
    }

    private readonly ReadOnlySpan<byte> Bytes(Token at) => source[at.Span.Start..at.Span.End];

    private readonly string TextOf(Token at) => Encoding.UTF8.GetString(Bytes(at));
}
