using System.Text.Json.Serialization.Metadata;

namespace OptiInfra.Kubernetes.Objects;

/// <summary>A resource as the API addresses it: group, version, kind and plural name, and whether it lives in a namespace.</summary>
public sealed record ResourceKind(string Group, string Version, string Kind, string Plural, bool Namespaced = true)
{
    /// <summary><c>v1</c> for the core group, else <c>group/version</c>.</summary>
    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary>The path of the collection, of one namespace or (with null) of the whole cluster.</summary>
    public string CollectionPath(string? ns)
    {
        string root = Group.Length == 0 ? $"/api/{Version}" : $"/apis/{Group}/{Version}";
        return Namespaced && ns is { Length: > 0 } ? $"{root}/namespaces/{ns}/{Plural}" : $"{root}/{Plural}";
    }

    public string ObjectPath(string? ns, string name) => $"{CollectionPath(ns)}/{name}";
}

/// <summary>A resource kind together with the type that reads it; the one handle that clients, informers and controllers take.</summary>
public sealed record ResourceType<T>(ResourceKind Kind, JsonTypeInfo<T> Json)
    where T : class, IKubeObject;
