using System.Text.Json.Nodes;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Compiler.Model;

/// <summary>
/// One object to apply, complete but for its ownerReference, which the operator adds because only the cluster knows the
/// owner's uid. It carries its own content hash, so that an object that is already right is not written again.
/// </summary>
public sealed record Manifest
{
    private Manifest(ResourceKind kind, JsonObject json, string hash)
    {
        Kind = kind;
        Json = json;
        Hash = hash;
    }

    public ResourceKind Kind { get; }

    /// <summary>The object. Treat it as read-only.</summary>
    public JsonObject Json { get; }

    public string Hash { get; }

    public string Name => (string)Json["metadata"]!["name"]!;

    public string? Namespace => (string?)Json["metadata"]!["namespace"];

    /// <summary>Builds the object: <paramref name="body"/> is everything beside apiVersion, kind and metadata.</summary>
    public static Manifest Create(ResourceKind kind, string? ns, string name, IEnumerable<KeyValuePair<string, string>> labels, JsonObject body, IEnumerable<KeyValuePair<string, string>>? annotations = null)
    {
        ArgumentNullException.ThrowIfNull(kind);
        ArgumentNullException.ThrowIfNull(body);
        var labelMap = new JsonObject { [Contract.ManagedByLabel] = Contract.ManagedBy };
        foreach ((string key, string value) in labels)
        {
            labelMap[key] = value;
        }

        var metadata = new JsonObject { ["name"] = name };
        if (ns is not null)
        {
            metadata["namespace"] = ns;
        }

        metadata["labels"] = labelMap;
        var annotationMap = new JsonObject();
        foreach ((string key, string value) in annotations ?? [])
        {
            annotationMap[key] = value;
        }

        metadata["annotations"] = annotationMap;
        var json = new JsonObject { ["apiVersion"] = kind.ApiVersion, ["kind"] = kind.Kind, ["metadata"] = metadata };
        foreach ((string key, JsonNode? value) in body)
        {
            json[key] = value?.DeepClone();
        }

        string hash = Naming.Hash(json.ToJsonString());
        annotationMap[Contract.HashAnnotation] = hash;
        return new Manifest(kind, json, hash);
    }
}

/// <summary>The kinds that we write.</summary>
public static class Kinds
{
    public static readonly ResourceKind ConfigMap = new("", "v1", "ConfigMap", "configmaps");
    public static readonly ResourceKind Secret = new("", "v1", "Secret", "secrets");
    public static readonly ResourceKind Service = new("", "v1", "Service", "services");
    public static readonly ResourceKind ServiceAccount = new("", "v1", "ServiceAccount", "serviceaccounts");
    public static readonly ResourceKind Deployment = new("apps", "v1", "Deployment", "deployments");
    public static readonly ResourceKind DaemonSet = new("apps", "v1", "DaemonSet", "daemonsets");
    public static readonly ResourceKind StatefulSet = new("apps", "v1", "StatefulSet", "statefulsets");
    public static readonly ResourceKind NetworkPolicy = new("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies");
    public static readonly ResourceKind Role = new("rbac.authorization.k8s.io", "v1", "Role", "roles");
    public static readonly ResourceKind RoleBinding = new("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings");
    public static readonly ResourceKind ClusterRole = new("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", Namespaced: false);
    public static readonly ResourceKind ClusterRoleBinding = new("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", Namespaced: false);
    public static readonly ResourceKind PodDisruptionBudget = new("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets");
    public static readonly ResourceKind PersistentVolumeClaim = new("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims");
}
