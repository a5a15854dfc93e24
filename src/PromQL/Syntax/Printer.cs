using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace OptiInfra.PromQL.Syntax;

/// <summary>
/// Writes expressions back: on one line (<see cref="Print"/>), or broken over lines as <c>promtool promql format</c> does
/// (<see cref="Format"/>): whatever is longer than 100 bytes is split at its parentheses and operators. Comments are not kept.
/// </summary>
public static class Printer
{
    private const int MaxLineLength = 100;

    public static string Print(Expr expr)
    {
        var text = new StringBuilder();
        Append(text, expr);
        return text.ToString();
    }

    public static string Format(Expr expr) => Pretty(expr, 0);

    /// <summary>A float as Prometheus prints it in expressions: shortest exact digits, never an exponent.</summary>
    public static string Number(double value)
    {
        if (!double.IsFinite(value))
        {
            return double.IsNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
        }
        string roundTrip = value.ToString("R", CultureInfo.InvariantCulture);
        int exponentAt = roundTrip.IndexOf('E', StringComparison.Ordinal);
        return exponentAt < 0 ? roundTrip : WithoutExponent(roundTrip, exponentAt);
    }

    private static string WithoutExponent(string number, int exponentAt)
    {
        int exponent = int.Parse(number.AsSpan(exponentAt + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        string sign = number[0] == '-' ? "-" : "";
        string mantissa = number[sign.Length..exponentAt];
        int point = mantissa.IndexOf('.', StringComparison.Ordinal);
        string digits = mantissa.Replace(".", "", StringComparison.Ordinal);
        int integerDigits = (point < 0 ? mantissa.Length : point) + exponent;
        return integerDigits <= 0 ? $"{sign}0.{new string('0', -integerDigits)}{digits}"
            : integerDigits >= digits.Length ? sign + digits.PadRight(integerDigits, '0')
            : $"{sign}{digits[..integerDigits]}.{digits[integerDigits..]}";
    }

    private static void Append(StringBuilder text, Expr expr)
    {
        switch (expr)
        {
            case NumberLiteral { IsDuration: true } duration:
                text.Append(new PromDuration((long)(duration.Value * 1e9)));
                break;
            case NumberLiteral number:
                text.Append(Number(number.Value));
                break;
            case StringLiteral literal:
                text.Append(StringSyntax.Quote(literal.Value));
                break;
            case ParenExpr paren:
                text.Append('(');
                Append(text, paren.Inner);
                text.Append(')');
                break;
            case UnaryExpr unary:
                text.Append(unary.IsNegative ? '-' : '+');
                Append(text, unary.Inner);
                break;
            case BinaryExpr binary:
                Append(text, binary.Left);
                text.Append(' ').Append(OperatorWithModifiers(binary)).Append(' ');
                Append(text, binary.Right);
                break;
            case Call call:
                text.Append(call.Function.Name);
                AppendArguments(text, call.Args);
                break;
            case Aggregation aggregation:
                text.Append(AggregationHead(aggregation));
                AppendArguments(text, aggregation.Children);
                break;
            case VectorSelector selector:
                AppendSelector(text, selector);
                AppendTimeModifiers(text, selector.At, selector.Offset, selector.OffsetExpr);
                break;
            case MatrixSelector matrix:
                AppendSelector(text, matrix.Selector);
                text.Append('[').Append(DurationText(matrix.Range, matrix.RangeExpr)).Append(']');
                AppendTimeModifiers(text, matrix.Selector.At, matrix.Selector.Offset, matrix.Selector.OffsetExpr);
                break;
            case SubqueryExpr subquery:
                Append(text, subquery.Inner);
                AppendSubquerySuffix(text, subquery);
                break;
            case DurationExpr duration:
                AppendDurationExpr(text, duration);
                break;
        }
    }

    private static void AppendArguments(StringBuilder text, ImmutableArray<Expr> args)
    {
        text.Append('(');
        for (int i = 0; i < args.Length; i++)
        {
            text.Append(i > 0 ? ", " : "");
            Append(text, args[i]);
        }
        text.Append(')');
    }

    private static void AppendDurationExpr(StringBuilder text, DurationExpr duration)
    {
        text.Append(duration.Wrapped ? "(" : "");
        if (duration.Left is null)
        {
            text.Append(duration.Op.Text());
        }
        else
        {
            Append(text, duration.Left);
            text.Append(' ').Append(duration.Op.Text()).Append(' ');
        }
        Append(text, duration.Right);
        text.Append(duration.Wrapped ? ")" : "");
    }

    private static void AppendSelector(StringBuilder text, VectorSelector selector)
    {
        text.Append(selector.Name);
        if (selector.Matchers.Length == 0)
        {
            text.Append(selector.Name.Length == 0 ? "{}" : "");
            return;
        }
        string[] matchers = new string[selector.Matchers.Length];
        for (int i = 0; i < matchers.Length; i++)
        {
            LabelMatcher matcher = selector.Matchers[i];
            matchers[i] = LabelName(matcher.Name, colons: false) + matcher.Op.Text() + StringSyntax.Quote(matcher.Value);
        }
        Array.Sort(matchers, StringComparer.Ordinal);
        text.Append('{').AppendJoin(',', matchers).Append('}');
    }

    private static void AppendSubquerySuffix(StringBuilder text, SubqueryExpr subquery)
    {
        text.Append('[').Append(DurationText(subquery.Range, subquery.RangeExpr)).Append(':');
        if (subquery.Step != PromDuration.Zero || subquery.StepExpr is not null)
        {
            text.Append(DurationText(subquery.Step, subquery.StepExpr));
        }
        text.Append(']');
        AppendTimeModifiers(text, subquery.At, subquery.Offset, subquery.OffsetExpr);
    }

    private static void AppendTimeModifiers(StringBuilder text, AtModifier at, PromDuration offset, DurationExpr? offsetExpr)
    {
        switch (at.Kind)
        {
            case AtKind.Timestamp:
                text.Append(" @ ").Append((at.TimestampMs / 1000m).ToString("F3", CultureInfo.InvariantCulture));
                break;
            case AtKind.Start:
                text.Append(" @ start()");
                break;
            case AtKind.End:
                text.Append(" @ end()");
                break;
        }
        if (offsetExpr is not null || offset != PromDuration.Zero)
        {
            text.Append(" offset ").Append(DurationText(offset, offsetExpr));
        }
    }

    private static string DurationText(PromDuration constant, DurationExpr? expr) => expr is null ? constant.ToString() : Print(expr);

    private static string AggregationHead(Aggregation aggregation) =>
        aggregation.Without ? $"{aggregation.Op.Text()} without ({Labels(aggregation.Grouping)}) "
        : aggregation.Grouping.Length > 0 ? $"{aggregation.Op.Text()} by ({Labels(aggregation.Grouping)}) "
        : aggregation.Op.Text();

    private static string OperatorWithModifiers(BinaryExpr binary)
    {
        string op = binary.Op.Text() + (binary.ReturnBool ? " bool" : "");
        VectorMatching matching = binary.Matching;
        if (matching.Labels.Length == 0 && !matching.On)
        {
            return op;
        }
        op += $" {(matching.On ? "on" : "ignoring")} ({Labels(matching.Labels)})";
        return matching.Card switch
        {
            MatchCardinality.ManyToOne => $"{op} group_left ({Labels(matching.Include)})",
            MatchCardinality.OneToMany => $"{op} group_right ({Labels(matching.Include)})",
            _ => op,
        };
    }

    private static string Labels(ImmutableArray<string> labels) => string.Join(", ", labels.Select(label => LabelName(label, colons: true)));

    /// <summary>A label name, in quotes when it is none that Prometheus 2 would have taken.</summary>
    private static string LabelName(string name, bool colons)
    {
        bool plain = name.Length > 0 && !char.IsAsciiDigit(name[0]);
        foreach (char c in name)
        {
            plain &= char.IsAsciiLetterOrDigit(c) || c == '_' || (colons && c == ':');
        }
        return plain ? name : StringSyntax.Quote(name);
    }

    // ---- Over several lines. The indentation of a node is written by the node itself.

    private static string Pretty(Expr expr, int level)
    {
        string indent = new(' ', level * 2);
        string line = Print(expr);
        bool fits = Encoding.UTF8.GetByteCount(line) <= MaxLineLength;
        switch (expr)
        {
            case UnaryExpr unary:
                return $"{indent}{(unary.IsNegative ? '-' : '+')}{Pretty(unary.Inner, level).Trim()}";
            case SubqueryExpr subquery:
                if (fits)
                {
                    return line;
                }
                var suffix = new StringBuilder();
                AppendSubquerySuffix(suffix, subquery);
                return Pretty(subquery.Inner, level) + suffix;
            case var _ when fits:
                return indent + line;
            case ParenExpr paren:
                return $"{indent}(\n{Pretty(paren.Inner, level + 1)}\n{indent})";
            case BinaryExpr binary:
                return $"{Pretty(binary.Left, level + 1)}\n{indent}{OperatorWithModifiers(binary)}\n{Pretty(binary.Right, level + 1)}";
            case Call call:
                return $"{indent}{call.Function.Name}(\n{Pretty(call.Args, level + 1)}\n{indent})";
            case Aggregation aggregation:
                return $"{indent}{AggregationHead(aggregation)}(\n{Pretty(aggregation.Children, level + 1)}\n{indent})";
            default:
                return indent + line;
        }
    }

    private static string Pretty(ImmutableArray<Expr> args, int level) => string.Join(",\n", args.Select(arg => Pretty(arg, level)));
}
