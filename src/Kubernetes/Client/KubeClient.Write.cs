using System.Text.Json.Nodes;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Kubernetes.Client;

/// <summary>What may go with a write.</summary>
public sealed record WriteOptions
{
    public string? FieldManager { get; init; }

    /// <summary>Take fields from other managers (apply only).</summary>
    public bool Force { get; init; }

    public bool DryRun { get; init; }

    /// <summary><c>status</c>, <c>scale</c>, …; empty writes the object itself.</summary>
    public string? Subresource { get; init; }

    /// <summary><c>Ignore</c>, <c>Warn</c> or <c>Strict</c>: what becomes of unknown fields.</summary>
    public string? FieldValidation { get; init; }
}

/// <summary>How to delete, and on which condition.</summary>
public sealed record DeleteOptions
{
    /// <summary><c>Background</c>, <c>Foreground</c> or <c>Orphan</c>.</summary>
    public string PropagationPolicy { get; init; } = "Background";

    public long? GracePeriodSeconds { get; init; }

    /// <summary>Delete only this very object, not a later one of the same name.</summary>
    public string? Uid { get; init; }

    public string? ResourceVersion { get; init; }

    public bool DryRun { get; init; }
}

/// <summary>A change to an object, in one of the languages that the API speaks.</summary>
public sealed record KubePatch
{
    private KubePatch(string contentType, JsonNode body)
    {
        ContentType = contentType;
        Body = body;
    }

    public string ContentType { get; }

    public JsonNode Body { get; }

    /// <summary>RFC 7396: what is given replaces, null removes.</summary>
    public static KubePatch Merge(JsonObject change) => new("application/merge-patch+json", change);

    /// <summary>RFC 6902: a list of operations, among them tests.</summary>
    public static KubePatch Json(JsonArray operations) => new("application/json-patch+json", operations);

    /// <summary>Built-in kinds only: like merge, but lists are merged by key.</summary>
    public static KubePatch Strategic(JsonObject change) => new("application/strategic-merge-patch+json", change);

    internal static KubePatch Apply(JsonObject manifest) => new("application/apply-patch+yaml", manifest);
}

public sealed partial class KubeClient
{
    /// <summary>Creates an object and returns what the server made of it.</summary>
    public Task<JsonObject> CreateAsync(ResourceKind kind, JsonObject manifest, CancellationToken cancellationToken) =>
        CreateAsync(kind, manifest, null, cancellationToken);

    public Task<JsonObject> CreateAsync(ResourceKind kind, JsonObject manifest, WriteOptions? write, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(kind);
        ArgumentNullException.ThrowIfNull(manifest);
        string path = kind.CollectionPath(KeyOf(kind, manifest).Namespace);
        return CallForObjectAsync(Write(HttpMethod.Post, path, manifest, "application/json", write), cancellationToken);
    }

    /// <summary>Replaces an object whole; its resourceVersion makes that fail when somebody wrote in between.</summary>
    public Task<JsonObject> ReplaceAsync(ResourceKind kind, JsonObject manifest, CancellationToken cancellationToken) =>
        ReplaceAsync(kind, manifest, null, cancellationToken);

    public Task<JsonObject> ReplaceAsync(ResourceKind kind, JsonObject manifest, WriteOptions? write, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(kind);
        ArgumentNullException.ThrowIfNull(manifest);
        string path = PathOf(kind, KeyOf(kind, manifest), write);
        return CallForObjectAsync(Write(HttpMethod.Put, path, manifest, "application/json", write), cancellationToken);
    }

    public Task<JsonObject> PatchAsync(ResourceKind kind, ObjectKey key, KubePatch patch, CancellationToken cancellationToken) =>
        PatchAsync(kind, key, patch, null, cancellationToken);

    public Task<JsonObject> PatchAsync(ResourceKind kind, ObjectKey key, KubePatch patch, WriteOptions? write, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(kind);
        ArgumentNullException.ThrowIfNull(patch);
        string path = PathOf(kind, key, write);
        return CallForObjectAsync(Write(HttpMethod.Patch, path, patch.Body, patch.ContentType, write), cancellationToken);
    }

    /// <summary>
    /// Server-side apply: says which fields this manager wants and with which values, creating the object if need be. Fields that the
    /// manager applied before and leaves out now are given up. Controllers force: their word on their own fields is the truth.
    /// </summary>
    public Task<JsonObject> ApplyAsync(ResourceKind kind, JsonObject manifest, string fieldManager, bool force, CancellationToken cancellationToken) =>
        ApplyAsync(kind, manifest, new WriteOptions { FieldManager = fieldManager, Force = force }, cancellationToken);

    /// <summary>Server-side apply of the status subresource.</summary>
    public Task<JsonObject> ApplyStatusAsync(ResourceKind kind, JsonObject manifest, string fieldManager, bool force, CancellationToken cancellationToken) =>
        ApplyAsync(kind, manifest, new WriteOptions { FieldManager = fieldManager, Force = force, Subresource = "status" }, cancellationToken);

    public Task<JsonObject> ApplyAsync(ResourceKind kind, JsonObject manifest, WriteOptions write, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(kind);
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(write);
        return PatchAsync(kind, KeyOf(kind, manifest), KubePatch.Apply(manifest), write, cancellationToken);
    }

    /// <summary>Deletes an object. False when there was none; true also when finalizers still hold it.</summary>
    public async Task<bool> DeleteAsync(ResourceKind kind, ObjectKey key, DeleteOptions? delete, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(kind);
        delete ??= new DeleteOptions();
        var body = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "DeleteOptions",
            ["propagationPolicy"] = delete.PropagationPolicy,
        };
        if (delete.GracePeriodSeconds is { } grace)
        {
            body["gracePeriodSeconds"] = grace;
        }

        if ((delete.Uid ?? delete.ResourceVersion) is not null)
        {
            var preconditions = new JsonObject();
            if (delete.Uid is { } uid)
            {
                preconditions["uid"] = uid;
            }

            if (delete.ResourceVersion is { } version)
            {
                preconditions["resourceVersion"] = version;
            }

            body["preconditions"] = preconditions;
        }

        try
        {
            WriteOptions write = new() { DryRun = delete.DryRun };
            await CallAsync(Write(HttpMethod.Delete, kind.ObjectPath(key.Namespace, key.Name), body, "application/json", write), cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (KubeApiException e) when (e.IsNotFound)
        {
            return false;
        }
    }

    private static KubeRequest Write(HttpMethod method, string path, JsonNode body, string contentType, WriteOptions? write) =>
        new(method, path + Query(
            ("fieldManager", write?.FieldManager),
            ("force", write is { Force: true } ? "true" : null),
            ("dryRun", write is { DryRun: true } ? "All" : null),
            ("fieldValidation", write?.FieldValidation)))
        {
            Body = Bytes(body),
            ContentType = contentType,
        };

    private static string PathOf(ResourceKind kind, ObjectKey key, WriteOptions? write)
    {
        string path = kind.ObjectPath(key.Namespace, key.Name);
        return write?.Subresource is { Length: > 0 } subresource ? $"{path}/{subresource}" : path;
    }

    // A namespaced manifest without a namespace goes to the default one of the configuration, as with kubectl.
    private ObjectKey KeyOf(ResourceKind kind, JsonObject manifest)
    {
        JsonNode? metadata = manifest["metadata"];
        string ns = kind.Namespaced ? metadata?["namespace"]?.ToString() ?? Config.Namespace : "";
        return new ObjectKey(ns, metadata?["name"]?.ToString() ?? "");
    }
}
