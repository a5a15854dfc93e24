using System.Text.Json.Serialization;

namespace OptiInfra.Kubernetes.Objects;

// The tour of this folder. IKubeObject and its metadata stand here; ResourceKind.cs says how the API addresses a kind and which type
// reads it. Core, Network, Workloads and Coordination hold views of the built-in kinds, with just the fields we read; KubeTypes lists
// their handles and generates their JSON. DynamicObject.cs reads any kind, whole or only its metadata. Condition.cs has what
// statuses and selectors share, KubeStatus.cs how servers say no, YamlJson.cs how people write all this down.
// Guarantee: every type is immutable and may be shared. Not here: defaults and validation, which are the server's.

/// <summary>
/// What every Kubernetes object has. Our typed objects are immutable views: they hold the fields that we read, and
/// are never written back whole; writes go through apply and patch with just the fields we own.
/// </summary>
public interface IKubeObject
{
    ObjectMeta Metadata { get; }
}

/// <summary>The standard metadata of an object, as far as controllers read it.</summary>
public sealed record ObjectMeta
{
    public string? Name { get; init; }

    public string? GenerateName { get; init; }

    public string? Namespace { get; init; }

    public string? Uid { get; init; }

    public string? ResourceVersion { get; init; }

    public long? Generation { get; init; }

    public DateTimeOffset? CreationTimestamp { get; init; }

    public DateTimeOffset? DeletionTimestamp { get; init; }

    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    public IReadOnlyList<OwnerReference>? OwnerReferences { get; init; }

    public IReadOnlyList<string>? Finalizers { get; init; }

    /// <summary>The object is on its way out; only finalizers hold it.</summary>
    [JsonIgnore]
    public bool IsDeleting => DeletionTimestamp is not null;
}

/// <summary>Who an object belongs to; the garbage collector follows it.</summary>
public sealed record OwnerReference
{
    public required string ApiVersion { get; init; }

    public required string Kind { get; init; }

    public required string Name { get; init; }

    public required string Uid { get; init; }

    public bool? Controller { get; init; }

    public bool? BlockOwnerDeletion { get; init; }
}

/// <summary>Namespace and name: the key under which work is queued and objects are stored. Cluster-scoped objects have an empty namespace.</summary>
public readonly record struct ObjectKey(string Namespace, string Name)
{
    public static ObjectKey Of(IKubeObject obj)
    {
        ArgumentNullException.ThrowIfNull(obj);
        return new(obj.Metadata.Namespace ?? "", obj.Metadata.Name ?? "");
    }

    public override string ToString() => Namespace.Length == 0 ? Name : $"{Namespace}/{Name}";
}
