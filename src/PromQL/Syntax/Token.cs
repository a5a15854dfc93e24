using System.Collections.Frozen;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Syntax;

internal enum TokenKind : byte
{
    End,
    Error,
    Identifier,
    MetricIdentifier,
    Number,
    Duration,
    String,
    Comma,
    Colon,
    LeftParen,
    RightParen,
    LeftBrace,
    RightBrace,
    LeftBracket,
    RightBracket,
    At,

    // Only inside braces; "=" outside them is a mistake that the parser reports.
    Assign,
    MatchRegex,
    MatchNotRegex,

    // Binary operators, in the order of BinaryOp.
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

    // Aggregators, in the order of AggregateOp.
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

    // Other keywords.
    Bool,
    By,
    GroupLeft,
    GroupRight,
    Ignoring,
    Offset,
    On,
    Without,
    Start,
    EndKeyword,
}

internal readonly record struct Token(TokenKind Kind, TextSpan Span);

internal static class Keywords
{
    private static readonly FrozenDictionary<string, TokenKind> Table = new Dictionary<string, TokenKind>
    {
        ["and"] = TokenKind.And,
        ["or"] = TokenKind.Or,
        ["unless"] = TokenKind.Unless,
        ["atan2"] = TokenKind.Atan2,
        ["sum"] = TokenKind.Sum,
        ["avg"] = TokenKind.Avg,
        ["count"] = TokenKind.Count,
        ["min"] = TokenKind.Min,
        ["max"] = TokenKind.Max,
        ["group"] = TokenKind.Group,
        ["stddev"] = TokenKind.Stddev,
        ["stdvar"] = TokenKind.Stdvar,
        ["topk"] = TokenKind.Topk,
        ["bottomk"] = TokenKind.Bottomk,
        ["count_values"] = TokenKind.CountValues,
        ["quantile"] = TokenKind.Quantile,
        ["limitk"] = TokenKind.Limitk,
        ["limit_ratio"] = TokenKind.LimitRatio,
        ["offset"] = TokenKind.Offset,
        ["by"] = TokenKind.By,
        ["without"] = TokenKind.Without,
        ["on"] = TokenKind.On,
        ["ignoring"] = TokenKind.Ignoring,
        ["group_left"] = TokenKind.GroupLeft,
        ["group_right"] = TokenKind.GroupRight,
        ["bool"] = TokenKind.Bool,
        ["start"] = TokenKind.Start,
        ["end"] = TokenKind.EndKeyword,
        ["inf"] = TokenKind.Number,
        ["nan"] = TokenKind.Number,
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenDictionary<string, TokenKind>.AlternateLookup<ReadOnlySpan<char>> BySpan =
        Table.GetAlternateLookup<ReadOnlySpan<char>>();

    private const int LongestKeyword = 12;

    /// <summary>The keyword an identifier spells in any case, or <see cref="TokenKind.Identifier"/>.</summary>
    public static TokenKind Find(ReadOnlySpan<byte> word)
    {
        if (word.Length is < 2 or > LongestKeyword)
        {
            return TokenKind.Identifier;
        }
        Span<char> chars = stackalloc char[word.Length];
        for (int i = 0; i < word.Length; i++)
        {
            chars[i] = (char)word[i];
        }
        return BySpan.TryGetValue(chars, out TokenKind kind) ? kind : TokenKind.Identifier;
    }

    public static bool IsAggregator(TokenKind kind) => kind is >= TokenKind.Avg and <= TokenKind.LimitRatio;

    public static bool IsBinaryOperator(TokenKind kind) => kind is >= TokenKind.Add and <= TokenKind.Unless;

    /// <summary>Words that are a metric name where an operand is expected.</summary>
    public static bool CanBeMetricName(TokenKind kind) => IsAggregator(kind) || kind is TokenKind.Identifier or TokenKind.MetricIdentifier
        or TokenKind.And or TokenKind.Or or TokenKind.Unless
        or TokenKind.By or TokenKind.Offset or TokenKind.Without or TokenKind.Start or TokenKind.EndKeyword;

    /// <summary>Words that are a label name in by, without, on, ignoring, group_left and group_right. "without" is not among them.</summary>
    public static bool CanBeLabelName(TokenKind kind) => kind != TokenKind.Without
        && (CanBeMetricName(kind) || kind is TokenKind.Bool or TokenKind.GroupLeft or TokenKind.GroupRight or TokenKind.Ignoring
            or TokenKind.On or TokenKind.Atan2);
}
