using System.Buffers;
using System.Text;
using OptiInfra.PromQL.Text;
using OptiInfra.PromQL.Types;

namespace OptiInfra.PromQL.Syntax;

/// <summary>
/// Cuts UTF-8 text into tokens, one at a time. Prometheus' lexer depends on what came before (inside braces there are no
/// keywords, inside brackets a letter is read as the colon of a subquery, and until 3.0 a bracket must begin with a duration),
/// and its verdict is ours, so the same states are kept here: <see cref="inBraces"/>, <see cref="inBrackets"/>, <see cref="rangeStart"/>.
/// The first mistake ends the tokens: one Error, then only End.
/// </summary>
internal ref struct Lexer(ReadOnlySpan<byte> source, PrometheusVersion version)
{
    private const string Digits = "0123456789";
    private const string HexDigits = "0123456789abcdefABCDEF";

    private readonly ReadOnlySpan<byte> source = source;
    private readonly bool isV3 = version >= PrometheusVersion.V30;
    private readonly bool hasLimitAggregators = version >= new PrometheusVersion(2, 54);
    private int position;
    private int parenDepth;
    private bool inBraces;
    private bool inBrackets;
    private bool gotColon;
    private bool gotDuration;
    private bool rangeStart;
    private bool failed;

    /// <summary>What is wrong, once a token of kind Error has been returned.</summary>
    public string Error { get; private set; } = "";

    public Token Next()
    {
        while (true)
        {
            if (failed)
            {
                return new Token(TokenKind.End, new TextSpan(source.Length, source.Length));
            }
            SkipSpace();
            int start = position;
            if (rangeStart)
            {
                return RangeStart(start);
            }
            if (position < source.Length && source[position] == '#')
            {
                SkipComment();
                continue;
            }
            return inBraces ? InsideBraces(start) : Statement(start);
        }
    }

    private void SkipSpace()
    {
        while (position < source.Length && source[position] is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r')
        {
            position++;
        }
    }

    private void SkipComment()
    {
        int end = source[position..].IndexOfAny((byte)'\n', (byte)'\r');
        position = end < 0 ? source.Length : position + end;
    }

    private Token Statement(int start)
    {
        if (position >= source.Length)
        {
            return parenDepth != 0 ? Fail(start, "unclosed left parenthesis")
                : inBrackets ? Fail(start, "unclosed left bracket")
                : new Token(TokenKind.End, new TextSpan(start, start));
        }
        byte c = source[position++];
        switch (c)
        {
            case (byte)',': return Emit(TokenKind.Comma, start);
            case (byte)'*': return Emit(TokenKind.Mul, start);
            case (byte)'/': return Emit(TokenKind.Div, start);
            case (byte)'%': return Emit(TokenKind.Mod, start);
            case (byte)'+': return Emit(TokenKind.Add, start);
            case (byte)'-': return Emit(TokenKind.Sub, start);
            case (byte)'^': return Emit(TokenKind.Pow, start);
            case (byte)'@': return Emit(TokenKind.At, start);
            case (byte)'=':
                return Accept('=') ? Emit(TokenKind.Equal, start)
                    : Peek() == '~' ? Fail(start, "\"=~\" is only allowed inside braces")
                    : Emit(TokenKind.Assign, start);
            case (byte)'!':
                return Accept('=') ? Emit(TokenKind.NotEqual, start) : Fail(start, "unexpected character after '!', expected \"!=\"");
            case (byte)'<':
                return Emit(Accept('=') ? TokenKind.LessOrEqual : TokenKind.Less, start);
            case (byte)'>':
                return Emit(Accept('=') ? TokenKind.GreaterOrEqual : TokenKind.Greater, start);
            case (byte)'"' or (byte)'\'' or (byte)'`':
                return String(start, c);
            case (byte)'(' or (byte)')' or (byte)'[' or (byte)']' or (byte)'{':
                return Bracket(start, c);
        }
        if (IsDigit(c) || (c == '.' && IsDigit(Peek())))
        {
            position--;
            return NumberOrDuration(start);
        }
        if (!IsAlpha(c) && c != ':')
        {
            position--;
            return Fail(start, $"unexpected character: {Quote(Rune())}");
        }
        if (!inBrackets)
        {
            return Word(start);
        }
        if (gotColon)
        {
            return Fail(start, $"unexpected {Quote(new Rune(c))} after the colon of a subquery");
        }
        gotColon = true;
        return Emit(TokenKind.Colon, start);
    }

    private Token Bracket(int start, byte c)
    {
        switch (c)
        {
            case (byte)'(':
                parenDepth++;
                return Emit(TokenKind.LeftParen, start);
            case (byte)')':
                return --parenDepth < 0 ? Fail(start, "unexpected right parenthesis ')'") : Emit(TokenKind.RightParen, start);
            case (byte)'{':
                inBraces = true;
                return Emit(TokenKind.LeftBrace, start);
            case (byte)'[':
                if (inBrackets)
                {
                    return Fail(start, "unexpected left bracket '['");
                }
                inBrackets = true;
                gotColon = false;
                rangeStart = true;
                return Emit(TokenKind.LeftBracket, start);
            default:
                if (!inBrackets)
                {
                    return Fail(start, "unexpected right bracket ']'");
                }
                inBrackets = false;
                return Emit(TokenKind.RightBracket, start);
        }
    }

    /// <summary>Right after "[": one duration before Prometheus 3.0, since then arithmetic up to and including the first number.</summary>
    private Token RangeStart(int start)
    {
        if (!isV3)
        {
            rangeStart = false;
            return ScanNumber() ? Fail(start, "missing unit character in duration")
                : ScanDurationRest() ? Emit(TokenKind.Duration, start)
                : Fail(start, $"bad duration syntax: \"{Slice(start)}\"");
        }
        if (position >= source.Length)
        {
            return Fail(start, "unexpected end of input in duration expression");
        }
        byte c = source[position++];
        switch (c)
        {
            case (byte)']':
                rangeStart = false;
                inBrackets = false;
                gotColon = false;
                return Emit(TokenKind.RightBracket, start);
            case (byte)':':
                if (!gotDuration || gotColon)
                {
                    return Fail(start, "unexpected colon in duration expression");
                }
                gotColon = true;
                return Emit(TokenKind.Colon, start);
            case (byte)'(' or (byte)')':
                return Bracket(start, c);
            case (byte)'+': return Emit(TokenKind.Add, start);
            case (byte)'-': return Emit(TokenKind.Sub, start);
            case (byte)'*': return Emit(TokenKind.Mul, start);
            case (byte)'/': return Emit(TokenKind.Div, start);
            case (byte)'%': return Emit(TokenKind.Mod, start);
            case (byte)'^': return Emit(TokenKind.Pow, start);
        }
        position--;
        if (IsDigit(c) || (c == '.' && position + 1 < source.Length && IsDigit(source[position + 1])))
        {
            gotDuration = true;
            rangeStart = false;
            return NumberOrDuration(start);
        }
        return Fail(start, $"unexpected character in duration expression: {Quote(Rune())}");
    }

    private Token InsideBraces(int start)
    {
        if (position >= source.Length)
        {
            return Fail(start, "unexpected end of input inside braces");
        }
        byte c = source[position++];
        switch (c)
        {
            case (byte)',':
                return Emit(TokenKind.Comma, start);
            case (byte)'"' or (byte)'\'' or (byte)'`':
                return String(start, c);
            case (byte)'=':
                return Emit(Accept('~') ? TokenKind.MatchRegex : TokenKind.Assign, start);
            case (byte)'!':
                return Accept('~') ? Emit(TokenKind.MatchNotRegex, start)
                    : Accept('=') ? Emit(TokenKind.NotEqual, start)
                    : Fail(start, "unexpected character after '!' inside braces");
            case (byte)'{':
                return Fail(start, "unexpected left brace '{'");
            case (byte)'}':
                inBraces = false;
                return Emit(TokenKind.RightBrace, start);
        }
        if (IsAlpha(c))
        {
            SkipWord(colons: false);
            return Emit(TokenKind.Identifier, start);
        }
        position--;
        return Fail(start, $"unexpected character inside braces: {Quote(Rune())}");
    }

    private Token Word(int start)
    {
        SkipWord(colons: true);
        ReadOnlySpan<byte> word = source[start..position];
        TokenKind kind = Keywords.Find(word);
        if (kind is TokenKind.Limitk or TokenKind.LimitRatio && !hasLimitAggregators)
        {
            kind = TokenKind.Identifier;
        }
        return Emit(kind == TokenKind.Identifier && word.Contains((byte)':') ? TokenKind.MetricIdentifier : kind, start);
    }

    private void SkipWord(bool colons)
    {
        while (position < source.Length && (IsAlphaNumeric(source[position]) || (colons && source[position] == ':')))
        {
            position++;
        }
    }

    private Token NumberOrDuration(int start) =>
        ScanNumber() ? Emit(TokenKind.Number, start)
        : ScanDurationRest() ? Emit(TokenKind.Duration, start)
        : Fail(start, $"bad number or duration syntax: \"{Slice(start)}\"");

    /// <summary>The unit after a number, and further number-unit pairs. Order and spelling of the units are checked when the value is read.</summary>
    private bool ScanDurationRest()
    {
        if (!AcceptAny("smhdwy"))
        {
            return false;
        }
        Accept('s');
        while (AcceptAny(Digits))
        {
            AcceptRun(Digits);
            if (!AcceptAny("smhdw"))
            {
                return false;
            }
            Accept('s');
        }
        return !IsAlphaNumeric(Peek());
    }

    private bool ScanNumber() => isV3 ? ScanNumberV3() : ScanNumberV2();

    private bool ScanNumberV2()
    {
        string digits = Digits;
        if (Accept('0') && AcceptAny("xX"))
        {
            digits = HexDigits;
        }
        AcceptRun(digits);
        if (Accept('.'))
        {
            AcceptRun(digits);
        }
        if (AcceptAny("eE"))
        {
            AcceptAny("+-");
            AcceptRun(Digits);
        }
        return !IsAlphaNumeric(Peek());
    }

    /// <summary>
    /// Since 3.0: digit separators, and the oddities that come with how they are read: in a hexadecimal number every "e" but one
    /// directly after the prefix counts as an exponent, of which there may be only one, and none at the very end.
    /// </summary>
    private bool ScanNumberV3()
    {
        int start = position;
        bool hex = Accept('0') && AcceptAny("xX");
        string digits = hex ? HexDigits : Digits;
        if (hex)
        {
            Accept('_');
        }
        Accept('.');
        AcceptAny(digits);
        bool dot = false, exponent = false;
        while (true)
        {
            int next = Peek();
            if (next == '.')
            {
                position++;
                if (dot || AcceptAny("_.") || hex)
                {
                    return false;
                }
                dot = true;
            }
            else if (next is 'e' or 'E')
            {
                position++;
                if (exponent)
                {
                    return false;
                }
                exponent = true;
                AcceptAny("+-");
                if (AcceptAny("._eE") || Peek() < 0)
                {
                    return false;
                }
            }
            else if (next == '_')
            {
                position++;
                if (AcceptAny("._eE") || Peek() < 0)
                {
                    return false;
                }
            }
            else if (next >= 0 && digits.Contains((char)next, StringComparison.Ordinal))
            {
                AcceptRun(digits);
            }
            else
            {
                break;
            }
        }
        return position > start && !IsAlphaNumeric(Peek());
    }

    private Token String(int start, byte quote)
    {
        while (true)
        {
            if (position >= source.Length)
            {
                return Fail(start, quote == '`' ? "unterminated raw string" : "unterminated quoted string");
            }
            byte c = source[position];
            if (c < 0x80)
            {
                position++;
                if (c == quote)
                {
                    return Emit(TokenKind.String, start);
                }
                if (quote == '`')
                {
                    continue;
                }
                if (c == '\n')
                {
                    return Fail(start, "unterminated quoted string");
                }
                if (c == '\\' && StringSyntax.SkipEscape(source, ref position, quote) is { } error)
                {
                    return Fail(start, error);
                }
                continue;
            }
            // The replacement character itself is refused too: Prometheus cannot tell it from a decoding error.
            if (System.Text.Rune.DecodeFromUtf8(source[position..], out Rune rune, out int length) != OperationStatus.Done
                || rune == System.Text.Rune.ReplacementChar)
            {
                return Fail(start, "invalid UTF-8 rune");
            }
            position += length;
        }
    }

    private readonly Token Emit(TokenKind kind, int start) => new(kind, new TextSpan(start, position));

    private Token Fail(int start, string message)
    {
        failed = true;
        Error = message;
        return new Token(TokenKind.Error, new TextSpan(start, source.Length));
    }

    private readonly int Peek() => position < source.Length ? source[position] : -1;

    private bool Accept(char c)
    {
        if (Peek() != c)
        {
            return false;
        }
        position++;
        return true;
    }

    private bool AcceptAny(string valid)
    {
        if (Peek() is not (>= 0 and < 0x80) || !valid.Contains((char)source[position], StringComparison.Ordinal))
        {
            return false;
        }
        position++;
        return true;
    }

    private void AcceptRun(string valid)
    {
        while (AcceptAny(valid))
        {
        }
    }

    private readonly Rune Rune()
    {
        System.Text.Rune.DecodeFromUtf8(source[position..], out Rune rune, out _);
        return rune;
    }

    private readonly string Slice(int start) => Encoding.UTF8.GetString(source[start..position]);

    private static string Quote(Rune rune) => System.Text.Rune.IsControl(rune) ? $"U+{rune.Value:X4}" : $"'{rune}'";

    private static bool IsDigit(int c) => c is >= '0' and <= '9';

    private static bool IsAlpha(int c) => c is (>= 'a' and <= 'z') or (>= 'A' and <= 'Z') or '_';

    private static bool IsAlphaNumeric(int c) => IsAlpha(c) || IsDigit(c);
}
