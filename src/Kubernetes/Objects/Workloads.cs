using System.Text.Json.Serialization;

namespace OptiInfra.Kubernetes.Objects;

public sealed record Pod : IKubeObject
{
    public ObjectMeta Metadata { get; init; } = new();

    public PodSpec? Spec { get; init; }

    public PodStatus? Status { get; init; }
}

public sealed record PodSpec
{
    public string? NodeName { get; init; }

    public IReadOnlyList<Container>? Containers { get; init; }

    public IReadOnlyList<Container>? InitContainers { get; init; }
}

public sealed record Container
{
    public string Name { get; init; } = "";

    public string? Image { get; init; }

    public string? RestartPolicy { get; init; }

    public IReadOnlyList<ContainerPort>? Ports { get; init; }
}

public sealed record ContainerPort
{
    public string? Name { get; init; }

    [JsonPropertyName("containerPort")]
    public int Number { get; init; }

    public string? Protocol { get; init; }
}

public sealed record PodStatus
{
    public string? Phase { get; init; }

    public string? PodIP { get; init; }

    public string? HostIP { get; init; }

    public string? Reason { get; init; }

    public IReadOnlyList<ObservedCondition>? Conditions { get; init; }

    public IReadOnlyList<ContainerStatus>? ContainerStatuses { get; init; }
}

public sealed record ContainerStatus
{
    public string Name { get; init; } = "";

    public bool Ready { get; init; }

    public int RestartCount { get; init; }

    public ContainerState? State { get; init; }

    public ContainerState? LastState { get; init; }
}

public sealed record ContainerState
{
    public ContainerStateDetail? Waiting { get; init; }

    public ContainerStateDetail? Terminated { get; init; }
}

public sealed record ContainerStateDetail
{
    public string? Reason { get; init; }

    public string? Message { get; init; }

    public int? ExitCode { get; init; }
}

public sealed record Deployment : IKubeObject
{
    public ObjectMeta Metadata { get; init; } = new();

    public WorkloadSpec? Spec { get; init; }

    public WorkloadStatus? Status { get; init; }
}

public sealed record StatefulSet : IKubeObject
{
    public ObjectMeta Metadata { get; init; } = new();

    public WorkloadSpec? Spec { get; init; }

    public WorkloadStatus? Status { get; init; }
}

public sealed record DaemonSet : IKubeObject
{
    public ObjectMeta Metadata { get; init; } = new();

    public WorkloadSpec? Spec { get; init; }

    public WorkloadStatus? Status { get; init; }
}

/// <summary>What Deployments, StatefulSets and DaemonSets have in common in their specs.</summary>
public sealed record WorkloadSpec
{
    public int? Replicas { get; init; }

    public LabelSelector? Selector { get; init; }

    public string? ServiceName { get; init; }
}

/// <summary>The counters of all three workload kinds; those that a kind does not have stay null.</summary>
public sealed record WorkloadStatus
{
    public long? ObservedGeneration { get; init; }

    public int? Replicas { get; init; }

    public int? ReadyReplicas { get; init; }

    public int? UpdatedReplicas { get; init; }

    public int? AvailableReplicas { get; init; }

    public int? UnavailableReplicas { get; init; }

    public int? DesiredNumberScheduled { get; init; }

    public int? NumberReady { get; init; }

    public int? NumberAvailable { get; init; }

    public string? CurrentRevision { get; init; }

    public string? UpdateRevision { get; init; }

    public IReadOnlyList<ObservedCondition>? Conditions { get; init; }
}
