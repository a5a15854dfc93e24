using System.Security.Cryptography;
using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Schema;
using OptiInfra.ApiServer.Storage;
using OptiInfra.ApiServer.Verbs;

namespace OptiInfra.ApiServer.Controllers;

/// <summary>What the controllers of workloads have in common: a kind, the kind it makes, and writes as the controller manager.</summary>
internal abstract class WorkloadController(ApiCore core, string plural, string childTable) : Controller(core)
{
    private const string Manager = "kube-controller-manager";

    protected string OwnTable { get; } = $"{plural}.apps";

    protected override IReadOnlyList<string> Tables => [OwnTable, childTable];

    protected ResourceInfo Info => Core.Registry.Current.Find("apps", "v1", plural)!;

    protected override IEnumerable<(string Table, string Key)> KeysOf(string table, StoredObject obj, StoreEventType type)
    {
        if (table == OwnTable)
        {
            yield return (table, obj.Key);
        }
        else if (Ownership.Controller(obj) is { } owner && owner.Str("kind") == Info.Kind)
        {
            yield return (OwnTable, StoredObject.KeyOf(StoredObject.SplitKey(obj.Key).Namespace, owner.Str("name") ?? ""));
        }
    }

    protected async Task CreateAsync(ResourceInfo info, string ns, JsonObject wanted, CancellationToken cancellation)
    {
        Decoded decoded = Decoder.Decode(info, wanted, [], Core.Registry.Current);
        try
        {
            await Core.Writer.CreateAsync(info, ns, decoded.Object, WriteOptions.Internal(Manager), cancellation).ConfigureAwait(false);
        }
        catch (ApiError e) when (e.Reason is "Forbidden" or "NotFound" or "AlreadyExists")
        {
            // The namespace is on its way out, or it is there already.
        }
    }

    protected Task DeleteAsync(ResourceInfo info, StoredObject obj, CancellationToken cancellation)
    {
        (string ns, string name) = StoredObject.SplitKey(obj.Key);
        return Core.Deleter.DeleteAsync(info, ns, name, new DeleteOptions { Propagation = "Background" }, WriteOptions.Internal(Manager), cancellation);
    }

    protected async Task UpdateAsync(ResourceInfo info, string key, string subresource, Action<JsonObject> change, CancellationToken cancellation)
    {
        (string ns, string name) = StoredObject.SplitKey(key);
        try
        {
            await Core.Writer.UpdateAsync(
                info,
                ns,
                name,
                live =>
                {
                    change(live!);
                    live!.Obj("metadata")!.Remove("resourceVersion");
                    return live!;
                },
                WriteOptions.Internal(Manager) with { Subresource = subresource },
                cancellation).ConfigureAwait(false);
        }
        catch (ApiError e) when (e.Code == 404)
        {
            // Gone meanwhile.
        }
    }

    protected Task WriteStatusAsync(StoredObject owner, JsonObject status, CancellationToken cancellation) =>
        JsonNode.DeepEquals(owner.View["status"], status)
            ? Task.CompletedTask
            : UpdateAsync(Info, owner.Key, "status", live => live["status"] = status.Clone(), cancellation);

    protected static bool IsReady(StoredObject pod) =>
        pod.View.Obj("status").Arr("conditions").Objects().Any(condition => condition.Str("type") == "Ready" && condition.Str("status") == "True");

    /// <summary>A short name of a template: equal templates have equal hashes.</summary>
    protected static string HashOf(JsonNode? template)
    {
        const string alphabet = "bcdfghjklmnpqrstvwxz2456789";
        byte[] hash = SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(Json.Compact(template)));
        return string.Create(10, hash, static (span, hash) =>
        {
            for (int i = 0; i < span.Length; i++)
            {
                span[i] = alphabet[hash[i] % alphabet.Length];
            }
        });
    }

    protected static JsonObject PodOf(JsonObject template, JsonObject metadata)
    {
        JsonObject pod = new() { ["metadata"] = metadata, ["spec"] = template["spec"]?.DeepClone() };
        foreach (string field in (string[])["labels", "annotations"])
        {
            if (template.Obj("metadata")?[field] is { } value)
            {
                metadata[field] = value.DeepClone();
            }
        }

        return pod;
    }
}

/// <summary>Keeps as many pods as a ReplicaSet asks for.</summary>
internal sealed class ReplicaSetController(ApiCore core) : WorkloadController(core, "replicasets", "pods")
{
    protected override async Task ReconcileAsync(string table, string key, CancellationToken cancellation)
    {
        if (Core.Store.Find(OwnTable, key) is not { } set)
        {
            return;
        }

        string ns = StoredObject.SplitKey(key).Namespace;
        ResourceInfo pods = Core.Registry.Current.Find("", "v1", "pods")!;
        StoredObject[] all = [.. Core.Store.OwnedBy("pods", set)];
        StoredObject[] active = [.. all.Where(pod => !pod.IsDeleting && pod.View.Obj("status").Str("phase") is not ("Succeeded" or "Failed"))];
        long wanted = set.View.Obj("spec").Int("replicas") ?? 1;
        if (!set.IsDeleting && active.Length < wanted)
        {
            for (long i = active.Length; i < wanted; i++)
            {
                JsonObject metadata = new()
                {
                    ["generateName"] = set.Metadata.Str("name") + "-",
                    ["ownerReferences"] = new JsonArray(Ownership.Reference("apps/v1", "ReplicaSet", set)),
                };
                await CreateAsync(pods, ns, PodOf(set.View.Obj("spec").Obj("template") ?? [], metadata), cancellation).ConfigureAwait(false);
            }
        }
        else if (!set.IsDeleting && active.Length > wanted)
        {
            foreach (StoredObject extra in active.OrderBy(IsReady).ThenByDescending(pod => pod.Revision).Take((int)(active.Length - wanted)))
            {
                await DeleteAsync(pods, extra, cancellation).ConfigureAwait(false);
            }
        }

        JsonObject labels = set.View.Obj("spec").Obj("template").Obj("metadata").Obj("labels") ?? [];
        JsonObject status = new() { ["replicas"] = (long)active.Length };
        Count(status, "fullyLabeledReplicas", active.Count(pod => Selection.MatchesMap(labels, pod.Metadata.Obj("labels"))));
        Count(status, "readyReplicas", active.Count(IsReady));
        Count(status, "availableReplicas", active.Count(IsReady));
        status["terminatingReplicas"] = (long)all.Count(pod => pod.IsDeleting);
        status["observedGeneration"] = set.Metadata.Int("generation") ?? 1;
        await WriteStatusAsync(set, status, cancellation).ConfigureAwait(false);
    }

    private static void Count(JsonObject status, string field, int count)
    {
        if (count > 0)
        {
            status[field] = (long)count;
        }
    }
}

/// <summary>Keeps the ordered pods of a StatefulSet, one after the other.</summary>
internal sealed class StatefulSetController(ApiCore core) : WorkloadController(core, "statefulsets", "pods")
{
    protected override async Task ReconcileAsync(string table, string key, CancellationToken cancellation)
    {
        if (Core.Store.Find(OwnTable, key) is not { } set)
        {
            return;
        }

        (string ns, string name) = StoredObject.SplitKey(key);
        ResourceInfo pods = Core.Registry.Current.Find("", "v1", "pods")!;
        string hash = $"{name}-{HashOf(set.View.Obj("spec").Obj("template"))}";
        Dictionary<string, StoredObject> all = Core.Store.OwnedBy("pods", set).ToDictionary(pod => pod.Metadata.Str("name")!);
        long wanted = set.View.Obj("spec").Int("replicas") ?? 1;
        bool parallel = set.View.Obj("spec").Str("podManagementPolicy") == "Parallel";
        for (long i = 0; i < wanted && !set.IsDeleting; i++)
        {
            string podName = $"{name}-{i}";
            if (all.TryGetValue(podName, out StoredObject? known))
            {
                if (!known.IsDeleting && known.Metadata.Obj("labels").Str("controller-revision-hash") != hash)
                {
                    await DeleteAsync(pods, known, cancellation).ConfigureAwait(false);
                    break;
                }

                if (!IsReady(known) && !parallel)
                {
                    break;
                }

                continue;
            }

            await CreateAsync(pods, ns, OrdinalPod(set, podName, i, hash), cancellation).ConfigureAwait(false);
            if (!parallel)
            {
                break;
            }
        }

        foreach (StoredObject extra in all.Values.Where(pod => !pod.IsDeleting && Ordinal(pod, name) >= wanted && !set.IsDeleting))
        {
            await DeleteAsync(pods, extra, cancellation).ConfigureAwait(false);
        }

        await WriteStatusAsync(set, StatusOf(set, [.. all.Values.Where(pod => !pod.IsDeleting)], hash), cancellation).ConfigureAwait(false);
    }

    private static JsonObject StatusOf(StoredObject set, StoredObject[] active, string hash)
    {
        JsonObject status = new() { ["observedGeneration"] = set.Metadata.Int("generation") ?? 1, ["replicas"] = (long)active.Length };
        long ready = active.Count(IsReady);
        if (ready > 0)
        {
            status["readyReplicas"] = ready;
        }

        if (active.Length > 0)
        {
            status["currentReplicas"] = (long)active.Length;
            status["updatedReplicas"] = (long)active.Count(pod => pod.Metadata.Obj("labels").Str("controller-revision-hash") == hash);
        }

        status["currentRevision"] = hash;
        status["updateRevision"] = hash;
        status["collisionCount"] = 0L;
        status["availableReplicas"] = ready;
        return status;
    }

    private static JsonObject OrdinalPod(StoredObject set, string podName, long ordinal, string hash)
    {
        JsonObject metadata = new()
        {
            ["name"] = podName,
            ["ownerReferences"] = new JsonArray(Ownership.Reference("apps/v1", "StatefulSet", set)),
        };
        JsonObject pod = PodOf(set.View.Obj("spec").Obj("template") ?? [], metadata);
        JsonObject labels = metadata.Ensure("labels");
        labels["apps.kubernetes.io/pod-index"] = ordinal.ToString();
        labels["controller-revision-hash"] = hash;
        labels["statefulset.kubernetes.io/pod-name"] = podName;
        pod.Ensure("spec")["hostname"] = podName;
        if (set.View.Obj("spec").Str("serviceName") is { Length: > 0 } service)
        {
            pod.Ensure("spec")["subdomain"] = service;
        }

        return pod;
    }

    private static long Ordinal(StoredObject pod, string name) =>
        long.TryParse((pod.Metadata.Str("name") ?? "")[(name.Length + 1)..], out long ordinal) ? ordinal : -1;
}
