using System.Text.Json;
using System.Text.Json.Serialization;

namespace OptiInfra.Operator.Prometheus;

// What the server leaves out reads as empty. Generated deserialisers give init properties that are not in the text their
// type's default and not the one of an initialiser, hence the getters.

/// <summary>The envelope of every answer of the HTTP API.</summary>
internal sealed record Answer<T>
    where T : class
{
    public string Status { get => field ?? ""; init; }

    public T? Data { get; init; }

    public string? Error { get; init; }
}

internal sealed record TargetList
{
    public IReadOnlyList<ScrapeTarget> ActiveTargets { get => field ?? []; init; }
}

internal sealed record ScrapeTarget
{
    public const string Up = "up";
    public const string Down = "down";

    public required IReadOnlyDictionary<string, string> Labels { get; init; }

    public required string ScrapePool { get; init; }

    public required string ScrapeUrl { get; init; }

    public string LastError { get => field ?? ""; init; }

    /// <summary><c>up</c>, <c>down</c>, or <c>unknown</c> before the first scrape.</summary>
    public required string Health { get; init; }

    public string Label(string name) => Labels.TryGetValue(name, out string? value) ? value : "";
}

internal sealed record RuleGroupList
{
    public IReadOnlyList<LoadedGroup> Groups { get => field ?? []; init; }
}

/// <summary>A group as it is loaded; <see cref="File"/> is the path the server read it from.</summary>
internal sealed record LoadedGroup
{
    public required string Name { get; init; }

    public required string File { get; init; }

    public IReadOnlyList<LoadedRule> Rules { get => field ?? []; init; }
}

internal sealed record LoadedRule
{
    public required string Name { get; init; }

    /// <summary><c>alerting</c> or <c>recording</c>.</summary>
    public required string Type { get; init; }

    /// <summary><c>ok</c>, <c>err</c>, or <c>unknown</c> before the first evaluation.</summary>
    public required string Health { get; init; }

    public string LastError { get => field ?? ""; init; }

    /// <summary>Of an alert: <c>inactive</c>, <c>pending</c> or <c>firing</c>.</summary>
    public string State { get => field ?? ""; init; }

    public IReadOnlyList<ActiveAlert> Alerts { get => field ?? []; init; }
}

internal sealed record AlertList
{
    public IReadOnlyList<ActiveAlert> Alerts { get => field ?? []; init; }
}

internal sealed record ActiveAlert
{
    public IReadOnlyDictionary<string, string> Labels { get => field ?? new Dictionary<string, string>(); init; }

    public IReadOnlyDictionary<string, string> Annotations { get => field ?? new Dictionary<string, string>(); init; }

    public string State { get => field ?? ""; init; }

    public DateTimeOffset? ActiveAt { get; init; }
}

internal sealed record RuntimeInfo
{
    public bool ReloadConfigSuccess { get; init; }

    public DateTimeOffset LastConfigTime { get; init; }

    public DateTimeOffset StartTime { get; init; }

    public string StorageRetention { get => field ?? ""; init; }

    public int CorruptionCount { get; init; }
}

internal sealed record BuildInfo
{
    public string Version { get => field ?? ""; init; }
}

internal sealed record LoadedConfig
{
    public string Yaml { get => field ?? ""; init; }
}

internal sealed record TsdbStatus
{
    public HeadStats HeadStats { get => field ?? new(); init; }

    public IReadOnlyList<NamedCount> SeriesCountByMetricName { get => field ?? []; init; }

    public IReadOnlyList<NamedCount> LabelValueCountByLabelName { get => field ?? []; init; }
}

internal sealed record HeadStats
{
    public long NumSeries { get; init; }

    public long ChunkCount { get; init; }
}

internal sealed record NamedCount
{
    public string Name { get => field ?? ""; init; }

    public long Value { get; init; }
}

internal sealed record QueryResult
{
    public IReadOnlyList<Sample> Result { get => field ?? []; init; }
}

/// <summary>One series of an instant vector; the value travels as <c>[time, "text"]</c>.</summary>
internal sealed record Sample
{
    public IReadOnlyDictionary<string, string> Metric { get => field ?? new Dictionary<string, string>(); init; }

    [JsonPropertyName("value")]
    public IReadOnlyList<JsonElement> TimeAndValue { get => field ?? []; init; }

    [JsonIgnore]
    public double Value => TimeAndValue.Count < 2 ? double.NaN : Parse(TimeAndValue[1].GetString());

    private static double Parse(string? text) => text switch
    {
        "+Inf" => double.PositiveInfinity,
        "-Inf" => double.NegativeInfinity,
        _ => double.TryParse(text, out double value) ? value : double.NaN,
    };
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Answer<TargetList>))]
[JsonSerializable(typeof(Answer<RuleGroupList>))]
[JsonSerializable(typeof(Answer<AlertList>))]
[JsonSerializable(typeof(Answer<RuntimeInfo>))]
[JsonSerializable(typeof(Answer<BuildInfo>))]
[JsonSerializable(typeof(Answer<LoadedConfig>))]
[JsonSerializable(typeof(Answer<TsdbStatus>))]
[JsonSerializable(typeof(Answer<QueryResult>))]
internal sealed partial class PrometheusJson : JsonSerializerContext;
