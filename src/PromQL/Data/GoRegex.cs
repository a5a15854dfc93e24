using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace OptiInfra.PromQL.Data;

/// <summary>
/// Go's regular expressions (RE2 syntax, https://github.com/google/re2/wiki/Syntax) run by .NET's linear-time matcher:
/// the few spellings that differ are rewritten, the semantics are the same. Patterns are known to be valid RE2.
/// </summary>
internal sealed class GoRegex
{
    private readonly Regex regex;

    /// <summary>.NET counts named groups after all others, Go counts them where they stand; so ours have numbers only.</summary>
    private readonly Dictionary<string, int> groups = new(StringComparer.Ordinal);

    private int groupCount;

    private static readonly Dictionary<string, string> PosixClasses = new(StringComparer.Ordinal)
    {
        ["alnum"] = "0-9A-Za-z", ["alpha"] = "A-Za-z", ["ascii"] = @"\x00-\x7F", ["blank"] = @"\t\x20", ["cntrl"] = @"\x00-\x1F\x7F",
        ["digit"] = "0-9", ["graph"] = "!-~", ["lower"] = "a-z", ["print"] = @"\x20-~", ["punct"] = @"!-/:-@\[-`{-~",
        ["space"] = @"\t\n\v\f\r\x20", ["upper"] = "A-Z", ["word"] = "0-9A-Za-z_", ["xdigit"] = "0-9A-Fa-f",
    };

    private GoRegex(string pattern) => regex = new Regex(Translate(pattern), RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);

    public static GoRegex Compile(string pattern) => new(pattern);

    public bool IsMatch(string text) => regex.IsMatch(text);

    /// <summary>The replacement for the first match, or null when there is none.</summary>
    public string? ExpandFirst(string text, string template) => regex.Match(text) is { Success: true } match ? Expand(template, match) : null;

    public string ReplaceAll(string text, string template) => regex.Replace(text, match => Expand(template, match));

    public override string ToString() => regex.ToString();

    /// <summary>
    /// Go's template for replacements: <c>$1</c>, <c>${name}</c>, <c>$$</c>. A name is as long as it can be
    /// (<c>$1x</c> is the group "1x"), and an unknown group is empty.
    /// </summary>
    private string Expand(string template, Match match)
    {
        var result = new StringBuilder();
        int i = 0;
        while (i < template.Length)
        {
            int dollar = template.IndexOf('$', i);
            if (dollar < 0 || dollar == template.Length - 1)
            {
                return result.Append(template, i, template.Length - i).ToString();
            }
            result.Append(template, i, dollar - i);
            if (template[dollar + 1] == '$')
            {
                result.Append('$');
                i = dollar + 2;
                continue;
            }
            bool braced = template[dollar + 1] == '{';
            int start = dollar + (braced ? 2 : 1);
            int end = start;
            while (end < template.Length && (char.IsLetterOrDigit(template[end]) || template[end] == '_'))
            {
                end++;
            }
            bool closed = !braced || (end < template.Length && template[end] == '}');
            if (end == start || !closed)
            {
                result.Append('$');
                i = dollar + 1;
                continue;
            }
            string name = template[start..end];
            int number = groups.TryGetValue(name, out int known) ? known : int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int digits) ? digits : -1;
            result.Append(number >= 0 ? match.Groups[number].Value : "");
            i = braced ? end + 1 : end;
        }
        return result.ToString();
    }

    private string Translate(string pattern)
    {
        var result = new StringBuilder(pattern.Length + 8);
        int i = 0;
        while (i < pattern.Length)
        {
            char c = pattern[i];
            if (c == '\\' && i + 1 < pattern.Length)
            {
                i = Escape(pattern, i + 1, result, inClass: false);
            }
            else if (c == '[')
            {
                i = Class(pattern, i, result);
            }
            else if (c == '$' && !IsMultiline(pattern, i))
            {
                result.Append(@"\z"); // .NET's $ would also match before a final newline.
                i++;
            }
            else if (c == '(')
            {
                i = Open(pattern, i, result);
            }
            else
            {
                result.Append(c);
                i++;
            }
        }
        return result.ToString();
    }

    /// <summary>Copies what opens a group: plain, named, or with flags.</summary>
    private int Open(string pattern, int i, StringBuilder result)
    {
        ReadOnlySpan<char> rest = pattern.AsSpan(i);
        if (!rest.StartsWith("(?"))
        {
            groupCount++;
            result.Append('(');
            return i + 1;
        }
        if (rest.StartsWith("(?P<") || rest.StartsWith("(?<"))
        {
            int start = rest.IndexOf('<') + 1, end = rest.IndexOf('>');
            groups[rest[start..end].ToString()] = ++groupCount;
            result.Append('(');
            return i + end + 1;
        }
        int stop = rest.IndexOfAny(':', ')');
        result.Append("(?").Append(rest[2..stop].ToString().Replace("U", "", StringComparison.Ordinal)).Append(rest[stop]);
        return i + stop + 1;
    }

    private static bool IsMultiline(string pattern, int position)
    {
        int flags = pattern.LastIndexOf("(?m", position, StringComparison.Ordinal);
        return flags >= 0;
    }

    /// <summary>Copies one escape, whose first character is at <paramref name="i"/>; returns where the next token starts.</summary>
    private static int Escape(string pattern, int i, StringBuilder result, bool inClass)
    {
        char c = pattern[i];
        switch (c)
        {
            case 'Q' when !inClass:
                int end = pattern.IndexOf(@"\E", i + 1, StringComparison.Ordinal);
                result.Append(Regex.Escape(end < 0 ? pattern[(i + 1)..] : pattern[(i + 1)..end]));
                return end < 0 ? pattern.Length : end + 2;
            case 'd' or 'w' or 's' or 'D' or 'W' or 'S':
                result.Append(AsciiClass(c, inClass));
                return i + 1;
            case 'z':
                result.Append(@"\z");
                return i + 1;
            case 'C':
                result.Append(@"[\s\S]");
                return i + 1;
            case 'p' or 'P' when i + 1 < pattern.Length && pattern[i + 1] != '{':
                result.Append('\\').Append(c).Append('{').Append(pattern[i + 1]).Append('}');
                return i + 2;
            case 'x' when i + 1 < pattern.Length && pattern[i + 1] == '{':
                int close = pattern.IndexOf('}', i);
                int code = int.Parse(pattern.AsSpan(i + 2, close - i - 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
                result.Append(Regex.Escape(char.ConvertFromUtf32(code)));
                return close + 1;
            default:
                result.Append('\\').Append(c);
                return i + 1;
        }
    }

    private static string AsciiClass(char c, bool inClass)
    {
        string set = char.ToLowerInvariant(c) switch { 'd' => "0-9", 'w' => "0-9A-Za-z_", _ => @"\t\n\f\r\x20" };
        if (char.IsLower(c))
        {
            return inClass ? set : $"[{set}]";
        }
        // Inside a class a negation cannot be spliced in; the Unicode classes of .NET differ only beyond ASCII.
        return inClass ? $"\\{c}" : $"[^{set}]";
    }

    private static int Class(string pattern, int i, StringBuilder result)
    {
        result.Append('[');
        i++;
        if (i < pattern.Length && pattern[i] == '^')
        {
            result.Append('^');
            i++;
        }
        bool first = true;
        while (i < pattern.Length && (pattern[i] != ']' || first))
        {
            first = false;
            if (pattern[i] == '[' && i + 1 < pattern.Length && pattern[i + 1] == ':' && pattern.IndexOf(":]", i, StringComparison.Ordinal) is > 0 and var end)
            {
                string name = pattern[(i + 2)..end];
                result.Append(name.StartsWith('^') ? "" : PosixClasses.GetValueOrDefault(name, ""));
                i = end + 2;
            }
            else if (pattern[i] == '\\' && i + 1 < pattern.Length)
            {
                i = Escape(pattern, i + 1, result, inClass: true);
            }
            else
            {
                // A '[' is a plain character in RE2, but after '-' it would subtract a class in .NET.
                result.Append(pattern[i] is '[' or ']' ? "\\" : "").Append(pattern[i]);
                i++;
            }
        }
        result.Append(']');
        return i + 1;
    }
}
