namespace OptiInfra.PromQL.Text;

/// <summary>How much a finding matters: errors refuse the input, warnings and infos only speak.</summary>
public enum Severity
{
    Error,
    Warning,
    Info,
}

/// <summary>A place in a text: 1-based line and column, as editors show it. The column counts bytes of UTF-8, as Prometheus does.</summary>
public readonly record struct TextPosition(int Line, int Column)
{
    public static readonly TextPosition None;

    public bool IsKnown => Line > 0;

    public override string ToString() => IsKnown ? $"{Line}:{Column}" : "-";
}

/// <summary>A half-open range of byte offsets into a UTF-8 text.</summary>
public readonly record struct TextSpan(int Start, int End)
{
    public int Length => End - Start;

    public TextSpan Shift(int offset) => new(Start + offset, End + offset);
}

/// <summary>Replace what stands between two places by another text.</summary>
public sealed record TextEdit(TextPosition Start, TextPosition End, string Replacement);

/// <summary>
/// One finding about something a user wrote: the only form in which a user's mistake travels,
/// from the lexer to the command line, the admission webhook, the resource's status and the console.
/// </summary>
/// <param name="Id">Stable identifier, for example <c>promql/syntax</c>; the page docs/lint/&lt;id&gt;.md explains it.</param>
/// <param name="Severity">Whether it refuses the input.</param>
/// <param name="Message">What is wrong, in one sentence.</param>
public sealed record Diagnostic(string Id, Severity Severity, string Message)
{
    /// <summary>The file the text came from, or the resource (<c>AlertPolicy shop/cost</c>) when there is no file.</summary>
    public string? Source { get; init; }

    /// <summary>Path of the field inside the resource, for example <c>spec.groups[0].rules[2].expr</c>.</summary>
    public string? Field { get; init; }

    public TextPosition Start { get; init; }

    public TextPosition End { get; init; }

    /// <summary>What to do about it.</summary>
    public string? Hint { get; init; }

    /// <summary>An edit of the source that settles it, when that is mechanical.</summary>
    public TextEdit? Fix { get; init; }

    public bool IsError => Severity == Severity.Error;

    /// <summary><c>file:line:column: severity: message [id]</c>, leaving out what is not known.</summary>
    public override string ToString()
    {
        string place = Source is null ? "" : Start.IsKnown ? $"{Source}:{Start}: " : $"{Source}: ";
        string field = Field is null ? "" : $"{Field}: ";
        string hint = Hint is null ? "" : $" ({Hint})";
        return $"{place}{Severity.ToString().ToLowerInvariant()}: {field}{Message}{hint} [{Id}]";
    }
}
