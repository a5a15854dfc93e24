using System.Text.Json.Serialization;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Compiler.Model;

/// <summary>
/// Resolved discovery: what <c>sync</c> needs to know to find the targets of one agent and of its exporters. It is the
/// content of the agent's key; <see cref="TargetJson"/> reads and writes it.
/// </summary>
public sealed record TargetFile
{
    /// <summary>Grows when a reader of this format could misunderstand a newer one.</summary>
    public int Version { get; init; } = 1;

    public required IReadOnlyList<TargetSpec> Jobs { get; init; }
}

/// <summary>One job: where its targets are and what they are labelled with.</summary>
public sealed record TargetSpec
{
    /// <summary>The <c>job</c> label; also in <see cref="Labels"/>.</summary>
    public required string Job { get; init; }

    /// <summary>The class of settings; the targets go to <c>targets/&lt;class&gt;/</c>, which the job of that class reads.</summary>
    public required string Class { get; init; }

    public required string Namespace { get; init; }

    public required TargetSource Source { get; init; }

    /// <summary>Name of the port, or null when it is given by number or left open.</summary>
    public string? PortName { get; init; }

    /// <summary>Number of the port as the Pods listen on it. Neither name nor number: every port of a Service, the first of a Pod.</summary>
    public int? PortNumber { get; init; }

    /// <summary>
    /// Labels of every target, the settings that may differ between targets of a class among them (<c>__scheme__</c>,
    /// <c>__metrics_path__</c>, <c>__scrape_interval__</c>, <c>__scrape_timeout__</c>, <c>__param_x</c>).
    /// What the target itself decides is added by sync when it is not here: <c>service</c> (the Service's name),
    /// <c>version</c> (the label app.kubernetes.io/version of the Pod, else of the Service), <c>pod</c>, <c>node</c>.
    /// </summary>
    public required IReadOnlyDictionary<string, string> Labels { get; init; }

    /// <summary>With more targets than this, none is written and the agent's status says so; null means no limit.</summary>
    public int? MaxTargets { get; init; }
}

public enum TargetSourceKind
{
    [JsonStringEnumMemberName("service")]
    Service,
    [JsonStringEnumMemberName("pods")]
    Pods,
    [JsonStringEnumMemberName("static")]
    Static,

    /// <summary>Pods with the annotation prometheus.io/scrape: "true"; port, path and scheme follow their annotations.</summary>
    [JsonStringEnumMemberName("annotatedPods")]
    AnnotatedPods,
    [JsonStringEnumMemberName("annotatedServices")]
    AnnotatedServices,
}

public sealed record TargetSource
{
    public required TargetSourceKind Kind { get; init; }

    /// <summary>The Service by name; else <see cref="Selector"/> chooses.</summary>
    public string? Name { get; init; }

    /// <summary>Labels of the Services or Pods.</summary>
    public LabelSelector? Selector { get; init; }

    /// <summary>The addresses of a static source.</summary>
    public IReadOnlyList<string>? Addresses { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true,
    WriteIndented = true)]
[JsonSerializable(typeof(TargetFile))]
public sealed partial class TargetJson : JsonSerializerContext;
