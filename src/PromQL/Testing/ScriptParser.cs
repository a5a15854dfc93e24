using System.Text;
using System.Text.RegularExpressions;
using OptiInfra.PromQL.Data;
using OptiInfra.PromQL.Syntax;

namespace OptiInfra.PromQL.Testing;

/// <summary>One command of a script, with its line in the file.</summary>
internal abstract record ScriptCommand(int Line)
{
    public sealed record Clear(int Line) : ScriptCommand(Line);

    public sealed record Load(int Line, PromDuration Gap, bool WithCustomBuckets, IReadOnlyList<(Labels Labels, List<SampleValue> Values)> Series) : ScriptCommand(Line);

    /// <summary>A line that could not be read, or asks for something we do not have.</summary>
    public sealed record Bad(int Line, string Text, string Message, bool IsRefusal) : ScriptCommand(Line);

    public sealed record Eval(int Line, string Expr) : ScriptCommand(Line)
    {
        public bool IsRange { get; init; }

        public PromDuration Start { get; init; }

        public PromDuration End { get; init; }

        public PromDuration Step { get; init; }

        public IReadOnlyList<Expectation> Expectations { get; init; } = [];

        /// <summary>The expected series in order; their values are one per step.</summary>
        public IReadOnlyList<(Labels Labels, List<SampleValue> Values)> Expected { get; init; } = [];

        public SampleValue? ExpectedScalar { get; init; }

        public string? ExpectedText { get; init; }

        public bool Expects(ExpectationKind kind) => Expectations.Any(expectation => expectation.Kind == kind);
    }
}

internal enum ExpectationKind
{
    Ordered,
    Fail,
    Warn,
    NoWarn,
    Info,
    NoInfo,
}

/// <summary>What a query is expected to do besides its values; with neither text nor pattern, anything will do.
/// Strict: every remark of the kind must be expected (the <c>expect</c> lines); otherwise one is enough (<c>eval_warn</c>).</summary>
internal sealed record Expectation(ExpectationKind Kind, string? Message = null, GoRegex? Pattern = null, bool Strict = false)
{
    public bool Accepts(string message) => Message is not null ? Message == message : Pattern is null || Pattern.IsMatch(message);
}

/// <summary>
/// Reads Prometheus' PromQL test scripts, of 2.x and 3.x alike
/// (https://github.com/prometheus/prometheus/blob/main/promql/promqltest/README.md). A command ends at an empty line;
/// lines that start with # are comments. A line that cannot be read spoils its own command only.
/// </summary>
internal static partial class ScriptParser
{
    public static List<ScriptCommand> Parse(string text)
    {
        string[] lines = [.. text.Split('\n').Select(line => line.Trim()).Select(line => line.StartsWith('#') ? "" : line)];
        var commands = new List<ScriptCommand>();
        for (int i = 0; i < lines.Length; i++)
        {
            if (lines[i].Length == 0)
            {
                continue;
            }
            int first = i;
            string word = Word().Match(lines[i]).Value.ToLowerInvariant();
            bool hasBody = word.StartsWith("load", StringComparison.Ordinal) || word.StartsWith("eval", StringComparison.Ordinal);
            while (hasBody && i + 1 < lines.Length && lines[i + 1].Length > 0 && !StartsCommand(lines[i + 1]))
            {
                i++;
            }
            commands.Add(Command(word, first + 1, lines[first..(i + 1)]));
        }
        return commands;
    }

    /// <summary>Some scripts leave out the empty line between two commands.</summary>
    private static bool StartsCommand(string line) => EvalInstant().IsMatch(line) || EvalRange().IsMatch(line) || line == "clear";

    private static ScriptCommand Command(string word, int line, string[] lines)
    {
        try
        {
            return word switch
            {
                "clear" => new ScriptCommand.Clear(line),
                _ when word.StartsWith("load", StringComparison.Ordinal) => Load(line, lines),
                _ when word.StartsWith("eval", StringComparison.Ordinal) => Eval(line, lines),
                _ => Bad($"invalid command {StringSyntax.Quote(lines[0])}"),
            };
        }
        catch (SeriesNotation.NotationException error)
        {
            return Bad(error.Message);
        }

        ScriptCommand.Bad Bad(string message) => new(line, lines[0], message, IsRefusal: false);
    }

    private static ScriptCommand.Load Load(int line, string[] lines)
    {
        Match match = LoadLine().Match(lines[0]);
        if (!match.Success)
        {
            throw new SeriesNotation.NotationException("invalid load command, expected load[_with_nhcb] <step>");
        }
        return new ScriptCommand.Load(line, Duration(match.Groups[2].Value, "step"), match.Groups[1].Success, [.. lines.Skip(1).Select(SeriesNotation.ReadSeries)]);
    }

    private static ScriptCommand.Eval Eval(int line, string[] lines)
    {
        Match instant = EvalInstant().Match(lines[0]), range = EvalRange().Match(lines[0]);
        if (!instant.Success && !range.Success)
        {
            throw new SeriesNotation.NotationException("invalid evaluation command, expected eval instant at <time> <query> or eval range from <time> to <time> step <step> <query>");
        }
        Match match = instant.Success ? instant : range;
        var expectations = new List<Expectation>();
        if (match.Groups["mode"].Success)
        {
            expectations.Add(new Expectation(Enum.Parse<ExpectationKind>(match.Groups["mode"].Value, ignoreCase: true)));
        }
        PromDuration start = instant.Success ? Duration(match.Groups["at"].Value, "time") : Duration(match.Groups["from"].Value, "start");
        var command = new ScriptCommand.Eval(line, match.Groups["expr"].Value)
        {
            IsRange = !instant.Success,
            Start = start,
            End = instant.Success ? start : Duration(match.Groups["to"].Value, "end"),
            Step = instant.Success ? default : Duration(match.Groups["step"].Value, "step"),
        };
        return Body(command, lines, expectations);
    }

    private static ScriptCommand.Eval Body(ScriptCommand.Eval command, string[] lines, List<Expectation> expectations)
    {
        var expected = new List<(Labels, List<SampleValue>)>();
        SampleValue? scalar = null;
        string? text = null;
        foreach (string line in lines.Skip(1))
        {
            if (line.StartsWith("expected_fail_message", StringComparison.Ordinal))
            {
                expectations[^1] = expectations[^1] with { Message = line["expected_fail_message".Length..].Trim() };
            }
            else if (line.StartsWith("expected_fail_regexp", StringComparison.Ordinal))
            {
                expectations[^1] = expectations[^1] with { Pattern = GoRegex.Compile(line["expected_fail_regexp".Length..].Trim()) };
            }
            else if (line.StartsWith("expect string ", StringComparison.Ordinal))
            {
                text = StringSyntax.Unquote(Encoding.UTF8.GetBytes(line["expect string ".Length..].Trim()));
            }
            else if (line.Split(' ', 2)[0] == "expect")
            {
                expectations.Add(Expect(line));
            }
            else if (IsNumber(line, out double number))
            {
                scalar = number;
            }
            else
            {
                expected.Add(SeriesNotation.ReadSeries(line));
            }
        }
        return command with { Expectations = expectations, Expected = expected, ExpectedScalar = scalar, ExpectedText = text };
    }

    private static Expectation Expect(string line)
    {
        Match match = ExpectLine().Match(line);
        if (!match.Success)
        {
            throw new SeriesNotation.NotationException($"invalid expect statement {StringSyntax.Quote(line)}, expected expect <type> [msg:|regex:]<text>");
        }
        var kind = Enum.Parse<ExpectationKind>(match.Groups[1].Value.Replace("_", "", StringComparison.Ordinal), ignoreCase: true);
        string text = match.Groups[3].Value.Trim();
        return match.Groups[2].Value switch
        {
            "msg" => new Expectation(kind, Message: text, Strict: true),
            "regex" => new Expectation(kind, Pattern: GoRegex.Compile(text), Strict: true),
            _ => new Expectation(kind, Strict: true),
        };
    }

    private static bool IsNumber(string line, out double number)
    {
        bool negative = line.StartsWith('-');
        string digits = negative || line.StartsWith('+') ? line[1..] : line;
        bool ok = NumberSyntax.TryParse(Encoding.UTF8.GetBytes(digits), out number);
        number = negative ? -number : number;
        return ok;
    }

    private static PromDuration Duration(string text, string what) => PromDuration.TryParse(text, out PromDuration duration, out string error)
        ? duration
        : throw new SeriesNotation.NotationException($"invalid {what} {StringSyntax.Quote(text)}: {error}");

    [GeneratedRegex(@"^\S+")]
    private static partial Regex Word();

    [GeneratedRegex(@"^load(?:_(with_nhcb))?\s+(.+?)$")]
    private static partial Regex LoadLine();

    [GeneratedRegex(@"^eval(?:_(?<mode>fail|warn|ordered|info))?\s+instant\s+(?:at\s+(?<at>.+?))?\s+(?<expr>.+)$")]
    private static partial Regex EvalInstant();

    [GeneratedRegex(@"^eval(?:_(?<mode>fail|warn|info))?\s+range\s+from\s+(?<from>.+)\s+to\s+(?<to>.+)\s+step\s+(?<step>.+?)\s+(?<expr>.+)$")]
    private static partial Regex EvalRange();

    [GeneratedRegex(@"^expect\s+(ordered|fail|warn|no_warn|info|no_info)(?:\s+(regex|msg):(.+))?$")]
    private static partial Regex ExpectLine();
}
