using System.Collections.Immutable;
using OptiInfra.PromQL.Text;
using OptiInfra.PromQL.Types;

namespace OptiInfra.PromQL.Syntax;

/// <summary>What an expression evaluates to. <see cref="None"/> marks something that is no value.</summary>
public enum PromType : byte
{
    None,
    Scalar,
    Vector,
    Matrix,
    String,
}

public enum MatchOp : byte
{
    Equal,
    NotEqual,
    Regex,
    NotRegex,
}

public enum BinaryOp : byte
{
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
    Atan2,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
    Unless,
}

public enum AggregateOp : byte
{
    Avg,
    Bottomk,
    Count,
    CountValues,
    Group,
    Max,
    Min,
    Quantile,
    Stddev,
    Stdvar,
    Sum,
    Topk,
    Limitk,
    LimitRatio,
}

public enum MatchCardinality : byte
{
    OneToOne,
    ManyToOne,
    OneToMany,
    ManyToMany,
}

public enum AtKind : byte
{
    None,
    Timestamp,
    Start,
    End,
}

/// <summary>
/// A PromQL expression: immutable, every node with the byte range of the UTF-8 source it came from.
/// The node types below are all there are; an exhaustive switch over them is the way to walk by hand.
/// </summary>
public abstract record Expr(TextSpan Span)
{
    public abstract PromType Type { get; }

    /// <summary>Direct sub-expressions in source order.</summary>
    public virtual ImmutableArray<Expr> Children => [];

    /// <summary>Levels of nodes below and including this one. The parser bounds it, so walking recursively is safe.</summary>
    internal int Height { get; init; } = 1;

    /// <summary>This node and everything below it, parents first.</summary>
    public IEnumerable<Expr> Walk()
    {
        var pending = new Stack<Expr>();
        pending.Push(this);
        while (pending.TryPop(out Expr? node))
        {
            yield return node;
            ImmutableArray<Expr> children = node.Children;
            for (int i = children.Length - 1; i >= 0; i--)
            {
                pending.Push(children[i]);
            }
        }
    }

    /// <summary>The expression in Prometheus' normal form, on one line; parses back to the same tree.</summary>
    public sealed override string ToString() => Printer.Print(this);

    /// <summary>Without the parentheses around it, however many.</summary>
    public Expr Unparenthesized()
    {
        Expr expr = this;
        while (expr is ParenExpr paren)
        {
            expr = paren.Inner;
        }
        return expr;
    }
}

/// <summary>A number; <see cref="IsDuration"/> when it was written as one (<c>5m</c>, from Prometheus 3.0), its value then in seconds.</summary>
public sealed record NumberLiteral(TextSpan Span, double Value, bool IsDuration = false) : Expr(Span)
{
    public override PromType Type => PromType.Scalar;
}

/// <summary>
/// A string, unquoted. PromQL strings are bytes: a byte that is not part of valid UTF-8 (<c>"\xff"</c>) is kept
/// as the lone surrogate U+DC00 + byte, so that nothing is lost.
/// </summary>
public sealed record StringLiteral(TextSpan Span, string Value) : Expr(Span)
{
    public override PromType Type => PromType.String;
}

public sealed record LabelMatcher(TextSpan Span, string Name, MatchOp Op, string Value)
{
    public const string MetricNameLabel = "__name__";

    /// <summary>Whether a series without the label is selected.</summary>
    public bool MatchesEmpty => Op switch
    {
        MatchOp.Equal => Value.Length == 0,
        MatchOp.NotEqual => Value.Length > 0,
        MatchOp.Regex => RegexSyntax.Check(Value).MatchesEmpty,
        _ => !RegexSyntax.Check(Value).MatchesEmpty,
    };
}

/// <summary>The <c>@</c> modifier: a fixed evaluation time in milliseconds since the epoch, or the start or end of the query.</summary>
public readonly record struct AtModifier(AtKind Kind, long TimestampMs = 0)
{
    public bool IsSet => Kind != AtKind.None;
}

/// <summary>
/// A selector of series. <see cref="Name"/> is the metric name before the braces, or "" when there is none;
/// it is not repeated in <see cref="Matchers"/>.
/// </summary>
public sealed record VectorSelector(TextSpan Span, string Name, ImmutableArray<LabelMatcher> Matchers) : Expr(Span)
{
    public PromDuration Offset { get; init; }

    /// <summary>The offset when it is an expression rather than a constant.</summary>
    public DurationExpr? OffsetExpr { get; init; }

    public AtModifier At { get; init; }

    /// <summary>The name this selector is bound to, written either way, or null when it selects by other labels or by pattern.</summary>
    public string? MetricName
    {
        get
        {
            if (Name.Length > 0)
            {
                return Name;
            }
            foreach (LabelMatcher matcher in Matchers)
            {
                if (matcher is { Name: LabelMatcher.MetricNameLabel, Op: MatchOp.Equal })
                {
                    return matcher.Value;
                }
            }
            return null;
        }
    }

    public override PromType Type => PromType.Vector;
}

/// <summary><c>selector[range]</c>. An offset or @ written after the range belongs to <see cref="Selector"/>.</summary>
public sealed record MatrixSelector(TextSpan Span, VectorSelector Selector, PromDuration Range) : Expr(Span)
{
    /// <summary>The range when it is an expression rather than a constant.</summary>
    public DurationExpr? RangeExpr { get; init; }

    public override PromType Type => PromType.Matrix;

    public override ImmutableArray<Expr> Children => [Selector];
}

/// <summary><c>expr[range:step]</c>; a zero <paramref name="Step"/> without <see cref="StepExpr"/> means the default evaluation interval.</summary>
public sealed record SubqueryExpr(TextSpan Span, Expr Inner, PromDuration Range, PromDuration Step) : Expr(Span)
{
    public DurationExpr? RangeExpr { get; init; }

    public DurationExpr? StepExpr { get; init; }

    public PromDuration Offset { get; init; }

    public DurationExpr? OffsetExpr { get; init; }

    public AtModifier At { get; init; }

    public override PromType Type => PromType.Matrix;

    public override ImmutableArray<Expr> Children => [Inner];
}

/// <summary>Arithmetic in place of a constant duration, such as <c>[5m * 2]</c>; <paramref name="Left"/> is null for a negation.</summary>
public sealed record DurationExpr(TextSpan Span, BinaryOp Op, Expr? Left, Expr Right) : Expr(Span)
{
    /// <summary>Whether it stands in parentheses of its own.</summary>
    public bool Wrapped { get; init; }

    public override PromType Type => PromType.Scalar;

    public override ImmutableArray<Expr> Children => Left is null ? [Right] : [Left, Right];
}

public sealed record ParenExpr(TextSpan Span, Expr Inner) : Expr(Span)
{
    public override PromType Type => Inner.Type;

    public override ImmutableArray<Expr> Children => [Inner];
}

/// <summary>A sign before anything but a number literal (those are folded).</summary>
public sealed record UnaryExpr(TextSpan Span, bool IsNegative, Expr Inner) : Expr(Span)
{
    public override PromType Type => Inner.Type;

    public override ImmutableArray<Expr> Children => [Inner];
}

/// <summary>
/// How the samples of two vectors find their partners: on <see cref="Labels"/> only when <see cref="On"/> is set, else on all labels
/// but those. Set operators are many-to-many; group_left is many-to-one and copies <see cref="Include"/> from the "one" side.
/// </summary>
public sealed record VectorMatching(MatchCardinality Card, bool On, ImmutableArray<string> Labels, ImmutableArray<string> Include)
{
    public static readonly VectorMatching OneToOne = new(MatchCardinality.OneToOne, false, [], []);

    public static readonly VectorMatching ManyToMany = new(MatchCardinality.ManyToMany, false, [], []);
}

/// <summary><see cref="Matching"/> matters only when both sides are vectors.</summary>
public sealed record BinaryExpr(TextSpan Span, BinaryOp Op, Expr Left, Expr Right) : Expr(Span)
{
    /// <summary>The range of the operator with its modifiers.</summary>
    public TextSpan OpSpan { get; init; }

    public bool ReturnBool { get; init; }

    public VectorMatching Matching { get; init; } = VectorMatching.OneToOne;

    public override PromType Type =>
        Left.Type == PromType.Scalar && Right.Type == PromType.Scalar ? PromType.Scalar : PromType.Vector;

    public override ImmutableArray<Expr> Children => [Left, Right];
}

public sealed record Call(TextSpan Span, Function Function, ImmutableArray<Expr> Args) : Expr(Span)
{
    public override PromType Type => Function.Returns;

    public override ImmutableArray<Expr> Children => Args;
}

/// <summary>
/// An aggregation; <see cref="Param"/> is the first argument of topk, bottomk, quantile, count_values, limitk and limit_ratio.
/// </summary>
public sealed record Aggregation(TextSpan Span, AggregateOp Op, Expr Inner, Expr? Param) : Expr(Span)
{
    /// <summary>The labels of <c>by</c>, or of <c>without</c> when <see cref="Without"/> is set.</summary>
    public ImmutableArray<string> Grouping { get; init; } = [];

    public bool Without { get; init; }

    public override PromType Type => PromType.Vector;

    public override ImmutableArray<Expr> Children => Param is null ? [Inner] : [Param, Inner];
}

/// <summary>What the operators are and how they are written.</summary>
public static class Operators
{
    private static readonly string[] BinaryText =
        ["+", "-", "*", "/", "%", "^", "atan2", "==", "!=", "<", "<=", ">", ">=", "and", "or", "unless"];

    private static readonly string[] AggregateText =
    [
        "avg", "bottomk", "count", "count_values", "group", "max", "min", "quantile", "stddev", "stdvar", "sum", "topk", "limitk", "limit_ratio",
    ];

    public static string Text(this BinaryOp op) => BinaryText[(int)op];

    public static string Text(this AggregateOp op) => AggregateText[(int)op];

    public static string Text(this MatchOp op) => op switch
    {
        MatchOp.Equal => "=",
        MatchOp.NotEqual => "!=",
        MatchOp.Regex => "=~",
        _ => "!~",
    };

    public static bool IsComparison(this BinaryOp op) => op is >= BinaryOp.Equal and <= BinaryOp.GreaterOrEqual;

    public static bool IsSet(this BinaryOp op) => op >= BinaryOp.And;

    public static bool TakesParameter(this AggregateOp op) => op is AggregateOp.Topk or AggregateOp.Bottomk or AggregateOp.Quantile
        or AggregateOp.CountValues or AggregateOp.Limitk or AggregateOp.LimitRatio;

    public static bool IsExperimental(this AggregateOp op) => op is AggregateOp.Limitk or AggregateOp.LimitRatio;

    /// <summary>The type's name in messages, as the Prometheus documentation has it.</summary>
    public static string Describe(this PromType type) => type switch
    {
        PromType.Scalar => "scalar",
        PromType.Vector => "instant vector",
        PromType.Matrix => "range vector",
        PromType.String => "string",
        _ => "none",
    };
}
