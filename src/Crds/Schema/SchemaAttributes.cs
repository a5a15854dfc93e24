namespace OptiInfra.Crds.Schema;

// What a C# property cannot say about its field. Together with the JSON contract (names, required, enums) these are the
// whole truth about a field; descriptions come from System.ComponentModel.DescriptionAttribute.

/// <summary>Bounds of a string, or of every string of a list or a map.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class TextAttribute : Attribute
{
    public int MinLength { get; init; }

    public int MaxLength { get; init; }

    public string? Pattern { get; init; }
}

/// <summary>Bounds of a number, inclusive.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class NumberAttribute(double minimum, double maximum) : Attribute
{
    public double Minimum { get; } = minimum;

    public double Maximum { get; } = maximum;
}

/// <summary>How many entries a list or a map may have.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class EntriesAttribute(int maximum) : Attribute
{
    public int Minimum { get; init; }

    public int Maximum { get; } = maximum;
}

/// <summary>The entries of a list are told apart by this field; two entries may not share it, and apply merges by it.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class ListKeyAttribute(string name) : Attribute
{
    public string Name { get; } = name;
}

/// <summary>A list without duplicates, whose order means nothing.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class SetAttribute : Attribute;

/// <summary>Of these fields exactly one must be set, or at most one when <see cref="Optional"/>.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
internal sealed class OneOfAttribute(params string[] fields) : Attribute
{
    public string[] Fields { get; } = fields;

    public bool Optional { get; init; }
}

/// <summary>Any further rule, in CEL. The compiler must check the same, because people without a cluster have no CEL.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Property, AllowMultiple = true)]
internal sealed class CelAttribute(string rule, string message) : Attribute
{
    public string Rule { get; } = rule;

    public string Message { get; } = message;
}

/// <summary>Patterns that several fields share.</summary>
internal static class Patterns
{
    public const string Duration = "^(0|([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?)$";
    public const string ByteSize = "^[0-9]+(\\.[0-9]+)?([KMGTPE]i?B|B)?$";
    public const string Quantity = "^[0-9]+(\\.[0-9]+)?([eE][0-9]+|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$";
    public const string DnsLabel = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
    public const string DnsName = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
    public const string ConfigKey = "^[-._a-zA-Z0-9]+$";
    public const string LabelName = "^[a-zA-Z_][a-zA-Z0-9_]*$";
    public const string MetricName = "^[a-zA-Z_:][a-zA-Z0-9_:]*$";
    public const string PortNameOrNumber = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
    public const string HostPort = "^(\\[[0-9a-fA-F:.]+\\]|[^\\s:/]+)(:[0-9]{1,5})?$";
    public const string Url = "^https?://.+$";
    public const string Time = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]+)?)?(Z|[+-][0-9]{2}:[0-9]{2})$";

    /// <summary>What a text of the pattern is, as the end of the sentence "x is not …".</summary>
    public static string? Meaning(string? pattern) => pattern switch
    {
        Duration => "a duration; write for example 15s, 5m or 1h30m",
        ByteSize => "a size; write for example 10MB",
        Quantity => "a quantity; write for example 500m or 64Mi",
        DnsLabel or DnsName or PortNameOrNumber => "a name; use lower-case letters, digits and dashes",
        ConfigKey => "a key; use letters, digits, dots, dashes and underscores",
        LabelName => "a label name; use letters, digits and underscores",
        MetricName => "a metric name; use letters, digits, underscores and colons",
        HostPort => "an address; write host:port",
        Url => "a URL; write for example http://prometheus:9090",
        Time => "a time; write for example 2026-03-01T22:00:00Z",
        _ => null,
    };
}
