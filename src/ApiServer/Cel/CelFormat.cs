using System.Globalization;
using System.Text;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Cel;

/// <summary>The format() method of strings: %s %d %f %e %x %X %o %b and %%, with a precision for %f and %e.</summary>
internal static class CelFormat
{
    public static string Format(string format, CelList arguments)
    {
        var result = new StringBuilder();
        int used = 0;
        for (int i = 0; i < format.Length; i++)
        {
            if (format[i] != '%')
            {
                result.Append(format[i]);
                continue;
            }

            if (++i < format.Length && format[i] == '%')
            {
                result.Append('%');
                continue;
            }

            int precision = Precision(format, ref i);
            if (i >= format.Length)
            {
                throw new CelException("unexpected end of format string");
            }

            if (used >= arguments.Count)
            {
                throw new CelException($"index {used} out of range");
            }

            result.Append(One(format[i], precision, arguments[used++]));
        }

        return result.ToString();
    }

    private static int Precision(string format, ref int i)
    {
        if (i >= format.Length || format[i] != '.')
        {
            return 6;
        }

        int start = ++i;
        while (i < format.Length && char.IsAsciiDigit(format[i]))
        {
            i++;
        }

        return int.TryParse(format.AsSpan(start, i - start), out int precision) ? precision : 6;
    }

    private static string One(char verb, int precision, object? value) => (verb, value) switch
    {
        ('s', _) => Text(value),
        ('d', long or ulong) => CelValue.Text(value),
        ('f', long or ulong or double) => Convert.ToDouble(value, CultureInfo.InvariantCulture).ToString("F" + precision, CultureInfo.InvariantCulture),
        ('e', long or ulong or double) => Exponent(Convert.ToDouble(value, CultureInfo.InvariantCulture), precision),
        ('x' or 'X', long number) => Sign(number) + Math.Abs(number).ToString(verb == 'x' ? "x" : "X", CultureInfo.InvariantCulture),
        ('x' or 'X', string text) => Hex(Encoding.UTF8.GetBytes(text), verb),
        ('x' or 'X', byte[] bytes) => Hex(bytes, verb),
        ('o', long number) => Sign(number) + Convert.ToString(Math.Abs(number), 8),
        ('b', long number) => Sign(number) + Convert.ToString(Math.Abs(number), 2),
        ('b', bool flag) => flag ? "1" : "0",
        _ => throw new CelException($"error during formatting: no formatting function for %{verb}"),
    };

    private static string Sign(long number) => number < 0 ? "-" : "";

    private static string Hex(byte[] bytes, char verb) => verb == 'x' ? Convert.ToHexStringLower(bytes) : Convert.ToHexString(bytes);

    private static string Exponent(double number, int precision)
    {
        string text = number.ToString("e" + precision, CultureInfo.InvariantCulture);
        int mark = text.IndexOf('e', StringComparison.Ordinal);
        return $"{text[..mark]}e{text[mark + 1]}{int.Parse(text.AsSpan(mark + 2), CultureInfo.InvariantCulture):00}";
    }

    private static string Text(object? value) => value switch
    {
        CelList list => "[" + string.Join(", ", list.Items.Select(Element)) + "]",
        CelMap map => "{" + string.Join(", ", map.Keys.Select(key => Element(key) + ": " + Element(map.TryGet(key, out object? entry) ? entry : null)).Order(StringComparer.Ordinal)) + "}",
        _ => CelValue.Text(value),
    };

    private static string Element(object? value) => value is string text ? Json.Quote(text) : Text(value);
}
