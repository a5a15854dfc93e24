using System.ComponentModel;
using System.Text.Json.Serialization;
using OptiInfra.Crds.Schema;

namespace OptiInfra.Crds;

/// <summary>An exporter that the operator runs for an agent.</summary>
public sealed record Exporter
{
    [Description("Name of the exporter, unique in the agent. The job is <namespace>/<agent>/<name>.")]
    [Text(MinLength = 1, MaxLength = 40, Pattern = Patterns.DnsLabel)]
    public required string Name { get; init; }

    [Description("What it exports.")]
    public required ExporterType Type { get; init; }

    [Description("The system it looks at. Not needed for node and blackbox.")]
    public ExporterConnection? Connection { get; init; }

    [Description("Custom queries (postgres, clickhouse).")]
    public ExporterQueries? Queries { get; init; }

    [Description("What to probe (blackbox).")]
    public ProbeSettings? Probe { get; init; }

    [Description("Container image instead of the built-in one; needed for custom.")]
    [Text(MinLength = 1, MaxLength = 512)]
    public string? Image { get; init; }

    [Description("Arguments added to ours.")]
    [Entries(32)]
    public IReadOnlyList<string>? Args { get; init; }

    [Description("Environment variables with plain values. Secrets belong into connection or secretEnv.")]
    [Entries(32)]
    public IReadOnlyDictionary<string, string>? Env { get; init; }

    [Description("Environment variables from Secrets.")]
    [Entries(32)]
    public IReadOnlyDictionary<string, SecretKey>? SecretEnv { get; init; }

    [Description("Port of its metrics. Default: the usual port of its type; needed for custom.")]
    [Number(1, 65535)]
    public int? Port { get; init; }

    [Description("How it is scraped. Default: as the agent's interval and timeout say.")]
    public ExporterScrape? Scrape { get; init; }

    [Description("CPU and memory. Default: requests 10m and 32Mi, limit 128Mi.")]
    public ResourceNeeds? Resources { get; init; }
}

public enum ExporterType
{
    [JsonStringEnumMemberName("postgres")]
    Postgres,
    [JsonStringEnumMemberName("redis")]
    Redis,
    [JsonStringEnumMemberName("clickhouse")]
    ClickHouse,
    [JsonStringEnumMemberName("nats")]
    Nats,
    [JsonStringEnumMemberName("dragonfly")]
    Dragonfly,
    [JsonStringEnumMemberName("node")]
    Node,
    [JsonStringEnumMemberName("blackbox")]
    Blackbox,
    [JsonStringEnumMemberName("custom")]
    Custom,
}

[OneOf("secretKeyRef", "address")]
public sealed record ExporterConnection
{
    [Description("The connection string or URL with its credentials.")]
    public SecretKey? SecretKeyRef { get; init; }

    [Description("host:port or URL, for systems without credentials, or with credentials in username and password.")]
    [Text(MinLength = 1, MaxLength = 1024)]
    public string? Address { get; init; }

    [Description("User name, with address.")]
    [Text(MinLength = 1, MaxLength = 256)]
    public string? Username { get; init; }

    [Description("Password, with address.")]
    public SecretKey? Password { get; init; }
}

public sealed record ExporterQueries
{
    [Description("The file with the queries.")]
    public required ConfigMapKey ConfigMapKeyRef { get; init; }
}

public sealed record ProbeSettings
{
    [Description("Module of the blackbox exporter. Default: http_2xx.")]
    [Text(MinLength = 1, MaxLength = 63)]
    public string? Module { get; init; }

    [Description("URLs or addresses to probe.")]
    [Entries(256, Minimum = 1)]
    [Set]
    public required IReadOnlyList<string> Targets { get; init; }
}

public sealed record ExporterScrape
{
    [Description("HTTP path. Default: that of its type.")]
    [Text(MinLength = 1, MaxLength = 512, Pattern = "^/.*$")]
    public string? Path { get; init; }

    [Description("Time between two scrapes.")]
    [Text(MinLength = 1, MaxLength = 32, Pattern = Patterns.Duration)]
    public string? Interval { get; init; }

    [Description("Time after which a scrape is given up.")]
    [Text(MinLength = 1, MaxLength = 32, Pattern = Patterns.Duration)]
    public string? Timeout { get; init; }

    [Description("When a scrape is too big.")]
    public ScrapeLimits? Limits { get; init; }

    [Description("Changes to the labels of samples.")]
    [Entries(32)]
    public IReadOnlyList<Relabeling>? MetricRelabelings { get; init; }
}
