using OptiInfra.Crds;

namespace OptiInfra.Compiler.Model;

/// <summary>
/// One scrape job with every default filled in, before it is written in the form that a stack wants: a job of its own
/// (native), a target specification and a class (resolved), a ServiceMonitor (prometheus-operator) or fixed addresses (files).
/// </summary>
internal sealed record JobModel
{
    public required string Job { get; init; }

    public required string Namespace { get; init; }

    public required TargetSource Source { get; init; }

    public IntOrString? Port { get; init; }

    /// <summary>Labels of every target, in the order in which they are written.</summary>
    public required IReadOnlyList<KeyValuePair<string, string>> Labels { get; init; }

    public string Path { get; init; } = "/metrics";

    public required string Scheme { get; init; }

    public required string Interval { get; init; }

    public required string Timeout { get; init; }

    public IReadOnlyDictionary<string, IReadOnlyList<string>>? Params { get; init; }

    /// <summary>What else the user said; interval, timeout, path, scheme, params and limits are taken from this record.</summary>
    public required ScrapeSettings Settings { get; init; }

    /// <summary>After the stack's defaults and maxima.</summary>
    public required ScrapeLimits Limits { get; init; }

    /// <summary>The targets are probed through the exporter at this address (blackbox).</summary>
    public string? ProbeThrough { get; init; }

    /// <summary>Steps of our own that come before the user's.</summary>
    public IReadOnlyList<Relabeling> OwnRelabelings { get; init; } = [];
}
