using System.Globalization;
using System.Text;

namespace OptiInfra.PromQL.Templates;

internal enum TemplateTokenKind
{
    End,
    Text,
    LeftDelimiter,
    RightDelimiter,
    Space,
    Word,
    Field,
    Dot,
    Variable,
    Quoted,
    Character,
    Number,
    LeftParen,
    RightParen,
    Pipe,
    Comma,
    Assign,
    Declare,
    Other,
}

internal readonly record struct TemplateToken(TemplateTokenKind Kind, int Offset, string Text);

/// <summary>A mistake in a template: the parser stops at the first, as Go does.</summary>
internal sealed class TemplateException(int offset, string message) : Exception(message)
{
    public int Offset { get; } = offset;
}

/// <summary>Cuts a Go text/template into tokens. Space inside actions is a token: <c>.a .b</c> is two operands, <c>.a.b</c> one.</summary>
internal sealed class TemplateLexer(string text)
{
    private int position;
    private int parens;
    private bool inAction;
    private bool trimNext;

    public TemplateToken Next()
    {
        if (inAction)
        {
            return Action();
        }
        int start = position;
        int open = text.IndexOf("{{", position, StringComparison.Ordinal);
        string found = open < 0 ? text[position..] : text[position..open];
        if (trimNext)
        {
            found = found.TrimStart(' ', '\t', '\r', '\n');
            trimNext = false;
        }
        if (open < 0)
        {
            position = text.Length;
            return found.Length > 0 ? new TemplateToken(TemplateTokenKind.Text, start, found) : new TemplateToken(TemplateTokenKind.End, start, "");
        }
        bool trim = open + 3 < text.Length && text[open + 2] == '-' && IsSpace(text[open + 3]);
        if (trim)
        {
            found = found.TrimEnd(' ', '\t', '\r', '\n');
        }
        if (found.Length > 0)
        {
            // The delimiter is read by the next call; what was trimmed must not come back.
            position = open;
            return new TemplateToken(TemplateTokenKind.Text, start, found);
        }
        position = open + (trim ? 3 : 2);
        int comment = trim ? position + 1 : position;
        if (string.CompareOrdinal(text, comment, "/*", 0, 2) == 0)
        {
            SkipComment(comment);
            return Next();
        }
        inAction = true;
        parens = 0;
        return new TemplateToken(TemplateTokenKind.LeftDelimiter, open, "{{");
    }

    private void SkipComment(int start)
    {
        int end = text.IndexOf("*/", start, StringComparison.Ordinal);
        if (end < 0)
        {
            throw new TemplateException(start, "unclosed comment");
        }
        position = end + 2;
        if (!AtRightDelimiter(out int length))
        {
            throw new TemplateException(start, "comment ends before closing delimiter");
        }
        trimNext = length > 2;
        position += length;
    }

    private bool AtRightDelimiter(out int length)
    {
        length = 0;
        if (string.CompareOrdinal(text, position, "}}", 0, 2) == 0)
        {
            length = 2;
        }
        else if (position < text.Length && IsSpace(text[position]) && string.CompareOrdinal(text, position + 1, "-}}", 0, 3) == 0)
        {
            length = 4;
        }
        return length > 0;
    }

    private TemplateToken Action()
    {
        int start = position;
        if (AtRightDelimiter(out int length))
        {
            if (parens > 0)
            {
                throw new TemplateException(start, "unclosed left paren");
            }
            position += length;
            trimNext = length > 2;
            inAction = false;
            return new TemplateToken(TemplateTokenKind.RightDelimiter, start, "}}");
        }
        if (position >= text.Length)
        {
            throw new TemplateException(start, "unclosed action");
        }
        char c = text[position];
        if (IsSpace(c))
        {
            while (position < text.Length && IsSpace(text[position]) && !AtRightDelimiter(out _))
            {
                position++;
            }
            return new TemplateToken(TemplateTokenKind.Space, start, " ");
        }
        switch (c)
        {
            case '"' or '\'':
                return QuotedText(c);
            case '`':
                int end = text.IndexOf('`', position + 1);
                position = end < 0 ? throw new TemplateException(start, "unterminated raw quoted string") : end + 1;
                return new TemplateToken(TemplateTokenKind.Quoted, start, text[start..position]);
            case '$':
                position++;
                return Word(start, TemplateTokenKind.Variable);
            case '.' when position + 1 >= text.Length || !char.IsAsciiDigit(text[position + 1]):
                position++;
                return position < text.Length && IsAlphanumeric(text[position])
                    ? Word(start, TemplateTokenKind.Field)
                    : new TemplateToken(TemplateTokenKind.Dot, start, ".");
            case '+' or '-' or '.' or (>= '0' and <= '9'):
                return Number();
        }
        return IsAlphanumeric(c) ? Word(start, TemplateTokenKind.Word) : Punctuation(c);
    }

    private TemplateToken Punctuation(char c)
    {
        int start = position++;
        switch (c)
        {
            case '=':
                return new TemplateToken(TemplateTokenKind.Assign, start, "=");
            case ':':
                if (position >= text.Length || text[position++] != '=')
                {
                    throw new TemplateException(start, "expected :=");
                }
                return new TemplateToken(TemplateTokenKind.Declare, start, ":=");
            case '|':
                return new TemplateToken(TemplateTokenKind.Pipe, start, "|");
            case ',':
                return new TemplateToken(TemplateTokenKind.Comma, start, ",");
            case '(':
                parens++;
                return new TemplateToken(TemplateTokenKind.LeftParen, start, "(");
            case ')':
                return --parens < 0
                    ? throw new TemplateException(start, "unexpected right paren")
                    : new TemplateToken(TemplateTokenKind.RightParen, start, ")");
            case > ' ' and < '\x7f':
                return new TemplateToken(TemplateTokenKind.Other, start, c.ToString());
            default:
                throw new TemplateException(start, $"unrecognized character in action: U+{(int)c:X4}");
        }
    }

    private TemplateToken Word(int start, TemplateTokenKind kind)
    {
        while (position < text.Length && IsAlphanumeric(text[position]))
        {
            position++;
        }
        if (!AtTerminator())
        {
            throw new TemplateException(position, $"bad character '{text[position]}'");
        }
        return new TemplateToken(kind, start, text[start..position]);
    }

    private bool AtTerminator() => position >= text.Length || IsSpace(text[position]) || ".,|:)(".Contains(text[position], StringComparison.Ordinal)
        || AtRightDelimiter(out _);

    private TemplateToken QuotedText(char quote)
    {
        int start = position++;
        while (true)
        {
            if (position >= text.Length || text[position] == '\n')
            {
                throw new TemplateException(start, quote == '"' ? "unterminated quoted string" : "unterminated character constant");
            }
            char c = text[position++];
            if (c == '\\' && position < text.Length && text[position] != '\n')
            {
                position++;
            }
            else if (c == quote)
            {
                return new TemplateToken(quote == '"' ? TemplateTokenKind.Quoted : TemplateTokenKind.Character, start, text[start..position]);
            }
        }
    }

    private TemplateToken Number()
    {
        int start = position;
        SkipOne("+-");
        string digits = "0123456789_";
        if (SkipOne("0"))
        {
            digits = SkipOne("xX") ? "0123456789abcdefABCDEF_" : SkipOne("oO") ? "01234567_" : SkipOne("bB") ? "01_" : digits;
        }
        SkipRun(digits);
        if (SkipOne("."))
        {
            SkipRun(digits);
        }
        if ((digits.Length == 11 && SkipOne("eE")) || (digits.Length == 23 && SkipOne("pP")))
        {
            SkipOne("+-");
            SkipRun("0123456789_");
        }
        SkipOne("i");
        if (position < text.Length && IsAlphanumeric(text[position]))
        {
            throw new TemplateException(start, $"bad number syntax: \"{text[start..(position + 1)]}\"");
        }
        return new TemplateToken(TemplateTokenKind.Number, start, text[start..position]);
    }

    private bool SkipOne(string valid)
    {
        if (position < text.Length && valid.Contains(text[position], StringComparison.Ordinal))
        {
            position++;
            return true;
        }
        return false;
    }

    private void SkipRun(string valid)
    {
        while (SkipOne(valid))
        {
        }
    }

    private static bool IsSpace(char c) => c is ' ' or '\t' or '\r' or '\n';

    private static bool IsAlphanumeric(char c) => c == '_' || char.IsLetter(c) || char.GetUnicodeCategory(c) == UnicodeCategory.DecimalDigitNumber;

    /// <summary>The value of a Go string or character literal, or null when an escape in it is wrong.</summary>
    public static string? Unquote(string literal)
    {
        if (literal[0] == '`')
        {
            return literal[1..^1].Replace("\r", "", StringComparison.Ordinal);
        }
        var value = new StringBuilder();
        for (int i = 1; i < literal.Length - 1; i++)
        {
            if (literal[i] != '\\')
            {
                value.Append(literal[i]);
                continue;
            }
            int consumed = Escape(literal.AsSpan(i + 1, literal.Length - i - 2), literal[0], value);
            if (consumed == 0)
            {
                return null;
            }
            i += consumed;
        }
        return value.ToString();
    }

    private static int Escape(ReadOnlySpan<char> rest, char quote, StringBuilder value)
    {
        if (rest.IsEmpty)
        {
            return 0;
        }
        int named = "abtnvfr".IndexOf(rest[0], StringComparison.Ordinal);
        if (named >= 0 || rest[0] == '\\' || rest[0] == quote)
        {
            value.Append(named >= 0 ? (char)(7 + named) : rest[0]);
            return 1;
        }
        int digits = rest[0] switch { 'x' => 2, 'u' => 4, 'U' => 8, >= '0' and <= '7' => 3, _ => 0 };
        int prefix = digits == 3 ? 0 : 1;
        if (digits == 0 || rest.Length < digits + prefix)
        {
            return 0;
        }
        int code = 0;
        foreach (char c in rest.Slice(prefix, digits))
        {
            int radix = digits == 3 ? 8 : 16;
            int digit = char.IsAsciiHexDigit(c) ? Convert.ToInt32(c.ToString(), 16) : 16;
            if (digit >= radix || code > 0x10FFFF)
            {
                return 0;
            }
            code = (code * radix) + digit;
        }
        if (!Rune.IsValid(code) || (digits == 3 && code > 255))
        {
            return 0;
        }
        value.Append(new Rune(code).ToString());
        return digits + prefix;
    }
}
