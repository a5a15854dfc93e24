using System.Globalization;
using System.Text;

namespace OptiInfra.ApiServer.Cel;

internal enum CelToken
{
    End,
    Identifier,
    Value,
    Symbol,
}

/// <summary>A token: its text for identifiers and symbols, its value for literals.</summary>
internal readonly record struct CelLexeme(CelToken Kind, int At, string Text, object? Value);

/// <summary>Splits an expression into tokens. A mistake ends the list with an issue.</summary>
internal sealed class CelLexer(string source)
{
    private static readonly string[] Symbols = [".?", "[?", "==", "!=", "<=", ">=", "&&", "||", "[", "]", "{", "}", "(", ")", ".", ",", "?", ":", "+", "-", "*", "/", "%", "!", "<", ">"];

    private readonly List<CelLexeme> tokens = [];
    private int at;

    public CelIssue? Issue { get; private set; }

    public List<CelLexeme> Read()
    {
        while (Issue is null && Skip())
        {
            Next();
        }

        tokens.Add(new CelLexeme(CelToken.End, source.Length, "<EOF>", null));
        return tokens;
    }

    // White space and comments.
    private bool Skip()
    {
        while (at < source.Length)
        {
            if (source.AsSpan(at).StartsWith("//"))
            {
                int end = source.IndexOf('\n', at);
                at = end < 0 ? source.Length : end;
            }
            else if (char.IsWhiteSpace(source[at]))
            {
                at++;
            }
            else
            {
                return true;
            }
        }

        return false;
    }

    private void Next()
    {
        char c = source[at];
        int prefix = PrefixLength();
        if (prefix >= 0)
        {
            String(source[at..(at + prefix)].ToLowerInvariant());
        }
        else if (char.IsAsciiLetter(c) || c == '_')
        {
            Word();
        }
        else if (char.IsAsciiDigit(c) || (c == '.' && at + 1 < source.Length && char.IsAsciiDigit(source[at + 1])))
        {
            Number();
        }
        else if (c == '`' && source.IndexOf('`', at + 1) is > 0 and var close)
        {
            tokens.Add(new CelLexeme(CelToken.Identifier, at, source[(at + 1)..close], null));
            at = close + 1;
        }
        else if (Symbols.FirstOrDefault(symbol => string.CompareOrdinal(source, at, symbol, 0, symbol.Length) == 0) is { } found)
        {
            tokens.Add(new CelLexeme(CelToken.Symbol, at, found, null));
            at += found.Length;
        }
        else
        {
            Issue = new CelIssue(at, $"Syntax error: token recognition error at: '{c}'");
        }
    }

    // r, b, rb and br before a quote are part of a string.
    private int PrefixLength()
    {
        for (int length = 0; length <= 2 && at + length < source.Length; length++)
        {
            if (source[at + length] is '"' or '\'')
            {
                return length;
            }

            if (source[at + length] is not ('r' or 'R' or 'b' or 'B'))
            {
                return -1;
            }
        }

        return -1;
    }

    private void Word()
    {
        int start = at;
        while (at < source.Length && (char.IsAsciiLetterOrDigit(source[at]) || source[at] == '_'))
        {
            at++;
        }

        string word = source[start..at];
        tokens.Add(word switch
        {
            "true" or "false" => new CelLexeme(CelToken.Value, start, word, word == "true"),
            "null" => new CelLexeme(CelToken.Value, start, word, null),
            "in" => new CelLexeme(CelToken.Symbol, start, word, null),
            _ => new CelLexeme(CelToken.Identifier, start, word, null),
        });
    }

    private void Number()
    {
        int start = at;
        bool hex = source.AsSpan(at).StartsWith("0x") || source.AsSpan(at).StartsWith("0X");
        at += hex ? 2 : 0;
        while (at < source.Length && (hex ? char.IsAsciiHexDigit(source[at]) : char.IsAsciiDigit(source[at]) || (source[at] == '.' && at + 1 < source.Length && char.IsAsciiDigit(source[at + 1]))
            || (source[at] is 'e' or 'E') || (source[at] is '+' or '-' && source[at - 1] is 'e' or 'E')))
        {
            at++;
        }

        string digits = source[start..at];
        bool unsigned = at < source.Length && source[at] is 'u' or 'U';
        at += unsigned ? 1 : 0;
        object? value = Parse(hex ? digits[2..] : digits, hex, unsigned);
        if (value is null)
        {
            Issue = new CelIssue(start, "invalid number literal");
            return;
        }

        tokens.Add(new CelLexeme(CelToken.Value, start, digits, value));
    }

    private static object? Parse(string digits, bool hex, bool unsigned)
    {
        NumberStyles style = hex ? NumberStyles.AllowHexSpecifier : NumberStyles.None;
        if (!hex && digits.AsSpan().IndexOfAny('.', 'e', 'E') >= 0)
        {
            return double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out double real) ? real : null;
        }

        if (!ulong.TryParse(digits, style, CultureInfo.InvariantCulture, out ulong number))
        {
            return null;
        }

        // 9223372036854775808 only makes sense behind a minus; the parser folds it.
        return unsigned ? number : number <= long.MaxValue ? (long)number : number == (ulong)long.MaxValue + 1 ? long.MinValue : null;
    }

    private void String(string prefix)
    {
        int start = at;
        at += prefix.Length;
        char quote = source[at];
        bool triple = source.AsSpan(at).StartsWith(new string(quote, 3));
        string end = new(quote, triple ? 3 : 1);
        at += end.Length;
        bool raw = prefix.Contains('r');
        bool bytes = prefix.Contains('b');
        var text = new StringBuilder();
        var octets = new List<byte>();
        while (at < source.Length && string.CompareOrdinal(source, at, end, 0, end.Length) != 0)
        {
            if (source[at] == '\n' && !triple)
            {
                break;
            }

            if (source[at] == '\\' && !raw)
            {
                if (!Escape(text, octets, bytes))
                {
                    Issue = new CelIssue(at, "invalid escape sequence in string literal");
                    return;
                }
            }
            else
            {
                text.Append(source[at]);
                octets.AddRange(Encoding.UTF8.GetBytes(source, at, 1));
                at++;
            }
        }

        if (at >= source.Length || source[at] == '\n')
        {
            Issue = new CelIssue(start, $"Syntax error: token recognition error at: '{source[start..at]}'");
            return;
        }

        at += end.Length;
        tokens.Add(new CelLexeme(CelToken.Value, start, source[start..at], bytes ? octets.ToArray() : text.ToString()));
    }

    private bool Escape(StringBuilder text, List<byte> octets, bool bytes)
    {
        if (at + 1 >= source.Length)
        {
            return false;
        }

        char c = source[at + 1];
        int simple = "abfnrtv\\'\"`?".IndexOf(c, StringComparison.Ordinal);
        if (simple >= 0)
        {
            char value = "\a\b\f\n\r\t\v\\'\"`?"[simple];
            text.Append(value);
            octets.Add((byte)value);
            at += 2;
            return true;
        }

        (int length, bool octal) = c switch
        {
            'x' or 'X' => (2, false),
            'u' => (4, false),
            'U' => (8, false),
            >= '0' and <= '3' => (3, true),
            _ => (0, false),
        };
        int start = at + (octal ? 1 : 2);
        if (length == 0 || start + length > source.Length)
        {
            return false;
        }

        string digits = source.Substring(start, length);
        int code = octal ? digits.All(static d => d is >= '0' and <= '7') ? Convert.ToInt32(digits, 8) : -1
            : int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int hex) ? hex : -1;
        if (code < 0 || !Rune.IsValid(code))
        {
            return false;
        }

        text.Append(new Rune(code));
        octets.AddRange(bytes && (octal || length == 2) ? [(byte)code] : Encoding.UTF8.GetBytes(new Rune(code).ToString()));
        at = start + length;
        return true;
    }
}
