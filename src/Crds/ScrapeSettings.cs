using System.ComponentModel;
using System.Text.Json.Serialization;
using OptiInfra.Crds.Schema;

namespace OptiInfra.Crds;

/// <summary>How a target is scraped.</summary>
public sealed record ScrapeSettings
{
    [Description("HTTP path. Default: /metrics.")]
    [Text(MinLength = 1, MaxLength = 512, Pattern = "^/.*$")]
    public string? Path { get; init; }

    [Description("http or https. Default: http, or https when tls is set.")]
    public ScrapeScheme? Scheme { get; init; }

    [Description("URL parameters.")]
    [Entries(16)]
    public IReadOnlyDictionary<string, IReadOnlyList<string>>? Params { get; init; }

    [Description("Time between two scrapes, for example 15s.")]
    [Text(MinLength = 1, MaxLength = 32, Pattern = Patterns.Duration)]
    public string? Interval { get; init; }

    [Description("Time after which a scrape is given up; not above the interval.")]
    [Text(MinLength = 1, MaxLength = 32, Pattern = Patterns.Duration)]
    public string? Timeout { get; init; }

    [Description("Labels of the target win over ours. Default: false.")]
    public bool? HonorLabels { get; init; }

    [Description("Timestamps of the target are used. Default: true.")]
    public bool? HonorTimestamps { get; init; }

    [Description("Follow HTTP redirects. Default: true.")]
    public bool? FollowRedirects { get; init; }

    [Description("Also keep the classic buckets of histograms that the target exposes as native ones. Default: false.")]
    public bool? ClassicHistograms { get; init; }

    [Description("Turn classic histograms into native ones with custom buckets (Prometheus 3.4 or newer). Default: false.")]
    public bool? NativeHistograms { get; init; }

    [Description("TLS of the connection.")]
    public TlsSettings? Tls { get; init; }

    [Description("How we prove who we are.")]
    public AuthSettings? Auth { get; init; }

    [Description("When a scrape is too big. Not above the maximum of the MonitoringStack.")]
    public ScrapeLimits? Limits { get; init; }

    [Description("Changes to the labels of targets, before the scrape. Targets can be dropped here.")]
    [Entries(32)]
    public IReadOnlyList<Relabeling>? Relabelings { get; init; }

    [Description("Changes to the labels of samples, after the scrape. Samples can be dropped here.")]
    [Entries(32)]
    public IReadOnlyList<Relabeling>? MetricRelabelings { get; init; }
}

public enum ScrapeScheme
{
    [JsonStringEnumMemberName("http")]
    Http,
    [JsonStringEnumMemberName("https")]
    Https,
}

public sealed record TlsSettings
{
    [Description("CA certificate that must have signed the target's certificate. Default: the system's.")]
    public SecretKey? Ca { get; init; }

    [Description("Our client certificate, for mutual TLS.")]
    public SecretKey? Cert { get; init; }

    [Description("The key of our client certificate.")]
    public SecretKey? Key { get; init; }

    [Description("Name that the target's certificate must carry.")]
    [Text(MinLength = 1, MaxLength = 253)]
    public string? ServerName { get; init; }

    [Description("Do not check the target's certificate. Default: false.")]
    public bool? InsecureSkipVerify { get; init; }
}

[OneOf("bearer", "basic", "oauth2", Optional = true)]
public sealed record AuthSettings
{
    [Description("A bearer token.")]
    public SecretKey? Bearer { get; init; }

    [Description("User name and password.")]
    public BasicAuth? Basic { get; init; }

    [Description("OAuth 2.0 client credentials.")]
    public OAuth2? Oauth2 { get; init; }
}

public sealed record BasicAuth
{
    [Description("The user name.")]
    [Text(MinLength = 1, MaxLength = 256)]
    public required string Username { get; init; }

    [Description("The password.")]
    public required SecretKey Password { get; init; }
}

public sealed record OAuth2
{
    [Description("The client's identifier.")]
    [Text(MinLength = 1, MaxLength = 256)]
    public required string ClientId { get; init; }

    [Description("The client's secret.")]
    public required SecretKey ClientSecret { get; init; }

    [Description("Where tokens are fetched.")]
    [Text(MinLength = 8, MaxLength = 2048, Pattern = Patterns.Url)]
    public required string TokenUrl { get; init; }

    [Description("Scopes of the token.")]
    [Entries(32)]
    [Text(MaxLength = 256)]
    public IReadOnlyList<string>? Scopes { get; init; }

    [Description("Further parameters of the token request.")]
    [Entries(16)]
    public IReadOnlyDictionary<string, string>? EndpointParams { get; init; }
}

/// <summary>Limits of one scrape; 0 or nothing means no limit.</summary>
public sealed record ScrapeLimits
{
    [Description("Most samples of one scrape; a bigger scrape fails as a whole.")]
    public long? Samples { get; init; }

    [Description("Most targets of the job; with more, all fail.")]
    public long? Targets { get; init; }

    [Description("Most labels of a sample.")]
    public long? Labels { get; init; }

    [Description("Longest label name.")]
    public long? LabelNameLength { get; init; }

    [Description("Longest label value.")]
    public long? LabelValueLength { get; init; }

    [Description("Biggest answer, for example 10MB.")]
    [Text(MinLength = 1, MaxLength = 32, Pattern = Patterns.ByteSize)]
    public string? BodySize { get; init; }
}

/// <summary>One relabelling step, as in Prometheus.</summary>
public sealed record Relabeling
{
    [Description("Labels whose values are joined.")]
    [Entries(16)]
    [Text(MaxLength = 256)]
    public IReadOnlyList<string>? SourceLabels { get; init; }

    [Description("What joins them. Default: ;")]
    [Text(MaxLength = 16)]
    public string? Separator { get; init; }

    [Description("Label that is written.")]
    [Text(MaxLength = 256)]
    public string? TargetLabel { get; init; }

    [Description("Regular expression that the joined value must match as a whole. Default: (.*)")]
    [Text(MaxLength = 2048)]
    public string? Regex { get; init; }

    [Description("Modulus of the hash, for action hashmod.")]
    [Number(1, 9007199254740991)]
    public long? Modulus { get; init; }

    [Description("What is written; $1 is the first group. Default: $1")]
    [Text(MaxLength = 1024)]
    public string? Replacement { get; init; }

    [Description("What is done. Default: replace.")]
    public RelabelAction? Action { get; init; }
}

public enum RelabelAction
{
    [JsonStringEnumMemberName("replace")]
    Replace,
    [JsonStringEnumMemberName("keep")]
    Keep,
    [JsonStringEnumMemberName("drop")]
    Drop,
    [JsonStringEnumMemberName("keepequal")]
    KeepEqual,
    [JsonStringEnumMemberName("dropequal")]
    DropEqual,
    [JsonStringEnumMemberName("hashmod")]
    HashMod,
    [JsonStringEnumMemberName("labelmap")]
    LabelMap,
    [JsonStringEnumMemberName("labeldrop")]
    LabelDrop,
    [JsonStringEnumMemberName("labelkeep")]
    LabelKeep,
    [JsonStringEnumMemberName("lowercase")]
    Lowercase,
    [JsonStringEnumMemberName("uppercase")]
    Uppercase,
}
