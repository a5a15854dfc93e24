using System.Text.Json.Serialization;

namespace OptiInfra.Operator.Sync;

/// <summary>
/// What <c>sync</c> tells the operator, as one key of the ConfigMap <c>optiinfra-&lt;stack&gt;-sync</c> per copy of Prometheus.
/// It says which version of each ConfigMap Prometheus runs, not what is in them, so it stays small at any number of
/// agents and changes only when something was loaded. docs/decisions has why it is an object and not an endpoint.
/// </summary>
internal sealed record SyncReport
{
    public const string Artifact = "sync";

    /// <summary>resourceVersion by name, of every ConfigMap whose content is loaded.</summary>
    public IReadOnlyDictionary<string, string> Loaded { get => field ?? new Dictionary<string, string>(); init; }

    /// <summary>Files that Prometheus refuses, and its words; what was good before is still loaded.</summary>
    public IReadOnlyDictionary<string, string> Refused { get => field ?? new Dictionary<string, string>(); init; }

    /// <summary>Jobs without targets, and why; at most <see cref="MaxProblems"/>.</summary>
    public IReadOnlyDictionary<string, string> Problems { get => field ?? new Dictionary<string, string>(); init; }

    /// <summary>Why nothing is confirmed, when nothing is.</summary>
    public string? Waiting { get; init; }

    public const int MaxProblems = 1000;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SyncReport))]
internal sealed partial class SyncJson : JsonSerializerContext;
