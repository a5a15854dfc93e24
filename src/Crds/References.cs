using System.ComponentModel;
using OptiInfra.Crds.Schema;

namespace OptiInfra.Crds;

/// <summary>One key of a Secret in the same namespace. The value never enters a ConfigMap.</summary>
public sealed record SecretKey
{
    [Description("Name of the Secret, in the namespace of this resource.")]
    [Text(MinLength = 1, MaxLength = 253, Pattern = Patterns.DnsName)]
    public required string Name { get; init; }

    [Description("Key inside the Secret.")]
    [Text(MinLength = 1, MaxLength = 253, Pattern = Patterns.ConfigKey)]
    public required string Key { get; init; }
}

/// <summary>One key of a ConfigMap in the same namespace.</summary>
public sealed record ConfigMapKey
{
    [Description("Name of the ConfigMap, in the namespace of this resource.")]
    [Text(MinLength = 1, MaxLength = 253, Pattern = Patterns.DnsName)]
    public required string Name { get; init; }

    [Description("Key inside the ConfigMap.")]
    [Text(MinLength = 1, MaxLength = 253, Pattern = Patterns.ConfigKey)]
    public required string Key { get; init; }
}

/// <summary>CPU and memory of a container.</summary>
public sealed record ResourceNeeds
{
    [Description("What the scheduler sets aside, for example cpu: 50m, memory: 64Mi.")]
    [Entries(8)]
    [Text(MaxLength = 32, Pattern = Patterns.Quantity)]
    public IReadOnlyDictionary<string, IntOrString>? Requests { get; init; }

    [Description("What the container may use at most.")]
    [Entries(8)]
    [Text(MaxLength = 32, Pattern = Patterns.Quantity)]
    public IReadOnlyDictionary<string, IntOrString>? Limits { get; init; }
}

/// <summary>How many targets answer.</summary>
public sealed record TargetCounts
{
    [Description("Targets whose last scrape succeeded.")]
    public int Up { get; init; }

    [Description("Targets whose last scrape failed.")]
    public int Down { get; init; }

    [Description("Targets that have not been scraped yet.")]
    public int Unknown { get; init; }

    /// <summary>The TARGETS column: those that are up, of all.</summary>
    public string Summary() => $"{Up}/{Up + Down + Unknown}";
}
