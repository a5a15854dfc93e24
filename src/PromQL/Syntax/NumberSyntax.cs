using System.Globalization;

namespace OptiInfra.PromQL.Syntax;

/// <summary>
/// Numbers as Go reads them, which is how Prometheus does: first as an integer with an optional base prefix (a leading zero is
/// octal, <c>089</c> is not), then as a decimal number. Hexadecimal fractions need an exponent that the lexer never lets through.
/// </summary>
internal static class NumberSyntax
{
    /// <summary>Reads a number token; false when it is out of range or no number after all.</summary>
    public static bool TryParse(ReadOnlySpan<byte> token, out double value)
    {
        Span<char> digits = token.Length <= 64 ? stackalloc char[token.Length] : new char[token.Length];
        int length = 0;
        bool underscores = false;
        foreach (byte b in token)
        {
            if (b == '_')
            {
                underscores = true;
            }
            else
            {
                digits[length++] = (char)b;
            }
        }
        digits = digits[..length];
        value = 0;
        if (underscores && !UnderscoresSeparateDigits(token))
        {
            return false;
        }
        if (digits.Equals("inf", StringComparison.OrdinalIgnoreCase))
        {
            value = double.PositiveInfinity;
            return true;
        }
        if (digits.Equals("nan", StringComparison.OrdinalIgnoreCase))
        {
            value = double.NaN;
            return true;
        }
        if (TryInteger(digits, out long integer))
        {
            value = integer;
            return true;
        }
        const NumberStyles style = NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        return double.TryParse(digits, style, CultureInfo.InvariantCulture, out value) && double.IsFinite(value);
    }

    private static bool TryInteger(ReadOnlySpan<char> digits, out long value)
    {
        if (digits.Length > 1 && digits[0] == '0' && digits[1] is 'x' or 'X')
        {
            return long.TryParse(digits[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value) && value >= 0;
        }
        if (digits.Length > 1 && digits[0] == '0')
        {
            return TryOctal(digits, out value);
        }
        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out value);
    }

    private static bool TryOctal(ReadOnlySpan<char> digits, out long value)
    {
        value = 0;
        foreach (char c in digits)
        {
            if (c is < '0' or > '7' || value > long.MaxValue >> 3)
            {
                return false;
            }
            value = (value << 3) | (uint)(c - '0');
        }
        return true;
    }

    /// <summary>An underscore may stand between digits, or between a base prefix and a digit, and nowhere else.</summary>
    private static bool UnderscoresSeparateDigits(ReadOnlySpan<byte> token)
    {
        bool hex = token.Length > 2 && token[0] == '0' && token[1] is (byte)'x' or (byte)'X';
        bool afterDigit = false, afterUnderscore = false;
        for (int i = 0; i < token.Length; i++)
        {
            byte b = token[i];
            bool digit = char.IsAsciiDigit((char)b) || (hex && (i == 1 || char.IsAsciiHexDigit((char)b)));
            if (b == '_' ? !afterDigit : afterUnderscore && !digit)
            {
                return false;
            }
            afterUnderscore = b == '_';
            afterDigit = digit;
        }
        return !afterUnderscore;
    }
}
