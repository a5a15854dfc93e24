using System.Buffers;
using System.Globalization;
using System.Text;

namespace OptiInfra.PromQL.Syntax;

/// <summary>
/// PromQL's string literals: escapes in, quotes out. Strings are bytes; those that are not valid UTF-8 live in a .NET string
/// as lone surrogates U+DC00 + byte (see <see cref="StringLiteral"/>), and are written back as <c>\x</c> escapes.
/// </summary>
public static class StringSyntax
{
    private const int InvalidByteBase = 0xDC00;

    /// <summary>Whether the text holds bytes that are not valid UTF-8.</summary>
    public static bool HasInvalidBytes(ReadOnlySpan<char> text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                i++;
            }
            else if (char.IsSurrogate(text[i]))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>A Go string literal: printable characters as they are, the others escaped. What Prometheus prints.</summary>
    public static string Quote(string text)
    {
        var quoted = new StringBuilder(text.Length + 2).Append('"');
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (c is '"' or '\\')
            {
                quoted.Append('\\').Append(c);
            }
            else if (c is >= ' ' and < '\x7f')
            {
                quoted.Append(c);
            }
            else if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                AppendRune(quoted, new Rune(c, text[++i]));
            }
            else if (char.IsSurrogate(c))
            {
                quoted.Append(CultureInfo.InvariantCulture, $"\\x{c & 0xFF:x2}");
            }
            else
            {
                AppendRune(quoted, new Rune(c));
            }
        }
        return quoted.Append('"').ToString();
    }

    private static void AppendRune(StringBuilder quoted, Rune rune)
    {
        const string named = "abtnvfr";
        if (rune.Value is >= 7 and <= 13)
        {
            quoted.Append('\\').Append(named[rune.Value - 7]);
        }
        else if (IsPrintable(rune))
        {
            quoted.Append(rune.ToString());
        }
        else if (rune.Value < ' ' || rune.Value == 0x7F)
        {
            quoted.Append(CultureInfo.InvariantCulture, $"\\x{rune.Value:x2}");
        }
        else
        {
            quoted.Append(rune.Value < 0x10000 ? "\\u" : "\\U").Append(rune.Value.ToString(rune.Value < 0x10000 ? "x4" : "x8", CultureInfo.InvariantCulture));
        }
    }

    /// <summary>Go's notion of printable: letters, marks, numbers, punctuation, symbols and the ASCII space.</summary>
    private static bool IsPrintable(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
            or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
            or UnicodeCategory.SpaceSeparator => rune.Value == ' ',
        _ => true,
    };

    /// <summary>
    /// Steps over an escape whose backslash has been read. Returns what is wrong with it, or null.
    /// </summary>
    internal static string? SkipEscape(ReadOnlySpan<byte> source, ref int position, byte quote)
    {
        if (position >= source.Length)
        {
            return "escape sequence not terminated";
        }
        byte c = source[position++];
        if (c == quote || "abfnrtv\\".Contains((char)c, StringComparison.Ordinal))
        {
            return null;
        }
        (int digits, uint radix, uint max) = c switch
        {
            >= (byte)'0' and <= (byte)'7' => (3, 8u, 255u),
            (byte)'x' => (2, 16u, 255u),
            (byte)'u' => (4, 16u, 0x10FFFFu),
            (byte)'U' => (8, 16u, 0x10FFFFu),
            _ => (0, 0u, 0u),
        };
        if (digits == 0)
        {
            return "unknown escape sequence";
        }
        if (radix == 8)
        {
            position--;
        }
        uint value = 0;
        for (; digits > 0; digits--)
        {
            if (position >= source.Length)
            {
                return "escape sequence not terminated";
            }
            uint digit = (uint)HexValue(source[position]);
            if (digit >= radix)
            {
                return "illegal character in escape sequence";
            }
            value = (value * radix) + digit;
            position++;
        }
        return value > max || value is >= 0xD800 and < 0xE000 ? "escape sequence is an invalid Unicode code point" : null;
    }

    /// <summary>The value of a literal, quotes included, that the lexer has accepted.</summary>
    internal static string Unquote(ReadOnlySpan<byte> literal)
    {
        byte quote = literal[0];
        ReadOnlySpan<byte> body = literal[1..^1];
        if (quote == '`' || !body.Contains((byte)'\\'))
        {
            return Encoding.UTF8.GetString(body);
        }
        byte[] bytes = ArrayPool<byte>.Shared.Rent(body.Length);
        int length = 0;
        for (int i = 0; i < body.Length;)
        {
            if (body[i] != '\\')
            {
                bytes[length++] = body[i++];
            }
            else
            {
                i++;
                DecodeEscape(body, ref i, bytes, ref length);
            }
        }
        string value = FromBytes(bytes.AsSpan(0, length));
        ArrayPool<byte>.Shared.Return(bytes);
        return value;
    }

    private static void DecodeEscape(ReadOnlySpan<byte> body, ref int i, Span<byte> bytes, ref int length)
    {
        byte c = body[i++];
        int named = "abtnvfr".IndexOf((char)c, StringComparison.Ordinal);
        if (named >= 0)
        {
            bytes[length++] = (byte)(7 + named);
            return;
        }
        int digits = c switch { (byte)'x' => 2, (byte)'u' => 4, (byte)'U' => 8, >= (byte)'0' and <= (byte)'7' => 3, _ => 0 };
        if (digits == 0)
        {
            bytes[length++] = c;
            return;
        }
        int value = 0;
        int radix = 16;
        if (digits == 3)
        {
            i--;
            radix = 8;
        }
        for (; digits > 0; digits--)
        {
            value = (value * radix) + HexValue(body[i++]);
        }
        if (c is (byte)'u' or (byte)'U')
        {
            length += new Rune(value).EncodeToUtf8(bytes[length..]);
        }
        else
        {
            bytes[length++] = (byte)value;
        }
    }

    private static string FromBytes(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(bytes.Length);
        while (!bytes.IsEmpty)
        {
            if (Rune.DecodeFromUtf8(bytes, out Rune rune, out int consumed) == OperationStatus.Done)
            {
                text.Append(rune.ToString());
            }
            else
            {
                consumed = 1;
                text.Append((char)(InvalidByteBase + bytes[0]));
            }
            bytes = bytes[consumed..];
        }
        return text.ToString();
    }

    private static int HexValue(byte c) => c switch
    {
        >= (byte)'0' and <= (byte)'9' => c - '0',
        >= (byte)'a' and <= (byte)'f' => c - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => c - 'A' + 10,
        _ => 16,
    };
}
