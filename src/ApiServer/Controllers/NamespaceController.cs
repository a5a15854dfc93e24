using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Storage;
using OptiInfra.ApiServer.Verbs;

namespace OptiInfra.ApiServer.Controllers;

/// <summary>Empties namespaces that are on their way out, says in their status what still holds them, and lets them go.</summary>
internal sealed class NamespaceController(ApiCore core) : Controller(core)
{
    private static readonly TimeSpan Recheck = TimeSpan.FromMilliseconds(200);

    protected override IReadOnlyList<string> Tables => ["namespaces"];

    protected override async Task ReconcileAsync(string table, string key, CancellationToken cancellation)
    {
        if (Core.Store.Find(table, key) is not { IsDeleting: true } ns)
        {
            return;
        }

        SortedDictionary<string, int> remaining = new(StringComparer.Ordinal);
        SortedDictionary<string, int> finalizers = new(StringComparer.Ordinal);
        foreach (ResourceInfo info in Core.Registry.Current.All.Where(info => info.Namespaced && info.Verbs.Contains("delete")).DistinctBy(info => info.Table))
        {
            foreach (StoredObject obj in Core.Store.Snapshot(info.Table).Objects.Where(obj => obj.Key.StartsWith(key + "/", StringComparison.Ordinal)))
            {
                await RemoveAsync(info, obj, remaining, finalizers, cancellation).ConfigureAwait(false);
            }
        }

        ResourceInfo namespaces = Core.Registry.Current.Find("", "v1", "namespaces")!;
        if (remaining.Count == 0)
        {
            await UpdateAsync(namespaces, key, "finalize", current => current.Ensure("spec").Remove("finalizers"), cancellation).ConfigureAwait(false);
            return;
        }

        await UpdateAsync(namespaces, key, "status", current => Describe(current, remaining, finalizers), cancellation).ConfigureAwait(false);
        _ = ns;
        EnqueueLater(table, key, Recheck);
    }

    private async Task RemoveAsync(
        ResourceInfo info, StoredObject obj, SortedDictionary<string, int> remaining, SortedDictionary<string, int> finalizers, CancellationToken cancellation)
    {
        (string ns, string name) = StoredObject.SplitKey(obj.Key);
        DeleteOptions options = new() { Propagation = "Background", GracePeriodSeconds = info.Kind == "Pod" ? 0 : null };
        try
        {
            Deleted deleted = await Core.Deleter.DeleteAsync(
                info, ns, name, options, WriteOptions.Internal("namespace-controller"), cancellation).ConfigureAwait(false);
            if (deleted.Gone)
            {
                return;
            }
        }
        catch (ApiError e) when (e.Code == 404)
        {
            return;
        }

        string resource = $"{info.Plural}.{info.Group}";
        remaining[resource] = remaining.GetValueOrDefault(resource) + 1;
        foreach (string finalizer in obj.Metadata.Arr("finalizers").Strings())
        {
            finalizers[finalizer] = finalizers.GetValueOrDefault(finalizer) + 1;
        }
    }

    private async Task UpdateAsync(ResourceInfo info, string name, string subresource, Action<JsonObject> change, CancellationToken cancellation)
    {
        try
        {
            await Core.Writer.UpdateAsync(
                info,
                "",
                name,
                current =>
                {
                    change(current!);
                    current!.Obj("metadata")!.Remove("resourceVersion");
                    return current!;
                },
                WriteOptions.Internal("kube-controller-manager") with { Subresource = subresource },
                cancellation).ConfigureAwait(false);
        }
        catch (ApiError e) when (e.Code == 404)
        {
            // Gone already.
        }
    }

    private void Describe(JsonObject ns, SortedDictionary<string, int> remaining, SortedDictionary<string, int> finalizers)
    {
        JsonObject status = ns.Ensure("status");
        JsonArray old = status.Arr("conditions") ?? [];
        string content = "Some resources are remaining: " + string.Join(", ", remaining.Select(pair => $"{pair.Key} has {pair.Value} resource instances"));
        string held = finalizers.Count == 0
            ? "All content-preserving finalizers finished"
            : "Some content in the namespace has finalizers remaining: " + string.Join(", ", finalizers.Select(pair => $"{pair.Key} in {pair.Value} resource instances"));
        status["conditions"] = new JsonArray(
            Condition(old, "NamespaceDeletionDiscoveryFailure", false, "ResourcesDiscovered", "All resources successfully discovered"),
            Condition(old, "NamespaceDeletionGroupVersionParsingFailure", false, "ParsedGroupVersions", "All legacy kube types successfully parsed"),
            Condition(old, "NamespaceDeletionContentFailure", false, "ContentDeleted", "All content successfully deleted, may be waiting on finalization"),
            Condition(old, "NamespaceContentRemaining", true, "SomeResourcesRemain", content),
            Condition(old, "NamespaceFinalizersRemaining", finalizers.Count > 0, finalizers.Count > 0 ? "SomeFinalizersRemain" : "ContentHasNoFinalizers", held));
    }

    private JsonObject Condition(JsonArray old, string type, bool holds, string reason, string message)
    {
        string status = holds ? "True" : "False";
        JsonObject? known = old.Objects().FirstOrDefault(condition => condition.Str("type") == type);
        return new JsonObject
        {
            ["type"] = type,
            ["status"] = status,
            ["lastTransitionTime"] = known?.Str("status") == status ? known.Str("lastTransitionTime") : Core.Now(),
            ["reason"] = reason,
            ["message"] = message,
        };
    }
}
