using System.Text.Json.Nodes;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Kubernetes.Runtime;

/// <summary>The object has a controller already, and it is not the one that was to be set.</summary>
public sealed class AlreadyOwnedException(string message) : Exception(message);

/// <summary>
/// Who controls whom. The garbage collector deletes what its owner left behind; a change of a child leads back to its controller.
/// </summary>
public static class OwnerReferences
{
    /// <summary>The key of the object of this kind that controls a child, if there is one.</summary>
    public static ObjectKey? ControllerKey(IKubeObject child, ResourceKind ownerKind)
    {
        ArgumentNullException.ThrowIfNull(child);
        ArgumentNullException.ThrowIfNull(ownerKind);
        foreach (OwnerReference owner in child.Metadata.OwnerReferences ?? [])
        {
            // The version may differ: an owner written as v1alpha1 is still the owner when we read v1.
            if (owner.Controller == true && owner.Kind == ownerKind.Kind && GroupOf(owner.ApiVersion) == ownerKind.Group)
            {
                return new ObjectKey(ownerKind.Namespaced ? child.Metadata.Namespace ?? "" : "", owner.Name);
            }
        }

        return null;
    }

    /// <summary>Makes an object the controller of a manifest, which must be in its namespace (or the owner cluster-scoped).</summary>
    public static void SetController(JsonObject manifest, ResourceKind ownerKind, ObjectMeta owner)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(ownerKind);
        ArgumentNullException.ThrowIfNull(owner);
        var metadata = manifest["metadata"] as JsonObject ?? throw new ArgumentException("the manifest has no metadata", nameof(manifest));
        if (ownerKind.Namespaced && metadata["namespace"]?.ToString() != owner.Namespace)
        {
            throw new ArgumentException($"{ownerKind.Kind} {owner.Namespace}/{owner.Name} cannot own an object in namespace \"{metadata["namespace"]}\": the garbage collector would delete it", nameof(manifest));
        }

        if (metadata["ownerReferences"] is not JsonArray references)
        {
            metadata["ownerReferences"] = references = [];
        }

        foreach (JsonObject reference in references.OfType<JsonObject>().ToList())
        {
            bool isController = reference["controller"] is JsonValue value && value.TryGetValue(out bool flag) && flag;
            if (reference["uid"]?.ToString() == owner.Uid)
            {
                references.Remove(reference);
            }
            else if (isController)
            {
                throw new AlreadyOwnedException($"{metadata["namespace"]}/{metadata["name"]} is already controlled by {reference["kind"]} {reference["name"]}");
            }
        }

        references.Add((JsonNode)new JsonObject
        {
            ["apiVersion"] = ownerKind.ApiVersion,
            ["kind"] = ownerKind.Kind,
            ["name"] = owner.Name,
            ["uid"] = owner.Uid,
            ["controller"] = true,
            ["blockOwnerDeletion"] = true,
        });
    }

    private static string GroupOf(string apiVersion) => apiVersion.IndexOf('/', StringComparison.Ordinal) is var slash and > 0 ? apiVersion[..slash] : "";
}
