using System.Globalization;
using System.Text;

namespace OptiInfra.PromQL.Data;

/// <summary>Floats as Go prints them, digit for digit: they end up in label values and annotations.</summary>
internal static class GoNumber
{
    /// <summary>Go's <c>%v</c>: the fewest digits that read back the same, with an exponent from 1e+06 on and below 1e-04.</summary>
    public static string Format(double value) => Special(value) ?? General(value, ShortestDigits(value), 6);

    /// <summary>Go's <c>'f', -1</c>: never an exponent.</summary>
    public static string FormatPlain(double value) => Special(value) ?? Sign(value) + Positional(ShortestDigits(value));

    /// <summary>Go's <c>%.4g</c> and the like.</summary>
    public static string FormatG(double value, int precision) =>
        Special(value) ?? General(value, RoundedDigits(value, precision), precision);

    /// <summary>Go's <c>%.2f</c> and the like.</summary>
    public static string FormatFixed(double value, int decimals) =>
        Special(value) ?? value.ToString("F" + decimals.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    /// <summary>Go's <c>%e</c> with the given decimals, or the fewest that are exact when null.</summary>
    public static string FormatE(double value, int? decimals)
    {
        if (Special(value) is { } special)
        {
            return special;
        }
        (string digits, int point) = decimals is null ? ShortestDigits(value) : RoundedDigits(value, decimals.Value + 1);
        if (decimals is not null)
        {
            digits = digits.PadRight(decimals.Value + 1, '0');
        }
        return Sign(value) + Scientific(digits, value == 0 ? 0 : point - 1);
    }

    private static string? Special(double value) =>
        double.IsNaN(value) ? "NaN" : double.IsPositiveInfinity(value) ? "+Inf" : double.IsNegativeInfinity(value) ? "-Inf" : null;

    private static string Sign(double value) => double.IsNegative(value) ? "-" : "";

    private static string General(double value, (string Digits, int Point) number, int exponentFrom)
    {
        int exponent = value == 0 ? 0 : number.Point - 1;
        return Sign(value) + (exponent < -4 || exponent >= exponentFrom ? Scientific(number.Digits, exponent) : Positional(number));
    }

    private static string Scientific(string digits, int exponent)
    {
        var text = new StringBuilder().Append(digits[0]);
        if (digits.Length > 1)
        {
            text.Append('.').Append(digits, 1, digits.Length - 1);
        }
        return text.Append(CultureInfo.InvariantCulture, $"e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}").ToString();
    }

    private static string Positional((string Digits, int Point) number)
    {
        (string digits, int point) = number;
        if (point <= 0)
        {
            return digits == "0" ? "0" : "0." + new string('0', -point) + digits;
        }
        return digits.Length <= point ? digits.PadRight(point, '0') : digits[..point] + "." + digits[point..];
    }

    /// <summary>Significant digits without trailing zeros, and where the point stands: 0.d1d2… × 10^Point.</summary>
    private static (string Digits, int Point) ShortestDigits(double value) =>
        Split(Math.Abs(value).ToString("R", CultureInfo.InvariantCulture));

    private static (string Digits, int Point) RoundedDigits(double value, int precision) =>
        Split(Math.Abs(value).ToString("E" + (precision - 1).ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture));

    private static (string Digits, int Point) Split(string text)
    {
        int e = text.IndexOf('E', StringComparison.Ordinal);
        string mantissa = e < 0 ? text : text[..e];
        int exponent = e < 0 ? 0 : int.Parse(text.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        int dot = mantissa.IndexOf('.', StringComparison.Ordinal);
        int whole = dot < 0 ? mantissa.Length : dot;
        string digits = mantissa.Replace(".", "", StringComparison.Ordinal);
        string significant = digits.TrimStart('0');
        int point = whole + exponent - (digits.Length - significant.Length);
        significant = significant.TrimEnd('0');
        return significant.Length == 0 ? ("0", 1) : (significant, point);
    }
}
