namespace OptiInfra.Operator.Sync;

/// <summary>How one <c>sync</c> runs; see <see cref="SyncApp"/>.</summary>
internal sealed record SyncOptions
{
    /// <summary>The stack whose configuration this Prometheus runs.</summary>
    public string Stack { get; init; } = "default";

    /// <summary>The stack's namespace, where its ConfigMaps are.</summary>
    public required string Namespace { get; init; }

    /// <summary>The folder that Prometheus reads; its <c>--config.file</c> is <c>current/prometheus.yml</c> in it.</summary>
    public required string Directory { get; init; }

    public Uri Prometheus { get; init; } = new("http://127.0.0.1:9090");

    /// <summary>Which copy this is: the Pod's name.</summary>
    public string Replica { get; init; } = "0";

    /// <summary>Changes that come within this time are loaded together.</summary>
    public TimeSpan Gather { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>How long until an unconfirmed load or an unwritten report is tried again.</summary>
    public TimeSpan Retry { get; init; } = TimeSpan.FromSeconds(1);
}
