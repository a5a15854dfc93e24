using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Kubernetes.Runtime;

/// <summary>
/// Which changes are worth a look. Only updates are judged: what came, went, or is shown again always passes.
/// </summary>
public static class Predicates
{
    /// <summary>The spec changed (or deletion began): the API server raises the generation, and not for status or metadata.</summary>
    public static bool GenerationChanged<T>(StoreChange<T> change)
        where T : class, IKubeObject =>
        IsNoUpdate(change)
        || change.Old!.Metadata.Generation != change.Current!.Metadata.Generation
        || change.Old.Metadata.IsDeleting != change.Current.Metadata.IsDeleting;

    public static bool LabelsChanged<T>(StoreChange<T> change)
        where T : class, IKubeObject =>
        IsNoUpdate(change) || !Same(change.Old!.Metadata.Labels, change.Current!.Metadata.Labels);

    public static bool AnnotationsChanged<T>(StoreChange<T> change)
        where T : class, IKubeObject =>
        IsNoUpdate(change) || !Same(change.Old!.Metadata.Annotations, change.Current!.Metadata.Annotations);

    public static Func<StoreChange<T>, bool> Any<T>(params Func<StoreChange<T>, bool>[] predicates)
        where T : class, IKubeObject =>
        change => predicates.Any(predicate => predicate(change));

    public static Func<StoreChange<T>, bool> All<T>(params Func<StoreChange<T>, bool>[] predicates)
        where T : class, IKubeObject =>
        change => predicates.All(predicate => predicate(change));

    private static bool IsNoUpdate<T>(StoreChange<T> change)
        where T : class, IKubeObject
    {
        ArgumentNullException.ThrowIfNull(change);
        return change.Kind != StoreChangeKind.Updated;
    }

    private static bool Same(IReadOnlyDictionary<string, string>? a, IReadOnlyDictionary<string, string>? b) =>
        (a?.Count ?? 0) == (b?.Count ?? 0)
        && (a is null || a.All(pair => b!.TryGetValue(pair.Key, out string? value) && value == pair.Value));
}
