using OptiInfra.Operator.Feedback;

namespace OptiInfra.Operator;

/// <summary>How one operator runs; see <see cref="OperatorApp"/>.</summary>
internal sealed record OperatorOptions
{
    /// <summary>The namespaces it looks at; empty: all.</summary>
    public IReadOnlyList<string> Namespaces { get; init; } = [];

    /// <summary>Several copies may run; one of them works at a time.</summary>
    public bool LeaderElection { get; init; } = true;

    /// <summary>Where the Lease is: the operator's own namespace.</summary>
    public string LeaseNamespace { get; init; } = "optiinfra-system";

    /// <summary>Unique among the copies: the Pod's name.</summary>
    public string Identity { get; init; } = Environment.MachineName;

    /// <summary>Where /healthz, /readyz and /metrics are served; null serves nothing.</summary>
    public string? Listen { get; init; } = "http://0.0.0.0:8080";

    /// <summary>The image that has <c>sync</c>, for managed stacks: our own. Without it managed stacks get their configuration but no workloads.</summary>
    public string? Image { get; init; }

    public FeedbackOptions Feedback { get; init; } = new();
}
