using System.Collections.Concurrent;
using System.Text;
using System.Text.RegularExpressions;

namespace OptiInfra.ApiServer.Schema;

/// <summary>
/// Regular expressions of the real server (RE2): translated to the platform's syntax and run on its linear-time engine,
/// so that a pattern from a request can never hang the server. What RE2 does not know (look-around, back references) is
/// an error here too.
/// </summary>
internal static partial class GoRegex
{
    private static readonly ConcurrentDictionary<string, (Regex? Regex, string? Error)> Cache = new();

    private static readonly Dictionary<string, string> PosixClasses = new()
    {
        ["[:alnum:]"] = "0-9A-Za-z", ["[:alpha:]"] = "A-Za-z", ["[:ascii:]"] = "\\x00-\\x7F", ["[:blank:]"] = "\\t ", ["[:cntrl:]"] = "\\x00-\\x1F\\x7F",
        ["[:digit:]"] = "0-9", ["[:graph:]"] = "!-~", ["[:lower:]"] = "a-z", ["[:print:]"] = " -~", ["[:punct:]"] = "!-/:-@\\[-`{-~",
        ["[:space:]"] = "\\t\\n\\v\\f\\r ", ["[:upper:]"] = "A-Z", ["[:word:]"] = "0-9A-Za-z_", ["[:xdigit:]"] = "0-9A-Fa-f",
    };

    [GeneratedRegex(@"^\{(\d{1,6})(?:,(\d{0,6}))?\}")]
    private static partial Regex RepeatCount();

    public static bool TryCompile(string pattern, out Regex regex, out string error)
    {
        (Regex? compiled, string? problem) = Cache.Count > 4096 ? Compile(pattern) : Cache.GetOrAdd(pattern, Compile);
        regex = compiled!;
        error = problem ?? "";
        return compiled is not null;
    }

    private static (Regex? Regex, string? Error) Compile(string pattern)
    {
        if (SyntaxError(pattern) is { } error)
        {
            return (null, "error parsing regexp: " + error);
        }

        try
        {
            return (new Regex(Translate(pattern), RegexOptions.NonBacktracking | RegexOptions.CultureInvariant), null);
        }
        catch (ArgumentException)
        {
            return (null, "error parsing regexp: invalid or unsupported Perl syntax: `" + pattern + "`");
        }
        catch (NotSupportedException)
        {
            return (null, "error parsing regexp: invalid or unsupported Perl syntax: `" + pattern + "`");
        }
    }

    // The mistakes people make, named as the real server names them.
    private static string? SyntaxError(string pattern)
    {
        int open = 0;
        bool inClass = false;
        int classStart = 0;
        for (int i = 0; i < pattern.Length; i++)
        {
            char c = pattern[i];
            if (c == '\\')
            {
                if (++i == pattern.Length)
                {
                    return "trailing backslash at end of expression: ``";
                }
            }
            else if (inClass)
            {
                inClass = c != ']' || i == classStart + 1 || (i == classStart + 2 && pattern[classStart + 1] == '^');
                if (c == '[' && i + 1 < pattern.Length && pattern[i + 1] == ':' && pattern.IndexOf(":]", i, StringComparison.Ordinal) is > 0 and var end)
                {
                    i = end + 1;
                }
            }
            else if (c == '[')
            {
                (inClass, classStart) = (true, i);
            }
            else if (c == '(')
            {
                open++;
                if (pattern.AsSpan(i).StartsWith("(?=") || pattern.AsSpan(i).StartsWith("(?!") || pattern.AsSpan(i).StartsWith("(?<=") || pattern.AsSpan(i).StartsWith("(?<!"))
                {
                    return "invalid or unsupported Perl syntax: `" + pattern[i..(i + (pattern[i + 2] == '<' ? 4 : 3))] + "`";
                }
            }
            else if (c == ')' && --open < 0)
            {
                return "unexpected ): `" + pattern + "`";
            }
            else if (c is '*' or '+' or '?' && i > 0 && pattern[i - 1] is '*' or '+' && (i < 2 || pattern[i - 2] != '\\') && !(c == '?' && (i < 2 || pattern[i - 2] is not ('*' or '+' or '?'))))
            {
                return "invalid nested repetition operator: `" + pattern[i - 1] + c + "`";
            }
            else if (c == '{' && RepeatCount().Match(pattern[i..]) is { Success: true } repeat && (repeat.Groups[2].Length > 0 && int.Parse(repeat.Groups[1].Value) > int.Parse(repeat.Groups[2].Value) || int.Parse(repeat.Groups[1].Value) > 1000))
            {
                return "invalid repeat count: `" + repeat.Value + "`";
            }
            else if (c is '*' or '+' or '?' && (i == 0 || pattern[i - 1] is '(' or '|') && !(c == '?' && i > 0 && pattern[i - 1] == '('))
            {
                return "missing argument to repetition operator: `" + c + "`";
            }
        }

        return inClass ? "missing closing ]: `" + pattern[classStart..] + "`" : open > 0 ? "missing closing ): `" + pattern + "`" : null;
    }

    private static string Translate(string pattern)
    {
        var result = new StringBuilder();
        bool inClass = false;
        for (int i = 0; i < pattern.Length; i++)
        {
            char c = pattern[i];
            if (c == '\\' && i + 1 < pattern.Length)
            {
                i += Escape(pattern, i, inClass, result);
            }
            else if (inClass && c == '[' && PosixClasses.FirstOrDefault(name => string.CompareOrdinal(pattern, i, name.Key, 0, name.Key.Length) == 0) is { Key: { } posix } found)
            {
                result.Append(found.Value);
                i += posix.Length - 1;
            }
            else if (inClass)
            {
                inClass = c != ']' || result[^1] == '[' || (result[^1] == '^' && result[^2] == '[');
                result.Append(c == '[' || (c == ']' && inClass) ? "\\" : "").Append(c);
            }
            else if (c == '(' && string.CompareOrdinal(pattern, i, "(?P<", 0, 4) == 0)
            {
                result.Append("(?<");
                i += 3;
            }
            else
            {
                inClass = c == '[';
                result.Append(c == '$' ? "\\z" : c.ToString());
            }
        }

        return result.ToString();
    }

    // Returns how many characters beyond the backslash were taken.
    private static int Escape(string pattern, int i, bool inClass, StringBuilder result)
    {
        char c = pattern[i + 1];
        string? ascii = c switch
        {
            'd' => "0-9",
            'w' => "0-9A-Za-z_",
            's' => "\\t\\n\\f\\r ",
            _ => null,
        };
        if (ascii is not null)
        {
            result.Append(inClass ? ascii : $"[{ascii}]");
        }
        else if (c is 'D' or 'W' or 'S' && !inClass)
        {
            result.Append(c switch { 'D' => "[^0-9]", 'W' => "[^0-9A-Za-z_]", _ => "[^\\t\\n\\f\\r ]" });
        }
        else if (c == 'Q' && pattern.IndexOf("\\E", i, StringComparison.Ordinal) is var end)
        {
            int stop = end < 0 ? pattern.Length : end;
            result.Append(Regex.Escape(pattern[(i + 2)..stop]));
            return (end < 0 ? stop - 1 : end + 1) - i;
        }
        else if (c == 'x' && i + 2 < pattern.Length && pattern[i + 2] == '{' && pattern.IndexOf('}', i) is > 0 and var close)
        {
            int code = int.Parse(pattern.AsSpan(i + 3, close - i - 3), System.Globalization.NumberStyles.HexNumber);
            result.Append(Regex.Escape(char.ConvertFromUtf32(code)));
            return close - i;
        }
        else
        {
            result.Append('\\').Append(c);
        }

        return 1;
    }
}
