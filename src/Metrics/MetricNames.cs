using System.Text;

namespace OptiInfra.Metrics;

/// <summary>What kind of family a metric is.</summary>
public enum MetricType
{
    Counter,
    Gauge,
    Histogram,
    Summary,
    Info,
    StateSet,
}

/// <summary>
/// All rules about names in one place: which names are legal, which labels are forbidden, which suffixes belong to which type.
/// A name is refused when the family is created, so a mistake shows at start-up and never in a scrape.
/// </summary>
internal static class MetricNames
{
    /// <summary>Labels whose values have no bound, or which say who somebody is. A trailing star forbids the prefix.</summary>
    internal static readonly string[] ForbiddenLabels =
    [
        "user*", "session*", "conversation*", "request_id", "trace_id", "span_id", "correlation_id", "prompt", "message",
        "email", "ip", "client_ip", "path", "raw_path", "url", "uri", "tenant", "tenant_id",
    ];

    private static readonly string[] Units =
    [
        "seconds", "bytes", "ratio", "celsius", "joules", "watts", "volts", "amperes", "meters", "grams", "percent", "usd", "tokens",
    ];

    public static bool IsLegacyName(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.AsSpan().IndexOfAnyExcept(NameCharacters) < 0;

    public static bool IsLegacyLabel(string name) => IsLegacyName(name) && !name.Contains(':', StringComparison.Ordinal);

    /// <summary>Appends a suffix unless the name already has it.</summary>
    public static string WithSuffix(string name, string suffix) => name.EndsWith(suffix, StringComparison.Ordinal) ? name : name + suffix;

    public static string WithoutSuffix(string name, string suffix) => name.EndsWith(suffix, StringComparison.Ordinal) ? name[..^suffix.Length] : name;

    /// <summary>The full name of a family, as text 0.0.4 shows it.</summary>
    public static string FullName(string name, MetricType type) => type switch
    {
        MetricType.Counter => WithSuffix(name, "_total"),
        MetricType.Info => WithSuffix(name, "_info"),
        _ => name,
    };

    /// <summary>The name of the family in OpenMetrics, which has no type suffix.</summary>
    public static string BaseName(string fullName, MetricType type) => type switch
    {
        MetricType.Counter => WithoutSuffix(fullName, "_total"),
        MetricType.Info => WithoutSuffix(fullName, "_info"),
        _ => fullName,
    };

    /// <summary>Every sample name the family may emit in any format; no other family may claim one of them.</summary>
    public static IEnumerable<string> SampleNames(string baseName, MetricType type)
    {
        string[] suffixes = type switch
        {
            MetricType.Counter => ["", "_total", "_created"],
            MetricType.Histogram => ["", "_bucket", "_count", "_sum", "_created"],
            MetricType.Summary => ["", "_count", "_sum", "_created"],
            MetricType.Info => ["", "_info"],
            _ => [""],
        };
        return suffixes.Select(suffix => baseName + suffix);
    }

    public static string? UnitOf(string baseName) => Array.Find(Units, unit => baseName.EndsWith("_" + unit, StringComparison.Ordinal));

    /// <summary>Throws when a name cannot be exposed; the message says which rule was broken.</summary>
    public static void Check(string name, IReadOnlyList<string> labels, MetricType type, MetricOptions options, MetricRegistryOptions registry)
    {
        if (!(registry.Utf8Names ? IsUtf8Name(name) : IsLegacyName(name)))
        {
            throw new ArgumentException($"metric name '{name}' must match [a-zA-Z_:][a-zA-Z0-9_:]*; set Utf8Names to accept more", nameof(name));
        }

        if (labels.Count > LabelBuffer.Capacity)
        {
            throw new ArgumentException($"metric '{name}' has {labels.Count} labels, {LabelBuffer.Capacity} are possible and more than 10 are rarely wise", nameof(labels));
        }

        foreach (string label in labels)
        {
            CheckLabel(name, label, type, options, registry);
        }

        if (labels.Distinct(StringComparer.Ordinal).Count() != labels.Count)
        {
            throw new ArgumentException($"metric '{name}' names a label twice: {string.Join(", ", labels)}", nameof(labels));
        }
    }

    private static void CheckLabel(string name, string label, MetricType type, MetricOptions options, MetricRegistryOptions registry)
    {
        if (!(registry.Utf8Names ? IsUtf8Name(label) : IsLegacyLabel(label)) || label.StartsWith("__", StringComparison.Ordinal))
        {
            throw new ArgumentException($"label '{label}' of metric '{name}' must match [a-zA-Z_][a-zA-Z0-9_]* and not begin with __");
        }

        bool reserved = (type == MetricType.Histogram && label == "le")
            || (type == MetricType.Summary && label == "quantile")
            || (type == MetricType.StateSet && label == name);
        if (reserved || registry.StaticLabels.ContainsKey(label))
        {
            throw new ArgumentException($"label '{label}' of metric '{name}' is already used by {(reserved ? "the metric's type" : "the registry's static labels")}");
        }

        if (IsForbidden(label, registry.ForbiddenLabels) && !options.PermittedLabels.Contains(label, StringComparer.Ordinal))
        {
            throw new ArgumentException(
                $"label '{label}' of metric '{name}' is forbidden: its values have no bound or identify a person. Put it into a log or an exemplar, or name it in PermittedLabels");
        }
    }

    public static bool IsForbidden(string label, IReadOnlyList<string> more) =>
        ForbiddenLabels.Concat(more).Any(rule => rule.EndsWith('*') ? label.StartsWith(rule[..^1], StringComparison.Ordinal) : label == rule);

    private static bool IsUtf8Name(string name) => name.Length > 0 && Encoding.UTF8.GetByteCount(name) > 0 && !name.Contains('\0', StringComparison.Ordinal);

    private static readonly System.Buffers.SearchValues<char> NameCharacters =
        System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:");
}
