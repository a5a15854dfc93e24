namespace OptiInfra.Operator.Reconcile;

/// <summary>Under which names we own fields.</summary>
internal static class FieldManagers
{
    public const string Operator = "optiinfra";
}

/// <summary>resourceVersions of one resource, compared as Kubernetes' own servers count them.</summary>
internal static class ResourceVersions
{
    /// <summary>Where they are no numbers only equality is known; then the one that was seen last counts as newer.</summary>
    public static int Compare(string left, string right)
    {
        if (left == right)
        {
            return 0;
        }

        return ulong.TryParse(left, out ulong a) && ulong.TryParse(right, out ulong b) ? a.CompareTo(b) : 1;
    }
}
