using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Operator.Sync;

/// <summary>What targets are resolved against: what is known of one namespace at this moment.</summary>
internal sealed record NamespaceView
{
    public required Func<IEnumerable<EndpointSlice>> Slices { get; init; }

    public required Func<string, IEnumerable<EndpointSlice>> SlicesOf { get; init; }

    public required Func<IEnumerable<Pod>> Pods { get; init; }

    public required Func<string, Pod?> Pod { get; init; }

    public Func<IEnumerable<Service>> Services { get; init; } = () => [];

    /// <summary>A view of objects at hand.</summary>
    public static NamespaceView Of(IReadOnlyList<EndpointSlice> slices, IReadOnlyList<Pod>? pods = null, IReadOnlyList<Service>? services = null) => new()
    {
        Slices = () => slices,
        SlicesOf = service => slices.Where(slice => slice.ServiceName == service),
        Pods = () => pods ?? [],
        Pod = name => pods?.FirstOrDefault(pod => pod.Metadata.Name == name),
        Services = () => services ?? [],
    };
}
