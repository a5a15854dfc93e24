using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Storage;
using OptiInfra.ApiServer.Verbs;

namespace OptiInfra.ApiServer.Controllers;

/// <summary>
/// Follows owner references: removes objects whose owners are all gone, lets a foreground deletion wait for its
/// dependents, and takes the reference away from orphans. It looks at the store, not at a graph of its own: an object is
/// collected only when no object with the owner's uid is stored.
/// </summary>
internal sealed class GarbageCollector(ApiCore core) : Controller(core)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100);

    private readonly HashSet<string> watched = [];
    private CancellationToken stopping;

    /// <summary>Tables come and go with definitions: the collector joins them as it learns of them.</summary>
    protected override IReadOnlyList<string> Tables => [];

    public override Task RunAsync(CancellationToken cancellation)
    {
        stopping = cancellation;
        return Task.WhenAll(base.RunAsync(cancellation), JoinTablesAsync());
    }

    private async Task JoinTablesAsync()
    {
        List<Task> loops = [];
        while (!stopping.IsCancellationRequested)
        {
            foreach (ResourceInfo info in Core.Registry.Current.All.Where(info => info.Verbs.Contains("delete")))
            {
                if (watched.Add(info.Table))
                {
                    loops.Add(WatchAsync(info.Table, stopping));
                }
            }

            try
            {
                await Task.Delay(Tick, Core.Clock, stopping).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }

        await Task.WhenAll(loops).ConfigureAwait(false);
    }

    protected override IEnumerable<(string Table, string Key)> KeysOf(string table, StoredObject obj, StoreEventType type)
    {
        JsonObject metadata = obj.Metadata;
        if (type != StoreEventType.Deleted && (metadata.ContainsKey("ownerReferences") || metadata.ContainsKey("deletionTimestamp") && metadata.ContainsKey("finalizers")))
        {
            yield return (table, obj.Key);
        }

        if (type == StoreEventType.Deleted)
        {
            foreach ((string dependentTable, StoredObject dependent) in Dependents(obj.Uid))
            {
                yield return (dependentTable, dependent.Key);
            }

            // An owner in foreground deletion may have waited for this one.
            foreach (JsonObject owner in metadata.Arr("ownerReferences").Objects())
            {
                if (FindOwner(owner, obj.Key) is { } found)
                {
                    yield return found;
                }
            }
        }
    }

    protected override async Task ReconcileAsync(string table, string key, CancellationToken cancellation)
    {
        if (Core.Store.Find(table, key) is not { } obj || Core.Registry.Current.All.FirstOrDefault(candidate => candidate.Table == table) is not { } info)
        {
            return;
        }

        string[] finalizers = [.. obj.Metadata.Arr("finalizers").Strings()];
        if (obj.IsDeleting && finalizers.Contains(ObjectDeleter.OrphanFinalizer))
        {
            await OrphanAsync(obj, cancellation).ConfigureAwait(false);
            await DropFinalizerAsync(info, obj, ObjectDeleter.OrphanFinalizer, cancellation).ConfigureAwait(false);
        }
        else if (obj.IsDeleting && finalizers.Contains(ObjectDeleter.ForegroundFinalizer))
        {
            if (!await RemoveDependentsAsync(obj, cancellation).ConfigureAwait(false))
            {
                await DropFinalizerAsync(info, obj, ObjectDeleter.ForegroundFinalizer, cancellation).ConfigureAwait(false);
            }
        }
        else if (Core.Clock.GetUtcNow() - Created(obj) < Patience && !obj.IsDeleting)
        {
            // An owner that was never there is given a moment, as a collector that first has to see the graph would.
            EnqueueLater(table, key, Patience);
        }
        else if (!obj.IsDeleting && obj.Metadata.Arr("ownerReferences") is { Count: > 0 } owners && owners.Objects().All(owner => FindOwner(owner, obj.Key) is null))
        {
            await DeleteAsync(info, obj, "Background", cancellation).ConfigureAwait(false);
        }
    }

    private static DateTimeOffset Created(StoredObject obj) =>
        DateTimeOffset.TryParse(obj.Metadata.Str("creationTimestamp"), out DateTimeOffset created) ? created : DateTimeOffset.MinValue;

    /// <summary>Deletes what an object in foreground deletion owns; true while something that blocks it is left.</summary>
    private async Task<bool> RemoveDependentsAsync(StoredObject owner, CancellationToken cancellation)
    {
        bool blocked = false;
        foreach ((string table, StoredObject dependent) in Dependents(owner.Uid))
        {
            ResourceInfo info = Core.Registry.Current.All.First(candidate => candidate.Table == table);
            bool blocks = dependent.Metadata.Arr("ownerReferences").Objects().Any(reference => reference.Str("uid") == owner.Uid && reference.Bool("blockOwnerDeletion") == true);
            if (!dependent.IsDeleting)
            {
                string policy = Dependents(dependent.Uid).Any() ? "Foreground" : "Background";
                await DeleteAsync(info, dependent, policy, cancellation).ConfigureAwait(false);
            }

            blocked |= blocks && Core.Store.Find(table, dependent.Key)?.Uid == dependent.Uid;
        }

        return blocked;
    }

    private async Task OrphanAsync(StoredObject owner, CancellationToken cancellation)
    {
        foreach ((string table, StoredObject dependent) in Dependents(owner.Uid))
        {
            ResourceInfo info = Core.Registry.Current.All.First(candidate => candidate.Table == table);
            await UpdateAsync(info, dependent, metadata => Filter(metadata, "ownerReferences", node => (node as JsonObject).Str("uid") != owner.Uid), cancellation).ConfigureAwait(false);
        }
    }

    private Task DropFinalizerAsync(ResourceInfo info, StoredObject obj, string finalizer, CancellationToken cancellation) =>
        UpdateAsync(info, obj, metadata => Filter(metadata, "finalizers", node => node.Str() != finalizer), cancellation);

    private static void Filter(JsonObject metadata, string field, Func<JsonNode?, bool> keep)
    {
        JsonNode?[] left = [.. (metadata.Arr(field) ?? []).Where(keep).Select(node => node?.DeepClone())];
        metadata.Remove(field);
        if (left.Length > 0)
        {
            metadata[field] = new JsonArray(left);
        }
    }

    private async Task UpdateAsync(ResourceInfo info, StoredObject obj, Action<JsonObject> change, CancellationToken cancellation)
    {
        (string ns, string name) = StoredObject.SplitKey(obj.Key);
        try
        {
            await Core.Writer.UpdateAsync(
                info,
                ns,
                name,
                live =>
                {
                    change(live!.Obj("metadata")!);
                    return live!;
                },
                WriteOptions.Internal("kube-controller-manager"),
                cancellation).ConfigureAwait(false);
        }
        catch (ApiError e) when (e.Code == 404)
        {
            // Gone meanwhile.
        }
    }

    private async Task DeleteAsync(ResourceInfo info, StoredObject obj, string policy, CancellationToken cancellation)
    {
        (string ns, string name) = StoredObject.SplitKey(obj.Key);
        try
        {
            await Core.Deleter.DeleteAsync(
                info, ns, name, new DeleteOptions { Propagation = policy, Uid = obj.Uid }, WriteOptions.Internal("kube-controller-manager"), cancellation).ConfigureAwait(false);
        }
        catch (ApiError e) when (e.Code is 404 or 409)
        {
            // Gone meanwhile, or another object took its name.
        }
    }

    private IEnumerable<(string Table, StoredObject Object)> Dependents(string uid) =>
        from table in Core.Store.Tables
        from obj in Core.Store.Snapshot(table.Resource).Objects
        where obj.Metadata.Arr("ownerReferences").Objects().Any(owner => owner.Str("uid") == uid)
        select (table.Resource, obj);

    /// <summary>Where the owner is, if it exists: in the same namespace or in none, with the very uid.</summary>
    private (string Table, string Key)? FindOwner(JsonObject owner, string dependentKey)
    {
        string apiVersion = owner.Str("apiVersion") ?? "";
        int slash = apiVersion.IndexOf('/');
        ResourceInfo? info = Core.Registry.Current.All.FirstOrDefault(candidate =>
            candidate.Kind == owner.Str("kind") && candidate.Group == (slash < 0 ? "" : apiVersion[..slash]));
        if (info is null)
        {
            // An unknown kind may come back; nothing is collected on its account.
            return ("", "");
        }

        string key = StoredObject.KeyOf(info.Namespaced ? StoredObject.SplitKey(dependentKey).Namespace : "", owner.Str("name") ?? "");
        return Core.Store.Find(info.Table, key)?.Uid == owner.Str("uid") ? (info.Table, key) : null;
    }
}
