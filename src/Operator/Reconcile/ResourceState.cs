using OptiInfra.Kubernetes.Objects;
using OptiInfra.PromQL.Text;

namespace OptiInfra.Operator.Reconcile;

/// <summary>What became of one generation of an agent or a policy when it was last reconciled; status rules read it.</summary>
internal sealed record ResourceState
{
    public required long Generation { get; init; }

    public required string? Uid { get; init; }

    /// <summary>The stack that serves it; null when none does.</summary>
    public ObjectKey? Stack { get; init; }

    /// <summary>Its key on the shelf.</summary>
    public required string Key { get; init; }

    public required IReadOnlyList<Diagnostic> Diagnostics { get; init; }

    /// <summary>The newest generation that compiled without an error.</summary>
    public long? LastGoodGeneration { get; init; }

    /// <summary>The compiled text is empty: there is nothing to write or to load.</summary>
    public bool IsEmpty { get; init; }

    /// <summary>Policies: how many rules it has and how many agents it watches.</summary>
    public int Rules { get; init; }

    public int Agents { get; init; }

    public bool IsGood => !Diagnostics.Any(diagnostic => diagnostic.IsError);

    public Diagnostic? FirstError => Diagnostics.FirstOrDefault(diagnostic => diagnostic.IsError);
}
