using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Kubernetes.Runtime;

/// <summary>Lists of status conditions, keyed by type.</summary>
public static class Conditions
{
    /// <summary>
    /// The list with one condition set. Its lastTransitionTime moves only when its status does; reason and message may change without.
    /// </summary>
    public static IReadOnlyList<Condition> Set(IReadOnlyList<Condition>? conditions, Condition wanted)
    {
        ArgumentNullException.ThrowIfNull(wanted);
        Condition? before = Find(conditions, wanted.Type);
        Condition set = before is not null && before.Status == wanted.Status
            ? wanted with { LastTransitionTime = before.LastTransitionTime }
            : wanted;
        return before is null
            ? [.. conditions ?? [], set]
            : [.. conditions!.Select(condition => condition.Type == wanted.Type ? set : condition)];
    }

    public static Condition? Find(IReadOnlyList<Condition>? conditions, string type) =>
        conditions?.FirstOrDefault(condition => condition.Type == type);

    public static bool IsTrue(IReadOnlyList<Condition>? conditions, string type) => Find(conditions, type)?.Status == Condition.True;
}
