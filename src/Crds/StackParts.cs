using System.ComponentModel;
using System.Text.Json.Serialization;
using OptiInfra.Crds.Schema;

namespace OptiInfra.Crds;

/// <summary>The Prometheus of a stack.</summary>
public sealed record PrometheusSettings
{
    [Description("Its version; decides which features may be used. Default: that of the built-in image.")]
    [Text(MinLength = 3, MaxLength = 32, Pattern = "^v?[0-9]+\\.[0-9]+(\\.[0-9]+)?([-+].*)?$")]
    public string? Version { get; init; }

    [Description("Container image instead of the built-in one.")]
    [Text(MinLength = 1, MaxLength = 512)]
    public string? Image { get; init; }

    [Description("Where an external Prometheus answers, for example http://prometheus.monitoring:9090.")]
    [Text(MinLength = 8, MaxLength = 2048, Pattern = Patterns.Url)]
    public string? Url { get; init; }

    [Description("Copies that scrape the same. Default: 1.")]
    [Number(0, 10)]
    public int? Replicas { get; init; }

    [Description("Parts that the targets are divided into. Default: 1.")]
    [Number(1, 64)]
    public int? Shards { get; init; }

    [Description("How long samples are kept. Default: 15d.")]
    [Text(MinLength = 1, MaxLength = 32, Pattern = Patterns.Duration)]
    public string? Retention { get; init; }

    [Description("How much disk samples may take, for example 40GB.")]
    [Text(MinLength = 1, MaxLength = 32, Pattern = Patterns.ByteSize)]
    public string? RetentionSize { get; init; }

    [Description("The disk of each copy. Default: an emptyDir.")]
    public StorageSettings? Storage { get; init; }

    [Description("CPU and memory.")]
    public ResourceNeeds? Resources { get; init; }

    [Description("Serve the administration API (snapshots, deletion). Default: false.")]
    public bool? AdminApi { get; init; }

    [Description("Feature flags, for example exemplar-storage.")]
    [Entries(32)]
    [Set]
    [Text(MinLength = 1, MaxLength = 64)]
    public IReadOnlyList<string>? Features { get; init; }

    [Description("Rules are evaluated as of this long ago (Prometheus 2.53 or newer).")]
    [Text(MinLength = 1, MaxLength = 32, Pattern = Patterns.Duration)]
    public string? RuleQueryOffset { get; init; }

    [Description("Samples this old are still accepted.")]
    [Text(MinLength = 1, MaxLength = 32, Pattern = Patterns.Duration)]
    public string? OutOfOrderWindow { get; init; }

    [Description("Remote systems that get all samples.")]
    [Entries(16)]
    [ListKey("name")]
    public IReadOnlyList<RemoteWrite>? RemoteWrite { get; init; }

    [Description("A Thanos sidecar beside each copy.")]
    public ThanosSettings? Thanos { get; init; }

    [Description("URL under which people reach it; used in alerts.")]
    [Text(MinLength = 8, MaxLength = 2048, Pattern = Patterns.Url)]
    public string? ExternalUrl { get; init; }

    [Description("Node labels that its Pods need.")]
    [Entries(32)]
    public IReadOnlyDictionary<string, string>? NodeSelector { get; init; }
}

public sealed record StorageSettings
{
    [Description("Size of the disk, for example 50Gi.")]
    [Text(MinLength = 1, MaxLength = 32, Pattern = Patterns.Quantity)]
    public required IntOrString Size { get; init; }

    [Description("Storage class. Default: the cluster's.")]
    [Text(MinLength = 1, MaxLength = 253, Pattern = Patterns.DnsName)]
    public string? ClassName { get; init; }
}

public sealed record RemoteWrite
{
    [Description("Its name, unique in the stack.")]
    [Text(MinLength = 1, MaxLength = 63, Pattern = Patterns.DnsLabel)]
    public required string Name { get; init; }

    [Description("Where samples are sent.")]
    [Text(MinLength = 8, MaxLength = 2048, Pattern = Patterns.Url)]
    public required string Url { get; init; }

    [Description("How we prove who we are.")]
    public AuthSettings? Auth { get; init; }

    [Description("TLS of the connection.")]
    public TlsSettings? Tls { get; init; }

    [Description("HTTP headers, for example X-Scope-OrgID.")]
    [Entries(16)]
    public IReadOnlyDictionary<string, string>? Headers { get; init; }

    [Description("Time after which a request is given up. Default: 30s.")]
    [Text(MinLength = 1, MaxLength = 32, Pattern = Patterns.Duration)]
    public string? Timeout { get; init; }

    [Description("Send native histograms. Default: false.")]
    public bool? SendNativeHistograms { get; init; }

    [Description("Samples that are kept, changed or dropped on the way.")]
    [Entries(32)]
    public IReadOnlyList<Relabeling>? Relabelings { get; init; }
}

public sealed record ThanosSettings
{
    [Description("Container image.")]
    [Text(MinLength = 1, MaxLength = 512)]
    public string? Image { get; init; }

    [Description("Thanos' object storage configuration.")]
    public SecretKey? ObjectStorage { get; init; }

    [Description("CPU and memory.")]
    public ResourceNeeds? Resources { get; init; }
}

/// <summary>The Alertmanager of a stack.</summary>
public sealed record AlertmanagerSettings
{
    [Description("Whether alerts are sent to an Alertmanager. Default: true.")]
    public bool? Enabled { get; init; }

    [Description("Container image instead of the built-in one.")]
    [Text(MinLength = 1, MaxLength = 512)]
    public string? Image { get; init; }

    [Description("Where external Alertmanagers answer, for example http://alertmanager.monitoring:9093. With it none is run.")]
    [Entries(16)]
    [Text(MinLength = 8, MaxLength = 2048, Pattern = Patterns.Url)]
    public IReadOnlyList<string>? Urls { get; init; }

    [Description("Copies that share their state. Default: 1.")]
    [Number(0, 10)]
    public int? Replicas { get; init; }

    [Description("The disk of each copy. Default: an emptyDir.")]
    public StorageSettings? Storage { get; init; }

    [Description("CPU and memory.")]
    public ResourceNeeds? Resources { get; init; }

    [Description("Receivers of alerts that no policy routes. Default: nobody.")]
    [Entries(16)]
    public IReadOnlyList<Notification>? Fallback { get; init; }

    [Description("Mail server of e-mail receivers that name none.")]
    public MailServer? Mail { get; init; }

    [Description("URL under which people reach it; used in messages.")]
    [Text(MinLength = 8, MaxLength = 2048, Pattern = Patterns.Url)]
    public string? ExternalUrl { get; init; }
}

public sealed record MailServer
{
    [Description("host:port of the mail server.")]
    [Text(MinLength = 1, MaxLength = 262, Pattern = Patterns.HostPort)]
    public required string Smarthost { get; init; }

    [Description("The sender.")]
    [Text(MinLength = 3, MaxLength = 320)]
    public required string From { get; init; }

    [Description("User name and password.")]
    public BasicAuth? Auth { get; init; }
}

/// <summary>The Grafana of a stack.</summary>
public sealed record GrafanaSettings
{
    [Description("run: the operator runs one. provision: only ConfigMaps with dashboards and the datasource, for the sidecar of your own. none: nothing. Default: provision.")]
    public GrafanaMode? Mode { get; init; }

    [Description("Container image instead of the built-in one.")]
    [Text(MinLength = 1, MaxLength = 512)]
    public string? Image { get; init; }

    [Description("Password of the user admin, with mode run.")]
    public SecretKey? AdminPassword { get; init; }

    [Description("The disk. Default: an emptyDir.")]
    public StorageSettings? Storage { get; init; }

    [Description("CPU and memory.")]
    public ResourceNeeds? Resources { get; init; }

    [Description("URL under which people reach it; used in alerts and in the console.")]
    [Text(MinLength = 8, MaxLength = 2048, Pattern = Patterns.Url)]
    public string? ExternalUrl { get; init; }
}

public enum GrafanaMode
{
    [JsonStringEnumMemberName("provision")]
    Provision,
    [JsonStringEnumMemberName("run")]
    Run,
    [JsonStringEnumMemberName("none")]
    None,
}
