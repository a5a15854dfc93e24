using System.Text.Json.Nodes;

namespace OptiInfra.ApiServer.Storage;

/// <summary>The order of an object's metadata: as the real server's types declare it, or by name for custom resources.</summary>
internal static class MetadataOrder
{
    private static readonly string[] Declared =
    [
        "name", "generateName", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp",
        "deletionGracePeriodSeconds", "labels", "annotations", "ownerReferences", "finalizers", "managedFields",
    ];

    /// <summary>Puts the members in order, in place, with room for the version that the store fills in.</summary>
    public static void Apply(JsonObject metadata, bool sorted)
    {
        metadata["resourceVersion"] ??= "";
        KeyValuePair<string, JsonNode?>[] members =
        [
            .. sorted
                ? metadata.OrderBy(member => member.Key, StringComparer.Ordinal)
                : metadata.OrderBy(member => Array.IndexOf(Declared, member.Key) is >= 0 and int at ? at : Declared.Length),
        ];
        metadata.Clear();
        foreach ((string name, JsonNode? value) in members)
        {
            metadata[name] = value;
        }
    }
}
