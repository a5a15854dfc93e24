using System.Text.Json.Nodes;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Kubernetes.Runtime;

/// <summary>
/// A finalizer keeps an object until what was made for it outside the cluster is gone. Add it before anything outside is
/// made, remove it last.
/// </summary>
public static class Finalizers
{
    /// <summary>
    /// Adds a finalizer if it is missing and the object is not being deleted (then the API forbids it). True when it holds now.
    /// </summary>
    public static async Task<bool> AddAsync(KubeClient client, ResourceKind kind, IKubeObject obj, string finalizer, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(obj);
        Check(finalizer);
        if (obj.Metadata.Finalizers?.Contains(finalizer) == true)
        {
            return true;
        }

        if (obj.Metadata.IsDeleting)
        {
            return false;
        }

        string[] wanted = [.. obj.Metadata.Finalizers ?? [], finalizer];
        await PatchAsync(client, kind, obj, wanted, cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>Removes a finalizer; the last one removed lets the object go. An object that is gone already is fine.</summary>
    public static async Task RemoveAsync(KubeClient client, ResourceKind kind, IKubeObject obj, string finalizer, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(obj);
        if (obj.Metadata.Finalizers?.Contains(finalizer) != true)
        {
            return;
        }

        try
        {
            string[] rest = [.. obj.Metadata.Finalizers.Where(other => other != finalizer)];
            await PatchAsync(client, kind, obj, rest, cancellationToken).ConfigureAwait(false);
        }
        catch (KubeApiException e) when (e.IsNotFound)
        {
            // Somebody removed it for us.
        }
    }

    // The list is replaced whole, so it must be the list we read: the resourceVersion in the patch makes the server check that.
    private static Task<JsonObject> PatchAsync(KubeClient client, ResourceKind kind, IKubeObject obj, string[] finalizers, CancellationToken cancellationToken)
    {
        var change = new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["resourceVersion"] = obj.Metadata.ResourceVersion,
                ["uid"] = obj.Metadata.Uid,
                ["finalizers"] = new JsonArray([.. finalizers.Select(name => (JsonNode)JsonValue.Create(name))]),
            },
        };
        return client.PatchAsync(kind, ObjectKey.Of(obj), KubePatch.Merge(change), cancellationToken);
    }

    private static void Check(string finalizer)
    {
        if (!finalizer.Contains('/', StringComparison.Ordinal))
        {
            throw new ArgumentException($"finalizer \"{finalizer}\" must be qualified by a domain, as in example.com/{finalizer}", nameof(finalizer));
        }
    }
}
