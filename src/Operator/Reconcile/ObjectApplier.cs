using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using OptiInfra.Compiler.Model;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;
using OptiInfra.Kubernetes.Runtime;

namespace OptiInfra.Operator.Reconcile;

/// <summary>
/// Applies manifests server-side with their owner, each only when its content or the object behind it changed since we
/// last applied it. What an owner no longer wants is deleted. Only objects of the owner's namespace can name it as their owner.
/// </summary>
internal sealed class ObjectApplier(KubeClient client)
{
    private readonly ConcurrentDictionary<Address, Applied> applied = new();

    /// <summary>The version of the object that holds this content; it is written if need be.</summary>
    public async Task<string> ApplyAsync(Manifest manifest, ResourceKind ownerKind, ObjectMeta owner, CancellationToken stop)
    {
        Address address = new(manifest.Kind, new ObjectKey(manifest.Namespace ?? "", manifest.Name));
        if (applied.TryGetValue(address, out Applied? before) && before.Hash == manifest.Hash && before.Owner == owner.Uid)
        {
            return before.Version;
        }

        JsonObject whole = (JsonObject)manifest.Json.DeepClone();
        if (manifest.Namespace == owner.Namespace)
        {
            OwnerReferences.SetController(whole, ownerKind, owner);
        }

        JsonObject written = await client.ApplyAsync(manifest.Kind, whole, FieldManagers.Operator, force: true, stop);
        string version = (string?)written["metadata"]?["resourceVersion"] ?? "";
        applied[address] = new Applied(manifest.Hash, version, owner.Uid);
        return version;
    }

    /// <summary>Deletes what this owner had applied and no longer wants.</summary>
    public async Task PruneAsync(ObjectMeta owner, IReadOnlyCollection<Manifest> wanted, CancellationToken stop)
    {
        HashSet<Address> kept = [.. wanted.Select(manifest => new Address(manifest.Kind, new ObjectKey(manifest.Namespace ?? "", manifest.Name)))];
        foreach ((Address address, Applied object_) in applied.Where(pair => pair.Value.Owner == owner.Uid && !kept.Contains(pair.Key)).ToArray())
        {
            await client.DeleteAsync(address.Kind, address.Key, null, stop);
            applied.TryRemove(KeyValuePair.Create(address, object_));
        }
    }

    /// <summary>The server has this version of an object (null: none). Returns whether that was not our doing; it is then written again when it is next applied.</summary>
    public bool Notice(ResourceKind kind, ObjectKey key, string? version)
    {
        Address address = new(kind, key);
        if (!applied.TryGetValue(address, out Applied? known) || (version is not null && ResourceVersions.Compare(version, known.Version) <= 0))
        {
            return false;
        }

        return applied.TryRemove(KeyValuePair.Create(address, known));
    }

    private readonly record struct Address(ResourceKind Kind, ObjectKey Key);

    private sealed record Applied(string Hash, string Version, string? Owner);
}
