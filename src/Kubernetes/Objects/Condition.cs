namespace OptiInfra.Kubernetes.Objects;

/// <summary>A standard status condition (meta/v1 Condition).</summary>
public sealed record Condition
{
    public const string True = "True";
    public const string False = "False";
    public const string Unknown = "Unknown";

    public required string Type { get; init; }

    public required string Status { get; init; }

    public long? ObservedGeneration { get; init; }

    public required DateTimeOffset LastTransitionTime { get; init; }

    public required string Reason { get; init; }

    public required string Message { get; init; }
}

/// <summary>A label selector: all labels and all expressions must hold; an empty selector selects everything.</summary>
public sealed record LabelSelector
{
    public IReadOnlyDictionary<string, string>? MatchLabels { get; init; }

    public IReadOnlyList<LabelSelectorRequirement>? MatchExpressions { get; init; }

    public bool Matches(IReadOnlyDictionary<string, string>? labels)
    {
        foreach ((string key, string value) in MatchLabels ?? new Dictionary<string, string>())
        {
            if (labels is null || !labels.TryGetValue(key, out string? actual) || actual != value)
            {
                return false;
            }
        }

        return MatchExpressions is null || MatchExpressions.All(requirement => requirement.Matches(labels));
    }
}

/// <summary>One expression of a selector: In, NotIn, Exists or DoesNotExist.</summary>
public sealed record LabelSelectorRequirement
{
    public required string Key { get; init; }

    public required string Operator { get; init; }

    public IReadOnlyList<string>? Values { get; init; }

    internal bool Matches(IReadOnlyDictionary<string, string>? labels)
    {
        string? actual = null;
        bool present = labels is not null && labels.TryGetValue(Key, out actual);
        return Operator switch
        {
            "In" => present && Values is not null && Values.Contains(actual),
            "NotIn" => !present || Values is null || !Values.Contains(actual),
            "Exists" => present,
            "DoesNotExist" => !present,
            _ => false,
        };
    }
}
