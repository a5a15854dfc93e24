namespace OptiInfra.Kubernetes.Objects;

/// <summary>A ConfigMap: text by key.</summary>
public sealed record ConfigMap : IKubeObject
{
    public ObjectMeta Metadata { get; init; } = new();

    public IReadOnlyDictionary<string, string>? Data { get; init; }

    public IReadOnlyDictionary<string, byte[]>? BinaryData { get; init; }

    public bool? Immutable { get; init; }
}

/// <summary>A Secret: bytes by key (the API carries them in base64).</summary>
public sealed record Secret : IKubeObject
{
    public ObjectMeta Metadata { get; init; } = new();

    public string? Type { get; init; }

    public IReadOnlyDictionary<string, byte[]>? Data { get; init; }
}

public sealed record Namespace : IKubeObject
{
    public ObjectMeta Metadata { get; init; } = new();

    public NamespaceStatus? Status { get; init; }
}

public sealed record NamespaceStatus
{
    public string? Phase { get; init; }
}

public sealed record ServiceAccount : IKubeObject
{
    public ObjectMeta Metadata { get; init; } = new();

    public IReadOnlyList<ObjectReference>? Secrets { get; init; }
}

public sealed record Node : IKubeObject
{
    public ObjectMeta Metadata { get; init; } = new();

    public NodeStatus? Status { get; init; }
}

public sealed record NodeStatus
{
    public IReadOnlyList<NodeAddress>? Addresses { get; init; }

    public IReadOnlyList<ObservedCondition>? Conditions { get; init; }
}

public sealed record NodeAddress
{
    public string? Type { get; init; }

    public string? Address { get; init; }
}

/// <summary>How one object names another (core/v1 ObjectReference).</summary>
public sealed record ObjectReference
{
    public string? ApiVersion { get; init; }

    public string? Kind { get; init; }

    public string? Namespace { get; init; }

    public string? Name { get; init; }

    public string? Uid { get; init; }

    public string? ResourceVersion { get; init; }

    public string? FieldPath { get; init; }

    public static ObjectReference To(ResourceKind kind, ObjectMeta metadata)
    {
        ArgumentNullException.ThrowIfNull(kind);
        ArgumentNullException.ThrowIfNull(metadata);
        return new()
        {
            ApiVersion = kind.ApiVersion,
            Kind = kind.Kind,
            Namespace = metadata.Namespace,
            Name = metadata.Name,
            Uid = metadata.Uid,
            ResourceVersion = metadata.ResourceVersion,
        };
    }
}

/// <summary>A condition as built-in kinds report it: unlike <see cref="Condition"/> nothing but type and status is promised.</summary>
public sealed record ObservedCondition
{
    public string Type { get; init; } = "";

    public string Status { get; init; } = Condition.Unknown;

    public string? Reason { get; init; }

    public string? Message { get; init; }

    public DateTimeOffset? LastTransitionTime { get; init; }
}
