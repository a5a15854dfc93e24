using System.Collections.Immutable;
using System.Text;
using System.Text.RegularExpressions;
using OptiInfra.PromQL.Syntax;

namespace OptiInfra.PromQL.Alerting;

/// <summary>
/// Alertmanager's label matchers (<c>severity="critical"</c>, <c>{a=~"x.*",b!=y}</c>). Since 0.27 a text is read by the UTF-8 parser, and
/// by the classic one where that fails; a text is wrong only when both refuse it. Where both accept it, the classic reading holds.
/// </summary>
public static partial class AlertMatchers
{
    /// <summary>The matchers of one text, or what is wrong with it.</summary>
    public static (ImmutableArray<LabelMatcher> Matchers, string? Error) Parse(string text)
    {
        (ImmutableArray<LabelMatcher> matchers, string? error) modern = new Utf8Parser(text).Parse();
        (ImmutableArray<LabelMatcher> matchers, string? error) classic = ParseClassic(text);
        return classic.error is null ? classic : modern.error is null ? modern : classic;
    }

    private static (ImmutableArray<LabelMatcher> Matchers, string? Error) ParseClassic(string text)
    {
        string inner = text.StartsWith('{') ? text[1..] : text;
        inner = inner.EndsWith('}') ? inner[..^1] : inner;
        var matchers = ImmutableArray.CreateBuilder<LabelMatcher>();
        foreach (string part in SplitOutsideQuotes(inner))
        {
            (LabelMatcher? matcher, string? error) = ClassicMatcher(part);
            if (matcher is null)
            {
                return ([], error);
            }
            matchers.Add(matcher);
        }
        return (matchers.ToImmutable(), null);
    }

    private static List<string> SplitOutsideQuotes(string text)
    {
        var parts = new List<string>();
        var part = new StringBuilder();
        bool quoted = false, escaped = false;
        foreach (char c in text)
        {
            switch (c)
            {
                case ',' when !quoted:
                    parts.Add(part.ToString());
                    part.Clear();
                    continue;
                case '"':
                    quoted = escaped ? quoted : !quoted;
                    escaped = false;
                    break;
                case '\\':
                    escaped = !escaped;
                    break;
                default:
                    escaped = false;
                    break;
            }
            part.Append(c);
        }
        if (part.ToString().Trim() is { Length: > 0 } last)
        {
            parts.Add(last);
        }
        return parts;
    }

    private static (LabelMatcher? Matcher, string? Error) ClassicMatcher(string text)
    {
        Match match = ClassicForm().Match(text);
        if (!match.Success)
        {
            return (null, $"bad matcher format: {text}");
        }
        string raw = match.Groups[3].Value;
        bool quoted = raw.StartsWith('"');
        ReadOnlySpan<char> body = quoted ? raw.AsSpan(1) : raw;
        var value = new StringBuilder();
        bool closed = !quoted;
        for (int i = 0; i < body.Length; i++)
        {
            if (body[i] == '\\' && i < body.Length - 1)
            {
                i++;
                value.Append(body[i] switch { 'n' => "\n", '"' => "\"", '\\' => "\\", var other => "\\" + other });
            }
            else if (body[i] == '"')
            {
                if (closed || i < body.Length - 1)
                {
                    return (null, $"matcher value contains unescaped double quote: {raw}");
                }
                closed = true;
            }
            else
            {
                value.Append(body[i]);
            }
        }
        return closed ? Create(match.Groups[1].Value, match.Groups[2].Value, value.ToString()) : (null, $"matcher value contains unescaped double quote: {raw}");
    }

    internal static (LabelMatcher? Matcher, string? Error) Create(string name, string op, string value)
    {
        MatchOp kind = op switch { "=" => MatchOp.Equal, "!=" => MatchOp.NotEqual, "=~" => MatchOp.Regex, _ => MatchOp.NotRegex };
        string? error = kind is MatchOp.Regex or MatchOp.NotRegex ? RegexError(value) : null;
        return error is null ? (new LabelMatcher(default, name, kind, value), null) : (null, error);
    }

    /// <summary>What is wrong with a pattern once it is anchored as Alertmanager anchors it.</summary>
    internal static string? RegexError(string pattern) => RegexSyntax.Check($"^(?:{pattern})$").Error;

    [GeneratedRegex("""^\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|=|!=|!~)\s*((?s:.*?))\s*$""")]
    private static partial Regex ClassicForm();

    /// <summary>The UTF-8 parser: names and values are quoted, or any run of characters that are not reserved.</summary>
    private ref struct Utf8Parser(string text)
    {
        private readonly string text = text;
        private int position;

        public (ImmutableArray<LabelMatcher> Matchers, string? Error) Parse()
        {
            var matchers = ImmutableArray.CreateBuilder<LabelMatcher>();
            bool braces = Take() is "{" || Rewind();
            string? token = Peek();
            while (token is not null and not "}")
            {
                (LabelMatcher? matcher, string? error) = Matcher();
                if (matcher is null)
                {
                    return ([], error);
                }
                matchers.Add(matcher);
                token = Peek();
                if (token == ",")
                {
                    Take();
                    token = Peek();
                }
                else if (token is not null and not "}")
                {
                    return ([], $"expected a comma or close brace: {text}");
                }
            }
            if (braces != (token == "}"))
            {
                return ([], braces ? $"expected close brace: {text}" : $"unexpected close brace: {text}");
            }
            if (braces)
            {
                Take();
            }
            return Peek() is null ? (matchers.ToImmutable(), null) : ([], $"unexpected text at the end: {text}");
        }

        private (LabelMatcher? Matcher, string? Error) Matcher()
        {
            string? name = Operand(Take());
            string? op = Take();
            if (name is null || op is not ("=" or "!=" or "=~" or "!~"))
            {
                return (null, $"expected a label name and an operator: {text}");
            }
            return Operand(Take()) is { } value ? Create(name, op, value) : (null, $"expected a label value: {text}");
        }

        /// <summary>The text of a name or value; null when the token is neither, or its escapes are wrong.</summary>
        private static string? Operand(string? token)
        {
            if (token is null || token is "{" or "}" or "," or "=" or "!=" or "=~" or "!~" || token.StartsWith('\0'))
            {
                return null;
            }
            if (token[0] != '"')
            {
                return token;
            }
            byte[] bytes = Encoding.UTF8.GetBytes(token);
            for (int i = 1; i < bytes.Length - 1;)
            {
                if (bytes[i++] == '\\' && StringSyntax.SkipEscape(bytes, ref i, (byte)'"') is not null)
                {
                    return null;
                }
            }
            return token.Contains('\n', StringComparison.Ordinal) ? null : StringSyntax.Unquote(bytes);
        }

        private bool Rewind()
        {
            position = 0;
            return false;
        }

        private string? Peek()
        {
            int before = position;
            string? token = Take();
            position = before;
            return token;
        }

        /// <summary>The next token; null at the end; something that begins with NUL when there is none.</summary>
        private string? Take()
        {
            while (position < text.Length && char.IsWhiteSpace(text[position]))
            {
                position++;
            }
            if (position >= text.Length)
            {
                return null;
            }
            int start = position++;
            switch (text[start])
            {
                case '{' or '}' or ',':
                    break;
                case '=':
                    position += position < text.Length && text[position] == '~' ? 1 : 0;
                    break;
                case '!':
                    if (position >= text.Length || text[position] is not ('=' or '~'))
                    {
                        return "\0";
                    }
                    position++;
                    break;
                case '"':
                    return Quoted(start);
                case '\\' or '\'' or '`' or '~':
                    return "\0";
                default:
                    while (position < text.Length && !char.IsWhiteSpace(text[position]) && !"{}!=~,\\\"'`".Contains(text[position], StringComparison.Ordinal))
                    {
                        position++;
                    }
                    break;
            }
            return text[start..position];
        }

        private string Quoted(int start)
        {
            for (bool escaped = false; position < text.Length; position++)
            {
                if (!escaped && text[position] == '"')
                {
                    return text[start..++position];
                }
                escaped = !escaped && text[position] == '\\';
            }
            return "\0";
        }
    }
}
