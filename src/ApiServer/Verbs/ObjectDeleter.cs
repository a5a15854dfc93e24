using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Storage;

namespace OptiInfra.ApiServer.Verbs;

/// <summary>What a deletion came to: the object as it was last, and whether it is gone.</summary>
internal sealed record Deleted(JsonObject Object, bool Gone);

/// <summary>
/// Deletes objects. An object is removed at once when nothing holds it: finalizers (its own, or those that the
/// propagation policy adds), a grace period of a running pod, the content of a namespace. Else it is only marked.
/// </summary>
internal sealed class ObjectDeleter(ApiCore core)
{
    public const string OrphanFinalizer = "orphan";
    public const string ForegroundFinalizer = "foregroundDeletion";

    public async Task<Deleted> DeleteAsync(
        ResourceInfo info, string ns, string name, DeleteOptions options, WriteOptions write, CancellationToken cancellation)
    {
        string key = StoredObject.KeyOf(info.Namespaced ? ns : "", name);
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            StoredObject current = core.Store.Find(info.Table, key) ?? throw ApiError.NotFound(info, name);
            CheckPreconditions(info, current, name, options);
            JsonObject live = VersionConverter.FromStorage(info, current);
            await core.Admission.ValidateAsync(info, "DELETE", live, live, write with { DryRun = options.DryRun }, cancellation).ConfigureAwait(false);
            if (await TryDeleteAsync(info, current, live, options).ConfigureAwait(false) is { } deleted)
            {
                return deleted;
            }
        }
    }

    private async Task<Deleted?> TryDeleteAsync(ResourceInfo info, StoredObject current, JsonObject live, DeleteOptions options)
    {
        JsonObject marked = live.Clone();
        JsonObject metadata = marked.Obj("metadata")!;
        SetPropagationFinalizers(info, metadata, options);
        bool isNamespace = info is { Group: "", Kind: "Namespace" };
        long grace = GracePeriod(info, live, options);
        bool held = (metadata.Arr("finalizers")?.Count ?? 0) > 0
            || grace > 0
            || DefinitionDeletion.Handles(info) && !current.IsDeleting
            || isNamespace && (live.Obj("spec").Arr("finalizers")?.Count ?? 0) > 0;
        if (!held)
        {
            if (options.DryRun)
            {
                return new Deleted(live, true);
            }

            if (info is { Group: "", Kind: "Pod" } && metadata.ContainsKey("deletionTimestamp"))
            {
                Mark(marked, metadata, 0, isNamespace: false);
                live = marked;
            }

            JsonObject final = VersionConverter.ToStorage(info, live);
            if (core.Store.Delete(info.Table, current, final) is not { } gone)
            {
                return null;
            }

            core.Allocator.Release(info, live);
            await core.DurableAsync().ConfigureAwait(false);
            return new Deleted(VersionConverter.FromStorage(info, gone), true);
        }

        if (DefinitionDeletion.Handles(info))
        {
            DefinitionDeletion.Mark(marked, core.Now());
        }
        else
        {
            Mark(marked, metadata, grace, isNamespace);
        }

        if (JsonNode.DeepEquals(marked, live))
        {
            return new Deleted(live, false);
        }

        if (options.DryRun)
        {
            return new Deleted(marked, false);
        }

        StoredObject? stored = core.Store.Replace(info.Table, current, VersionConverter.ToStorage(info, marked));
        await core.DurableAsync().ConfigureAwait(false);
        return stored is null ? null : new Deleted(VersionConverter.FromStorage(info, stored), false);
    }

    private void Mark(JsonObject marked, JsonObject metadata, long grace, bool isNamespace)
    {
        if (!metadata.ContainsKey("deletionTimestamp"))
        {
            metadata["deletionTimestamp"] = core.Clock.GetUtcNow().UtcDateTime.AddSeconds(grace).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");
            if (!isNamespace)
            {
                metadata["deletionGracePeriodSeconds"] = grace;
                if (metadata.Int("generation") is > 0 and { } generation)
                {
                    metadata["generation"] = generation + 1;
                }
            }
        }
        else if (grace < (metadata.Int("deletionGracePeriodSeconds") ?? 0))
        {
            metadata["deletionGracePeriodSeconds"] = grace;
            metadata["deletionTimestamp"] = core.Clock.GetUtcNow().UtcDateTime.AddSeconds(grace).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");
        }

        if (isNamespace)
        {
            marked.Ensure("status")["phase"] = "Terminating";
        }
    }

    /// <summary>Pods that run somewhere get time to stop; everything else goes at once.</summary>
    private static long GracePeriod(ResourceInfo info, JsonObject live, DeleteOptions options)
    {
        if (info is not { Group: "", Kind: "Pod" })
        {
            return 0;
        }

        bool running = !string.IsNullOrEmpty(live.Obj("spec").Str("nodeName")) && live.Obj("status").Str("phase") is not ("Succeeded" or "Failed");
        long wanted = options.GracePeriodSeconds ?? live.Obj("spec").Int("terminationGracePeriodSeconds") ?? 30;
        return running ? Math.Max(wanted, 0) : 0;
    }

    private static void SetPropagationFinalizers(ResourceInfo info, JsonObject metadata, DeleteOptions options)
    {
        List<string> finalizers = [.. metadata.Arr("finalizers").Strings()];
        string[] old = [.. finalizers];
        if (options.Propagation is not null && !NeverCollected(info))
        {
            finalizers.RemoveAll(name => name is OrphanFinalizer or ForegroundFinalizer);
            if (options.Propagation == "Orphan")
            {
                finalizers.Add(OrphanFinalizer);
            }
            else if (options.Propagation == "Foreground")
            {
                finalizers.Add(ForegroundFinalizer);
            }
        }

        if (finalizers.SequenceEqual(old))
        {
            return;
        }

        if (finalizers.Count == 0)
        {
            metadata.Remove("finalizers");
        }
        else
        {
            metadata["finalizers"] = new JsonArray([.. finalizers.Select(name => (JsonNode)JsonValue.Create(name))]);
        }
    }

    private static bool NeverCollected(ResourceInfo info) => info is { Kind: "Event" };

    private static void CheckPreconditions(ResourceInfo info, StoredObject current, string name, DeleteOptions options)
    {
        if (options.Uid is { } uid && uid != current.Uid)
        {
            throw ApiError.Conflict(
                info.Group,
                info.Kind,
                name,
                $"the UID in the precondition ({uid}) does not match the UID in record ({current.Uid}). The object might have been deleted and then recreated");
        }

        if (options.ResourceVersion is { } version && version != current.Revision.ToString())
        {
            throw ApiError.Conflict(
                info.Group,
                info.Kind,
                name,
                $"the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in record ({current.Revision}). The object might have been modified");
        }
    }
}
