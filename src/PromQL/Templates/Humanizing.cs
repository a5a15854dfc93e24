using System.Globalization;
using OptiInfra.PromQL.Data;

namespace OptiInfra.PromQL.Templates;

/// <summary>Numbers for people, as Prometheus' template functions write them.</summary>
internal static class Humanizing
{
    private static readonly string[] Large = ["k", "M", "G", "T", "P", "E", "Z", "Y"];
    private static readonly string[] Small = ["m", "u", "n", "p", "f", "a", "z", "y"];
    private static readonly string[] Binary = ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"];

    public static string Number(double value)
    {
        if (value == 0 || !double.IsFinite(value))
        {
            return GoNumber.FormatG(value, 4);
        }
        return Math.Abs(value) >= 1 ? Scaled(value, Large, 1000) : Fraction(value);
    }

    public static string Bytes(double value) =>
        Math.Abs(value) <= 1 || !double.IsFinite(value) ? GoNumber.FormatG(value, 4) : Scaled(value, Binary, 1024);

    public static string Duration(double value)
    {
        if (!double.IsFinite(value))
        {
            return GoNumber.FormatG(value, 4);
        }
        if (value == 0)
        {
            return "0s";
        }
        if (Math.Abs(value) < 1)
        {
            return Fraction(value) + "s";
        }
        string sign = value < 0 ? "-" : "";
        value = Math.Abs(value);
        long total = (long)value;
        long days = total / 86400, hours = total / 3600 % 24, minutes = total / 60 % 60, seconds = total % 60;
        return sign + (days != 0 ? $"{days}d {hours}h {minutes}m {seconds}s"
            : hours != 0 ? $"{hours}h {minutes}m {seconds}s"
            : minutes != 0 ? $"{minutes}m {seconds}s"
            : GoNumber.FormatG(value, 4) + "s");
    }

    public static string Timestamp(double seconds) =>
        double.IsFinite(seconds) ? TemplatePrinting.Print(ToTime(seconds)) : GoNumber.FormatG(seconds, 4);

    public static DateTimeOffset ToTime(double seconds)
    {
        double nanoseconds = seconds * 1e9;
        if (!double.IsFinite(seconds))
        {
            throw new TemplateExecutionException("value is NaN or Inf");
        }
        if (nanoseconds is > long.MaxValue or < long.MinValue)
        {
            throw new TemplateExecutionException($"{GoNumber.Format(seconds)} cannot be represented as a nanoseconds timestamp since it overflows int64");
        }
        // Prometheus goes through milliseconds.
        return DateTimeOffset.UnixEpoch.AddTicks((long)(seconds * 1e3) * TimeSpan.TicksPerMillisecond);
    }

    private static string Scaled(double value, string[] units, double factor)
    {
        string unit = "";
        foreach (string next in units)
        {
            if (Math.Abs(value) < factor)
            {
                break;
            }
            unit = next;
            value /= factor;
        }
        return GoNumber.FormatG(value, 4) + unit;
    }

    private static string Fraction(double value)
    {
        string unit = "";
        foreach (string next in Small)
        {
            if (Math.Abs(value) >= 1)
            {
                break;
            }
            unit = next;
            value *= 1000;
        }
        return GoNumber.FormatG(value, 4) + unit;
    }
}

/// <summary>Go's way to write dates: the layout shows how Mon Jan 2 15:04:05 2006 would look (https://pkg.go.dev/time#Layout).</summary>
internal static class GoTimeLayout
{
    private static readonly (string Go, string Net)[] Parts =
    [
        ("January", "MMMM"), ("Monday", "dddd"), ("2006", "yyyy"), ("-07:00", "+00:00"), ("Z07:00", "Z"), ("-0700", "+0000"), ("Jan", "MMM"), ("Mon", "ddd"),
        ("MST", "UTC"), ("002", "ddd of year"), ("15", "HH"), ("01", "MM"), ("02", "dd"), ("03", "hh"), ("04", "mm"), ("05", "ss"), ("06", "yy"), ("PM", "tt"),
        ("_2", "padded day"), ("1", "%M"), ("2", "%d"), ("3", "%h"), ("4", "%m"), ("5", "%s"),
    ];

    public static string Format(DateTimeOffset time, string layout)
    {
        var text = new System.Text.StringBuilder();
        for (int i = 0; i < layout.Length;)
        {
            int fraction = Fraction(layout, i);
            if (fraction > 0)
            {
                text.Append('.').Append((time.Ticks % TimeSpan.TicksPerSecond * 100).ToString("000000000", CultureInfo.InvariantCulture).AsSpan(0, Math.Min(9, fraction)));
                i += fraction + 1;
                continue;
            }
            (string go, string net) = Parts.FirstOrDefault(part => string.CompareOrdinal(layout, i, part.Go, 0, part.Go.Length) == 0);
            text.Append(go is null ? layout[i] : Part(time, net));
            i += go?.Length ?? 1;
        }
        return text.ToString();
    }

    private static string Part(DateTimeOffset time, string net) => net switch
    {
        "+00:00" or "Z" or "+0000" or "UTC" => net,
        "ddd of year" => time.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
        "padded day" => time.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2),
        _ => time.ToString(net, CultureInfo.InvariantCulture),
    };

    /// <summary>The number of digits of a fraction of a second such as <c>.000</c>, or 0.</summary>
    private static int Fraction(string layout, int i)
    {
        int digits = 0;
        while (layout[i] == '.' && i + 1 + digits < layout.Length && layout[i + 1 + digits] == '0')
        {
            digits++;
        }
        return digits > 0 && (i + 1 + digits == layout.Length || !char.IsAsciiDigit(layout[i + 1 + digits])) ? digits : 0;
    }
}
