using System.Text;

namespace OptiInfra.PromQL.Tests.Differential;

/// <summary>
/// Makes PromQL up: expressions that follow the grammar, with about one choice in twenty deliberately of the wrong type, and the
/// same with tokens or characters deleted, doubled, swapped or replaced. The same seed gives the same expressions.
/// </summary>
internal sealed class ExpressionGenerator(Random random)
{
    private static readonly string[] Metrics =
        ["foo", "bar", "a:b:c", "up", "http_requests_total", "sum", "by", "offset", "start", "and", "limitk", "Inf", "x_bucket", "on", "bool", "_"];

    private static readonly string[] Labels =
        ["job", "instance", "le", "a", "by", "on", "sum", "without", "bool", "group_left", "inf", "\"x\"", "\"a b\"", "''", "a:b", "__name__", "1a", "start"];

    private static readonly string[] Values =
        ["\"\"", "\"x\"", "'y'", "`z`", "\".*\"", "\".+\"", "\"a|b\"", "\"a|\"", "\"(x\"", "\"[a-z]+\"", "\"\\\\d+\"", "`\\d{2,3}`", "`a**`", "`(?i)x?`", "\"\\xff\"",
            "`\\pL|x*`", "'\\''", "\"\\q\"", "`[z-a]`", "\"é\"", "`(?P<n>.*)`", "`(?=x)`", "`x{1001}`", "`\\Qa.b\\E`", "\"\\u00e9\"", "`^$`", "`[[:alpha:]]*`", "`\\8`", "`(a|b)??`"];

    private static readonly string[] Durations =
        ["5m", "1h30m", "1d", "90", "0s", "1y", "1ms", "1m1h", "5", "1.5h", "0", "300y", "-5m", "1h-5m", "(5m)", "+1m", "--1m", "5m*2", "1w2d", "1e3", "0x10", "5mm", "1_0", "07"];

    private static readonly string[] Numbers =
        ["1", "0", "3.14", ".5", "1e3", "0x1F", "0755", "089", "1_000", "1_000.5", "Inf", "NaN", "+Inf", "-1", "1e", "0x", "1__0", "1e999", "0xFFFFFFFFFFFFFFFFFF", "5m", "1e-5", "5.", "0x_1",
            "0xee", "1._5", "1e+5", "9223372036854775808", "0b1", "inF", "1.5e3", "0xabc", "1_", "00", "08.5", "1h30m"];

    private static readonly string[] VectorFunctions =
        ["abs", "absent", "ceil", "ln", "sort", "timestamp", "histogram_count", "histogram_avg", "hour", "day_of_week", "round", "vector", "scalar", "clamp_max", "sort_by_label", "info", "unknown_fn", "RATE"];

    private static readonly string[] MatrixFunctions =
        ["rate", "irate", "increase", "avg_over_time", "absent_over_time", "deriv", "last_over_time", "mad_over_time", "ts_of_max_over_time", "changes", "first_over_time"];

    private static readonly string[] Aggregators =
        ["sum", "avg", "count", "min", "max", "group", "stddev", "stdvar", "SUM", "Avg"];

    private static readonly string[] ParameterAggregators = ["topk", "bottomk", "quantile", "count_values", "limitk", "limit_ratio", "TopK"];

    private static readonly string[] Arithmetic = ["+", "-", "*", "/", "%", "^", "atan2"];

    private static readonly string[] Comparisons = ["==", "!=", "<", "<=", ">", ">="];

    private static readonly string[] SetOperators = ["and", "or", "unless", "AND"];

    private static readonly string[] Fragments =
        ["(", ")", "[", "]", "{", "}", ",", "=", "==", "=~", "!~", "!=", "!", ":", ";", "@", "#c\n", " ", "\n", "+", "-", "^", "%", "by", "on", "bool", "ignoring(a)", "group_left",
            "group_left()", "offset", "offset 5m", "[5m]", "[5m:]", "[5m:1m]", "@ 1", "@ start()", "@ end()", "start()", "5m", "1", "\"s\"", "foo", "sum", "without(a)", "inf", "\\", "$x", "é", "_",
            "=~\"[\"", "=\"x\"", "rate(", "{}", "()", "s", "a", "0x", ".", "'", "`"];

    public string Next()
    {
        string expression = Any(random.Next(1, 5));
        for (int edits = random.Next(3) == 0 ? random.Next(1, 4) : 0; edits > 0; edits--)
        {
            expression = Mutate(expression);
        }
        return string.IsNullOrWhiteSpace(expression) ? "foo" : expression;
    }

    private string Any(int depth) => random.Next(8) switch
    {
        0 => Scalar(depth),
        1 => Matrix(depth),
        _ => Vector(depth),
    };

    private string Vector(int depth)
    {
        if (random.Next(20) == 0)
        {
            return random.Next(3) switch { 0 => Scalar(depth), 1 => Matrix(depth), _ => Pick(Values) };
        }
        if (depth <= 0)
        {
            return Selector();
        }
        return random.Next(12) switch
        {
            0 or 1 => Selector(),
            2 or 3 => $"{Pick(MatrixFunctions)}({Matrix(depth - 1)})",
            4 => $"{Pick(VectorFunctions)}({Arguments(depth - 1)})",
            5 => SpecialCall(depth - 1),
            6 or 7 => Aggregation(depth - 1),
            8 => $"({Vector(depth - 1)})",
            9 => Pick("-", "+") + Vector(depth - 1),
            _ => Binary(depth - 1),
        };
    }

    private string Arguments(int depth) => string.Join(Pick(",", ", "), Enumerable.Range(0, random.Next(10) == 0 ? random.Next(4) : 1).Select(_ => Vector(depth)));

    private string SpecialCall(int depth) => random.Next(12) switch
    {
        0 => $"histogram_quantile({Scalar(depth)}, {Vector(depth)})",
        1 => $"label_replace({Vector(depth)}, \"a\", {Pick(Values)}, \"b\", {Pick(Values)})",
        2 => $"label_join({Vector(depth)}, {string.Join(",", Enumerable.Range(0, random.Next(5)).Select(_ => Pick(Values)))})",
        3 => $"clamp({Vector(depth)}, {Scalar(depth)}, {Scalar(depth)})",
        4 => $"round({Vector(depth)}, {Scalar(depth)})",
        5 => $"predict_linear({Matrix(depth)}, {Scalar(depth)})",
        6 => $"quantile_over_time({Scalar(depth)}, {Matrix(depth)})",
        7 => $"{Pick("holt_winters", "double_exponential_smoothing")}({Matrix(depth)}, 0.5, {Scalar(depth)})",
        8 => $"vector({Scalar(depth)})",
        9 => Pick("hour()", "time()", "day_of_month(foo, bar)", "pi()", "minute ()", "scalar()", "start()"),
        10 => $"histogram_fraction({Scalar(depth)}, {Scalar(depth)}, {Vector(depth)})",
        _ => $"info({Vector(depth)}, {Pick("{a=\"b\"}", "{}", "foo", "sum(foo)")})",
    };

    private string Aggregation(int depth)
    {
        bool parameter = random.Next(3) == 0;
        string head = parameter ? Pick(ParameterAggregators) : Pick(Aggregators);
        string body = parameter ? $"({(random.Next(4) == 0 ? Pick(Values) : Scalar(depth))}, {Vector(depth)})" : $"({Vector(depth)})";
        string modifier = $" {Pick("by", "without", "BY")} ({LabelList()}) ";
        return random.Next(3) switch { 0 => head + body, 1 => head + modifier + body, _ => head + body + modifier };
    }

    private string LabelList() => string.Join(Pick(",", ", "), Enumerable.Range(0, random.Next(4)).Select(_ => Pick(Labels))) + (random.Next(12) == 0 ? "," : "");

    private string Binary(int depth)
    {
        string op = random.Next(4) switch { 0 => Pick(Comparisons), 1 => Pick(SetOperators), _ => Pick(Arithmetic) };
        string modifiers = random.Next(6) == 0 ? " bool" : "";
        if (random.Next(4) == 0)
        {
            modifiers += $" {Pick("on", "ignoring")}({LabelList()})";
            if (random.Next(2) == 0)
            {
                modifiers += " " + Pick("group_left", "group_right") + Pick("", "()", $"({LabelList()})");
            }
        }
        string left = random.Next(5) == 0 ? Scalar(depth) : Vector(depth);
        string right = random.Next(5) == 0 ? Scalar(depth) : Vector(depth);
        return $"{left} {op}{modifiers} {right}";
    }

    private string Scalar(int depth) => random.Next(depth <= 0 ? 2 : 6) switch
    {
        2 => $"scalar({Vector(depth - 1)})",
        3 => $"({Scalar(depth - 1)})",
        4 => $"{Scalar(depth - 1)} {Pick(Arithmetic)} {Scalar(depth - 1)}",
        5 => Pick("time()", "pi()", "-", "1 > bool ") + Scalar(depth - 1),
        _ => Pick(Numbers),
    };

    private string Matrix(int depth)
    {
        if (random.Next(20) == 0)
        {
            return Vector(depth);
        }
        string modifiers = random.Next(4) == 0 ? TimeModifiers() : "";
        return depth > 0 && random.Next(4) == 0
            ? $"{Vector(depth - 1)}[{Pick(Durations)}:{(random.Next(2) == 0 ? Pick(Durations) : "")}]{modifiers}"
            : $"{Selector()}[{Pick("5m", "1h", Pick(Durations))}]{modifiers}";
    }

    private string Selector()
    {
        string name = random.Next(8) == 0 ? "" : Pick(Metrics);
        string braces = random.Next(2) == 0 || name.Length == 0
            ? $"{{{string.Join(",", Enumerable.Range(0, random.Next(4)).Select(_ => Matcher()))}{(random.Next(15) == 0 ? "," : "")}}}"
            : "";
        return name + braces + (random.Next(6) == 0 ? TimeModifiers() : "");
    }

    private string Matcher() => random.Next(10) == 0
        ? Pick("\"foo\"", "'a.b'", "\"\"")
        : $"{Pick(Labels)}{Pick("=", "!=", "=~", "!~")}{Pick(Values)}";

    private string TimeModifiers() => Pick(
        $" offset {Pick(Durations)}",
        $" @ {Pick(Numbers)}",
        " @ start()",
        " @ end ( )",
        $" @ {Pick(Numbers)} offset {Pick(Durations)}",
        $" offset {Pick(Durations)} @ -{Pick(Numbers)}",
        $" offset {Pick(Durations)} offset {Pick(Durations)}");

    private string Mutate(string text)
    {
        int at = random.Next(text.Length + 1);
        int length = Math.Min(random.Next(1, 4), text.Length - at);
        var changed = new StringBuilder(text);
        switch (random.Next(5))
        {
            case 0:
                changed.Remove(at, length);
                break;
            case 1:
                changed.Insert(at, Pick(Fragments));
                break;
            case 2:
                changed.Remove(at, length).Insert(at, Pick(Fragments));
                break;
            case 3:
                changed.Insert(at, text.AsSpan(at, length));
                break;
            default:
                changed.Append(' ').Append(Pick(Fragments));
                break;
        }
        return changed.ToString();
    }

    private string Pick(params string[] choices) => choices[random.Next(choices.Length)];
}
