namespace OptiInfra.Kubernetes.Objects;

/// <summary>A Lease: who holds a role, until when (coordination.k8s.io/v1).</summary>
public sealed record Lease : IKubeObject
{
    public ObjectMeta Metadata { get; init; } = new();

    public LeaseSpec? Spec { get; init; }
}

public sealed record LeaseSpec
{
    public string? HolderIdentity { get; init; }

    public int? LeaseDurationSeconds { get; init; }

    public DateTimeOffset? AcquireTime { get; init; }

    public DateTimeOffset? RenewTime { get; init; }

    public int? LeaseTransitions { get; init; }
}

/// <summary>An event of events.k8s.io/v1 (the type is not called Event, which C# reserves for itself in too many places).</summary>
public sealed record KubeEvent : IKubeObject
{
    public ObjectMeta Metadata { get; init; } = new();

    public DateTimeOffset? EventTime { get; init; }

    public string? Type { get; init; }

    public string? Reason { get; init; }

    public string? Action { get; init; }

    public string? Note { get; init; }

    public string? ReportingController { get; init; }

    public string? ReportingInstance { get; init; }

    public ObjectReference? Regarding { get; init; }

    public ObjectReference? Related { get; init; }

    public EventSeries? Series { get; init; }
}

public sealed record EventSeries
{
    public int Count { get; init; }

    public DateTimeOffset? LastObservedTime { get; init; }
}
