using System.Text.Json;
using System.Text.Json.Serialization;

namespace OptiInfra.Operator.Prometheus;

/// <summary>The envelope of every answer of the HTTP API.</summary>
internal sealed record Answer<T>
    where T : class
{
    public string Status { get; init; } = "";

    public T? Data { get; init; }

    public string? Error { get; init; }
}

internal sealed record TargetList
{
    public IReadOnlyList<ScrapeTarget> ActiveTargets { get; init; } = [];
}

internal sealed record ScrapeTarget
{
    public const string Up = "up";
    public const string Down = "down";

    public required IReadOnlyDictionary<string, string> Labels { get; init; }

    public required string ScrapePool { get; init; }

    public required string ScrapeUrl { get; init; }

    public string LastError { get; init; } = "";

    /// <summary><c>up</c>, <c>down</c>, or <c>unknown</c> before the first scrape.</summary>
    public required string Health { get; init; }

    public string Label(string name) => Labels.TryGetValue(name, out string? value) ? value : "";
}

internal sealed record RuleGroupList
{
    public IReadOnlyList<LoadedGroup> Groups { get; init; } = [];
}

/// <summary>A group as it is loaded; <see cref="File"/> is the path the server read it from.</summary>
internal sealed record LoadedGroup
{
    public required string Name { get; init; }

    public required string File { get; init; }

    public IReadOnlyList<LoadedRule> Rules { get; init; } = [];
}

internal sealed record LoadedRule
{
    public required string Name { get; init; }

    /// <summary><c>alerting</c> or <c>recording</c>.</summary>
    public required string Type { get; init; }

    /// <summary><c>ok</c>, <c>err</c>, or <c>unknown</c> before the first evaluation.</summary>
    public required string Health { get; init; }

    public string LastError { get; init; } = "";

    /// <summary>Of an alert: <c>inactive</c>, <c>pending</c> or <c>firing</c>.</summary>
    public string State { get; init; } = "";

    public IReadOnlyList<ActiveAlert> Alerts { get; init; } = [];
}

internal sealed record AlertList
{
    public IReadOnlyList<ActiveAlert> Alerts { get; init; } = [];
}

internal sealed record ActiveAlert
{
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    public IReadOnlyDictionary<string, string> Annotations { get; init; } = new Dictionary<string, string>();

    public string State { get; init; } = "";

    public DateTimeOffset? ActiveAt { get; init; }
}

internal sealed record RuntimeInfo
{
    public bool ReloadConfigSuccess { get; init; }

    public DateTimeOffset LastConfigTime { get; init; }

    public DateTimeOffset StartTime { get; init; }

    public string StorageRetention { get; init; } = "";

    public int CorruptionCount { get; init; }
}

internal sealed record BuildInfo
{
    public string Version { get; init; } = "";
}

internal sealed record LoadedConfig
{
    public string Yaml { get; init; } = "";
}

internal sealed record TsdbStatus
{
    public HeadStats HeadStats { get; init; } = new();

    public IReadOnlyList<NamedCount> SeriesCountByMetricName { get; init; } = [];

    public IReadOnlyList<NamedCount> LabelValueCountByLabelName { get; init; } = [];
}

internal sealed record HeadStats
{
    public long NumSeries { get; init; }

    public long ChunkCount { get; init; }
}

internal sealed record NamedCount
{
    public string Name { get; init; } = "";

    public long Value { get; init; }
}

internal sealed record QueryResult
{
    public IReadOnlyList<Sample> Result { get; init; } = [];
}

/// <summary>One series of an instant vector; the value travels as <c>[time, "text"]</c>.</summary>
internal sealed record Sample
{
    public IReadOnlyDictionary<string, string> Metric { get; init; } = new Dictionary<string, string>();

    [JsonPropertyName("value")]
    public IReadOnlyList<JsonElement> TimeAndValue { get; init; } = [];

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
