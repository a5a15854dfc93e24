using System.Text;

namespace OptiInfra.Metrics.Sources;

/// <summary>
/// The one place where names of System.Diagnostics.Metrics become Prometheus names: dots to underscores, the unit spelt out
/// and appended unless it is there. https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/
/// </summary>
internal static class MeterNames
{
    private static readonly Dictionary<string, string> Units = new(StringComparer.Ordinal)
    {
        ["d"] = "days",
        ["h"] = "hours",
        ["min"] = "minutes",
        ["s"] = "seconds",
        ["ms"] = "milliseconds",
        ["us"] = "microseconds",
        ["ns"] = "nanoseconds",
        ["By"] = "bytes",
        ["KiBy"] = "kibibytes",
        ["MiBy"] = "mebibytes",
        ["GiBy"] = "gibibytes",
        ["kBy"] = "kilobytes",
        ["MBy"] = "megabytes",
        ["GBy"] = "gigabytes",
        ["m"] = "meters",
        ["V"] = "volts",
        ["A"] = "amperes",
        ["J"] = "joules",
        ["W"] = "watts",
        ["g"] = "grams",
        ["Cel"] = "celsius",
        ["Hz"] = "hertz",
        ["%"] = "percent",
        ["1"] = "",
    };

    /// <summary>The family name of an instrument, without a type suffix.</summary>
    public static string FamilyName(string instrument, string? unit)
    {
        string name = Plain(instrument);
        string suffix = UnitName(unit);
        return suffix.Length == 0 || name.EndsWith("_" + suffix, StringComparison.Ordinal) || name.EndsWith($"_{suffix}_total", StringComparison.Ordinal)
            ? name
            : MetricNames.WithoutSuffix(name, "_total") + "_" + suffix;
    }

    /// <summary>The unit in words: <c>By/s</c> is <c>bytes_per_second</c>, <c>{request}</c> is nothing.</summary>
    public static string UnitName(string? unit)
    {
        string bare = WithoutAnnotations(unit ?? "");
        int slash = bare.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0)
        {
            return Units.TryGetValue(bare, out string? word) ? word : Plain(bare).Trim('_');
        }

        string over = UnitName(bare[..slash]);
        string under = MetricNames.WithoutSuffix(UnitName(bare[(slash + 1)..]), "s");
        return under.Length == 0 ? over : over.Length == 0 ? "per_" + under : $"{over}_per_{under}";
    }

    /// <summary>A label name from a tag's key.</summary>
    public static string LabelName(string key) => Plain(key).Replace(':', '_').TrimStart('_') is { Length: > 0 } name ? name : "label";

    /// <summary>A name of letters, digits and single underscores.</summary>
    private static string Plain(string name)
    {
        var text = new StringBuilder(name.Length);
        foreach (char character in name)
        {
            bool legal = char.IsAsciiLetterOrDigit(character) || character == ':';
            if (legal || (text.Length > 0 && text[^1] != '_'))
            {
                text.Append(legal ? character : '_');
            }
        }

        string plain = text.ToString().TrimEnd('_');
        return plain.Length > 0 && char.IsAsciiDigit(plain[0]) ? "_" + plain : plain;
    }

    private static string WithoutAnnotations(string unit)
    {
        int open = unit.IndexOf('{', StringComparison.Ordinal);
        int close = open < 0 ? -1 : unit.IndexOf('}', open);
        return close < 0 ? unit : WithoutAnnotations(unit.Remove(open, close - open + 1));
    }
}
