using System.Buffers.Text;
using System.Globalization;

namespace OptiInfra.Metrics.Exposition;

/// <summary>
/// Numbers as Prometheus and OpenMetrics write them: the shortest digits that read back the same, <c>1e+06</c>, <c>+Inf</c>, <c>NaN</c>.
/// In OpenMetrics a float always shows that it is one (<c>1.0</c>).
/// </summary>
internal static class NumberText
{
    /// <summary>No number takes more bytes.</summary>
    public const int MaxLength = 32;

    /// <summary>Below this, a whole double is written through the much faster integer path, digit for digit.</summary>
    private const double WholeLimit = 1e15;

    public static int Write(Span<byte> output, long value)
    {
        Utf8Formatter.TryFormat(value, output, out int written);
        return written;
    }

    public static int Write(Span<byte> output, double value, bool asFloat)
    {
        long whole = (long)value;
        int written;
        if (whole == value && Math.Abs(value) < WholeLimit && (whole != 0 || !double.IsNegative(value)))
        {
            Utf8Formatter.TryFormat(whole, output, out written);
            if (asFloat)
            {
                ".0"u8.CopyTo(output[written..]);
                written += 2;
            }

            return written;
        }

        if (!double.IsFinite(value))
        {
            ReadOnlySpan<byte> name = double.IsNaN(value) ? "NaN"u8 : value > 0 ? "+Inf"u8 : "-Inf"u8;
            name.CopyTo(output);
            return name.Length;
        }

        value.TryFormat(output, out written, default, CultureInfo.InvariantCulture);
        int exponent = output[..written].IndexOf((byte)'E');
        if (exponent >= 0)
        {
            output[exponent] = (byte)'e';
        }
        else if (asFloat && !output[..written].Contains((byte)'.'))
        {
            ".0"u8.CopyTo(output[written..]);
            written += 2;
        }

        return written;
    }

    /// <summary>
    /// A bucket bound or quantile in the canonical form, which is part of the series' identity: exponents from 1e+06 up and
    /// below 1e-04, as Go's %g does it; OpenMetrics adds <c>.0</c> to whole numbers.
    /// </summary>
    public static string Bound(double value, bool asFloat)
    {
        if (!double.IsFinite(value))
        {
            return value > 0 ? "+Inf" : "-Inf";
        }

        if (value == 0)
        {
            return asFloat ? "0.0" : "0";
        }

        // Sixteen digits after the point show every shortest form; the digits themselves come from the shortest one.
        (string digits, int exponent) = ShortestDigits(value);
        string sign = value < 0 ? "-" : "";
        if (exponent is < -4 or >= 6)
        {
            string mantissa = digits.Length > 1 ? $"{digits[0]}.{digits[1..]}" : digits;
            return $"{sign}{mantissa}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
        }

        if (exponent < 0)
        {
            return $"{sign}0.{new string('0', -exponent - 1)}{digits}";
        }

        if (digits.Length <= exponent + 1)
        {
            return sign + digits.PadRight(exponent + 1, '0') + (asFloat ? ".0" : "");
        }

        return $"{sign}{digits[..(exponent + 1)]}.{digits[(exponent + 1)..]}";
    }

    /// <summary>The significant digits, without leading and trailing zeros, and the power of ten of the first one.</summary>
    private static (string Digits, int Exponent) ShortestDigits(double value)
    {
        string text = Math.Abs(value).ToString("R", CultureInfo.InvariantCulture);
        int scientific = text.IndexOf('E', StringComparison.Ordinal);
        int exponent = scientific < 0 ? 0 : int.Parse(text.AsSpan(scientific + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        string mantissa = scientific < 0 ? text : text[..scientific];
        int point = mantissa.IndexOf('.', StringComparison.Ordinal);
        int whole = point < 0 ? mantissa.Length : point;
        string digits = mantissa.Replace(".", "", StringComparison.Ordinal);
        string trimmed = digits.TrimStart('0');
        return (trimmed.TrimEnd('0'), exponent + whole - 1 - (digits.Length - trimmed.Length));
    }
}
