using System.Buffers;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace OptiInfra.PromQL.Syntax;

/// <summary>
/// The verdict on a pattern: <see cref="Error"/> is null when Prometheus can compile it; <see cref="MatchesEmpty"/> says whether
/// the pattern, anchored at both ends as in a label matcher, matches the empty string.
/// </summary>
public readonly record struct RegexVerdict(string? Error, bool MatchesEmpty);

/// <summary>
/// Checks a regular expression as Go's RE2 does (https://github.com/google/re2/wiki/Syntax), because .NET's dialect differs:
/// it has look-around and back references, RE2 has none; RE2 limits repetition and nesting. The parser builds no tree; it carries
/// for each piece what the verdict needs: whether it can be empty, its height and its repetition count.
/// </summary>
public static class RegexSyntax
{
    private static readonly SearchValues<char> SpecialCharacters = SearchValues.Create(@"\.+*?()[]{}^$");

    public static RegexVerdict Check(string pattern, bool unicodeAliases = true)
    {
        // A pattern without special characters is compared as a string and never compiled, so even bad bytes pass.
        if (pattern.AsSpan().IndexOfAny(SpecialCharacters) < 0)
        {
            return new RegexVerdict(null, pattern.Length == 0 || pattern[0] == '|' || pattern[^1] == '|'
                || pattern.Contains("||", StringComparison.Ordinal));
        }
        var parser = new RegexParser(pattern, unicodeAliases);
        Piece? whole = parser.ParseWhole();
        return whole is null ? new RegexVerdict(parser.Error, false) : new RegexVerdict(null, whole.Value.Nullable);
    }
}

/// <summary>
/// What the verdict needs to know of a part of a pattern. <see cref="Repeat"/> is the greatest product of counted repetitions on a
/// path down: RE2 refuses more than 1000.
/// </summary>
internal readonly record struct Piece(bool Nullable, int Height, int Repeat, long Size)
{
    public static readonly Piece Empty = new(true, 1, 1, 1);
    public static readonly Piece Character = new(false, 1, 1, 1);
}

internal ref struct RegexParser(string pattern, bool unicodeAliases)
{
    private const int MaxRepeat = 1000;
    private const int MaxHeight = 1000;
    private const long MaxSize = (128 << 20) / 40;

    private readonly ReadOnlySpan<char> text = pattern;
    private int position;
    private int groups;

    public string? Error { get; private set; }

    public Piece? ParseWhole()
    {
        Piece? whole = Alternation();
        if (whole is not null && position < text.Length)
        {
            return Fail("unexpected ): `" + pattern + "`");
        }
        return whole is { Height: > MaxHeight } ? Fail("expression nests too deeply")
            : whole is { Size: > MaxSize } ? Fail("expression too large")
            : whole;
    }

    private Piece? Alternation()
    {
        Piece? first = Concatenation();
        if (first is null || !At('|'))
        {
            return first;
        }
        Piece all = first.Value with { Height = first.Value.Height + 1 };
        while (At('|'))
        {
            position++;
            if (Concatenation() is not { } next)
            {
                return null;
            }
            all = new Piece(all.Nullable || next.Nullable, Math.Max(all.Height, next.Height + 1), Math.Max(all.Repeat, next.Repeat), all.Size + next.Size + 1);
        }
        return all;
    }

    private Piece? Concatenation()
    {
        Piece done = Piece.Empty with { Size = 0 };
        Piece? last = null;
        int repeatStart = -1;
        while (position < text.Length && text[position] is not ('|' or ')'))
        {
            int start = position;
            if (TryQuantifier(out int min, out int max))
            {
                if (Error is not null)
                {
                    return null;
                }
                if (repeatStart >= 0)
                {
                    return Fail($"invalid nested repetition operator: `{text[repeatStart..position]}`");
                }
                if (last is null)
                {
                    return Fail($"missing argument to repetition operator: `{text[start..position]}`");
                }
                last = Repeated(last.Value, min, max);
                if (last.Value.Repeat > MaxRepeat)
                {
                    return Fail($"invalid repeat count: `{text[start..position]}`");
                }
                repeatStart = start;
                continue;
            }
            repeatStart = -1;
            Piece? next = Atom(out bool nothing);
            if (Error is not null)
            {
                return null;
            }
            if (nothing)
            {
                // Flags and empty quotes leave the piece before them in place for a following "*".
                continue;
            }
            done = Join(done, last);
            last = next;
        }
        return Join(done, last);
    }

    private static Piece Join(Piece done, Piece? last) => last is not { } piece ? done
        : new Piece(done.Nullable && piece.Nullable, Math.Max(done.Height, piece.Height + (done.Size > 0 ? 1 : 0)), Math.Max(done.Repeat, piece.Repeat), done.Size + piece.Size);

    private static Piece Repeated(Piece piece, int min, int max)
    {
        bool counted = min >= 2 || max >= 2;
        int times = max == 0 ? 0 : max < 0 ? Math.Max(min, 1) : max;
        long repeat = counted ? (long)times * piece.Repeat : piece.Repeat;
        return new Piece(
            piece.Nullable || min == 0, piece.Height + 1, (int)Math.Min(repeat, int.MaxValue),
            counted ? Math.Max(times, 1) * piece.Size : piece.Size + 1);
    }

    /// <summary>Reads <c>* + ? {n,m}</c> with a lazy mark. A brace that is no count is an ordinary character.</summary>
    private bool TryQuantifier(out int min, out int max)
    {
        (min, max) = (0, -1);
        switch (text[position])
        {
            case '*':
                break;
            case '+':
                min = 1;
                break;
            case '?':
                max = 1;
                break;
            case '{':
                int end = position;
                if (!TryCount(ref end, out min, out max))
                {
                    return false;
                }
                if (min is < 0 or > MaxRepeat || max > MaxRepeat || (max >= 0 && min > max))
                {
                    Fail($"invalid repeat count: `{text[position..end]}`");
                    return true;
                }
                position = end - 1;
                break;
            default:
                return false;
        }
        position++;
        if (At('?'))
        {
            position++;
        }
        return true;
    }

    private readonly bool TryCount(ref int at, out int min, out int max)
    {
        at++;
        max = 0;
        if (!TryInteger(ref at, out min) || at >= text.Length)
        {
            return false;
        }
        max = min;
        if (text[at] == ',')
        {
            at++;
            if (at < text.Length && text[at] == '}')
            {
                max = -1;
            }
            else if (!TryInteger(ref at, out max))
            {
                return false;
            }
            else if (max < 0)
            {
                min = -1;
            }
        }
        return at < text.Length && text[at++] == '}';
    }

    /// <summary>A number without leading zeros; -1 for one too great to matter.</summary>
    private readonly bool TryInteger(ref int at, out int value)
    {
        value = 0;
        int start = at;
        while (at < text.Length && char.IsAsciiDigit(text[at]))
        {
            value = value < 0 || value > 100_000_000 ? -1 : (value * 10) + (text[at] - '0');
            at++;
        }
        return at > start && (at == start + 1 || text[start] != '0');
    }

    private Piece? Atom(out bool nothing)
    {
        nothing = false;
        switch (text[position])
        {
            case '(':
                return Group(out nothing);
            case '[':
                return Class();
            case '^' or '$':
                position++;
                return Piece.Empty;
            case '\\':
                return Escape(out nothing);
            default:
                return NextRune() is null ? null : Piece.Character;
        }
    }

    private Piece? Group(out bool nothing)
    {
        nothing = false;
        int start = position++;
        bool capture = true;
        if (At('?'))
        {
            position++;
            if (!GroupHead(start, out capture, out nothing) || nothing)
            {
                return null;
            }
        }
        if (++groups > MaxHeight * 10 || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            return Fail("expression nests too deeply");
        }
        if (Alternation() is not { } inner)
        {
            return null;
        }
        if (!At(')'))
        {
            return Fail($"missing closing ): `{pattern}`");
        }
        position++;
        inner = capture ? new Piece(inner.Nullable, inner.Height + 1, inner.Repeat, inner.Size + 2) : inner;
        return inner.Height > MaxHeight ? Fail("expression nests too deeply") : inner;
    }

    /// <summary>After <c>(?</c>: a name, or flags that open a group (<c>:</c>) or hold for the rest (<c>)</c>).</summary>
    private bool GroupHead(int start, out bool capture, out bool nothing)
    {
        (capture, nothing) = (true, false);
        ReadOnlySpan<char> rest = text[position..];
        if (rest.StartsWith("P<") || rest.StartsWith("<"))
        {
            int nameStart = position + (rest[0] == 'P' ? 2 : 1);
            int end = text[position..].IndexOf('>');
            ReadOnlySpan<char> name = end < 0 ? default : text[nameStart..(position + end)];
            if (end < 0 || name.IsEmpty || name.ContainsAnyExcept(NameCharacters))
            {
                Fail($"invalid named capture: `{text[start..(end < 0 ? text.Length : position + end + 1)]}`");
                return false;
            }
            position += end + 1;
            return true;
        }
        capture = false;
        bool negative = false, sawFlag = false;
        while (position < text.Length)
        {
            switch (text[position++])
            {
                case 'i' or 'm' or 's' or 'U':
                    sawFlag = true;
                    continue;
                case '-' when !negative:
                    negative = true;
                    sawFlag = false;
                    continue;
                case ':' or ')' when !negative || sawFlag:
                    nothing = text[position - 1] == ')';
                    return true;
            }
            break;
        }
        Fail($"invalid or unsupported Perl syntax: `{text[start..position]}`");
        return false;
    }

    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

    private Piece? Escape(out bool nothing)
    {
        nothing = false;
        if (position + 1 < text.Length)
        {
            switch (text[position + 1])
            {
                case 'A' or 'z' or 'B':
                    position += 2;
                    return Piece.Empty;
                case 'b':
                    position += 2;
                    return Piece.Empty with { Nullable = false };
                case 'Q':
                    return Quoted(out nothing);
                case 'd' or 'D' or 's' or 'S' or 'w' or 'W':
                    position += 2;
                    return Piece.Character;
                case 'p' or 'P':
                    return UnicodeClass() ? Piece.Character : null;
            }
        }
        return EscapedRune() is null ? null : Piece.Character;
    }

    /// <summary><c>\Q…\E</c>: characters as they are; a quantifier after it takes only the last.</summary>
    private Piece? Quoted(out bool nothing)
    {
        position += 2;
        int length = text[position..].IndexOf("\\E");
        int end = length < 0 ? text.Length : position + length;
        nothing = position == end;
        int count = 0;
        while (position < end)
        {
            if (NextRune() is null)
            {
                return null;
            }
            count++;
        }
        position = length < 0 ? end : end + 2;
        return Piece.Character with { Size = count };
    }

    private bool UnicodeClass()
    {
        int start = position;
        position += 2;
        string name;
        if (At('{'))
        {
            int length = text[position..].IndexOf('}');
            if (length < 0)
            {
                Fail($"invalid character class range: `{text[start..]}`");
                return false;
            }
            name = text[(position + 1)..(position + length)].ToString();
            position += length + 1;
        }
        else if (position < text.Length && NextRune() is { } rune)
        {
            name = rune.ToString();
        }
        else
        {
            name = "";
        }
        if (Error is null && !UnicodeNames.Contains(name.StartsWith('^') ? name[1..] : name, unicodeAliases))
        {
            Fail($"invalid character class range: `{text[start..position]}`");
        }
        return Error is null;
    }

    private Piece? Class()
    {
        int start = position++;
        if (At('^'))
        {
            position++;
        }
        bool first = true;
        while (position >= text.Length || text[position] != ']' || first)
        {
            first = false;
            if (TryNamedClass() || TryClassEscape())
            {
                if (Error is not null)
                {
                    return null;
                }
                continue;
            }
            int rangeStart = position;
            if (ClassRune(start) is not { } low)
            {
                return null;
            }
            if (position + 1 < text.Length && text[position] == '-' && text[position + 1] != ']')
            {
                position++;
                if (ClassRune(start) is not { } high)
                {
                    return null;
                }
                if (high < low)
                {
                    return Fail($"invalid character class range: `{text[rangeStart..position]}`");
                }
            }
        }
        position++;
        return Piece.Character;
    }

    private bool TryNamedClass()
    {
        if (!text[position..].StartsWith("[:") || text[(position + 2)..].IndexOf(":]") is not (>= 0 and var length))
        {
            return false;
        }
        ReadOnlySpan<char> name = text.Slice(position + 2, length);
        if (!UnicodeNames.IsPosixClass(name.StartsWith("^") ? name[1..] : name))
        {
            Fail($"invalid character class range: `{text.Slice(position, length + 4)}`");
            return true;
        }
        position += length + 4;
        return true;
    }

    private bool TryClassEscape()
    {
        if (!At('\\') || position + 1 >= text.Length)
        {
            return false;
        }
        switch (text[position + 1])
        {
            case 'd' or 'D' or 's' or 'S' or 'w' or 'W':
                position += 2;
                return true;
            case 'p' or 'P':
                UnicodeClass();
                return true;
            default:
                return false;
        }
    }

    private int? ClassRune(int classStart)
    {
        if (position >= text.Length)
        {
            Fail($"missing closing ]: `{text[classStart..]}`");
            return null;
        }
        return At('\\') ? EscapedRune() : NextRune()?.Value;
    }

    private int? EscapedRune()
    {
        int start = position++;
        if (position >= text.Length)
        {
            Fail("trailing backslash at end of expression: ``");
            return null;
        }
        if (NextRune() is not { } rune)
        {
            return null;
        }
        char c = rune.IsBmp ? (char)rune.Value : '\uffff';
        int? value = c switch
        {
            'x' => Hexadecimal(),
            'a' => 7,
            'f' => 12,
            'n' => 10,
            'r' => 13,
            't' => 9,
            'v' => 11,
            '0' => Octal(0),
            // A single digit would be a back reference, which RE2 does not have.
            >= '1' and <= '7' when position < text.Length && text[position] is >= '0' and <= '7' => Octal(c - '0'),
            < '\x80' when !char.IsAsciiLetterOrDigit(c) => c,
            _ => null,
        };
        if (value is null && Error is null)
        {
            Fail($"invalid escape sequence: `{text[start..position]}`");
        }
        return value;
    }

    private int Octal(int value)
    {
        for (int i = 0; i < 2 && position < text.Length && text[position] is >= '0' and <= '7'; i++)
        {
            value = (value * 8) + (text[position++] - '0');
        }
        return value;
    }

    private int? Hexadecimal()
    {
        bool braces = At('{');
        if (braces)
        {
            position++;
        }
        int value = 0;
        int digits = 0;
        while (position < text.Length && char.IsAsciiHexDigit(text[position]) && (braces || digits < 2))
        {
            value = (value * 16) + int.Parse(text.Slice(position++, 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            digits++;
            if (value > 0x10FFFF)
            {
                return null;
            }
        }
        if (!braces)
        {
            return digits == 2 ? value : null;
        }
        if (digits == 0 || !At('}'))
        {
            return null;
        }
        position++;
        return value;
    }

    private Rune? NextRune()
    {
        if (Rune.DecodeFromUtf16(text[position..], out Rune rune, out int length) != OperationStatus.Done)
        {
            Fail("invalid UTF-8");
            return null;
        }
        position += length;
        return rune;
    }

    private readonly bool At(char c) => position < text.Length && text[position] == c;

    private Piece? Fail(string message)
    {
        Error ??= "error parsing regexp: " + message;
        return null;
    }
}
