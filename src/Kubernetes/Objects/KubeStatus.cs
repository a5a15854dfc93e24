namespace OptiInfra.Kubernetes.Objects;

/// <summary>The body of every error answer, and of ERROR frames in a watch (meta/v1 Status).</summary>
public sealed record KubeStatus
{
    public string? Kind { get; init; }

    public string? Status { get; init; }

    public string? Message { get; init; }

    public string? Reason { get; init; }

    public int? Code { get; init; }

    public KubeStatusDetails? Details { get; init; }
}

public sealed record KubeStatusDetails
{
    public string? Name { get; init; }

    public string? Group { get; init; }

    public string? Kind { get; init; }

    public string? Uid { get; init; }

    public int? RetryAfterSeconds { get; init; }

    public IReadOnlyList<KubeStatusCause>? Causes { get; init; }
}

/// <summary>One reason of several: a field that is wrong, or a field manager that is in the way.</summary>
public sealed record KubeStatusCause
{
    public string? Reason { get; init; }

    public string? Message { get; init; }

    public string? Field { get; init; }
}
