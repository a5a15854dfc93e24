using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Schema;
using OptiInfra.ApiServer.Storage;

namespace OptiInfra.ApiServer.Controllers;

/// <summary>
/// Rolls a Deployment out: one ReplicaSet per template, the newest scaled up first, the older ones scaled down once its
/// pods are there, and a status that tells how far it is. Surge and unavailability are not kept pod by pod.
/// </summary>
internal sealed class DeploymentController(ApiCore core) : WorkloadController(core, "deployments", "replicasets.apps")
{
    private const string Revision = "deployment.kubernetes.io/revision";
    private const string HashLabel = "pod-template-hash";

    protected override async Task ReconcileAsync(string table, string key, CancellationToken cancellation)
    {
        if (Core.Store.Find(OwnTable, key) is not { } deployment || deployment.IsDeleting)
        {
            return;
        }

        ResourceInfo sets = Core.Registry.Current.Find("apps", "v1", "replicasets")!;
        JsonObject spec = deployment.View.Obj("spec") ?? [];
        long wanted = spec.Int("replicas") ?? 1;
        StoredObject[] owned = [.. Core.Store.OwnedBy("replicasets.apps", deployment)];
        StoredObject? current = owned.FirstOrDefault(set => SameTemplate(set, spec.Obj("template")));
        bool paused = spec.Bool("paused") == true;
        if (current is null)
        {
            if (!paused)
            {
                await CreateAsync(sets, StoredObject.SplitKey(key).Namespace, SetOf(deployment, owned, wanted), cancellation).ConfigureAwait(false);
            }

            await WriteStatusAsync(deployment, StatusOf(deployment, owned, null, wanted), cancellation).ConfigureAwait(false);
            return;
        }

        long newest = owned.Max(RevisionOf);
        long revision = RevisionOf(current) < newest ? newest + 1 : RevisionOf(current);
        await KeepSetAsync(sets, current, spec, wanted, revision, cancellation).ConfigureAwait(false);
        if (deployment.Metadata.Obj("annotations").Str(Revision) != revision.ToString())
        {
            await UpdateAsync(Info, key, "controller", live => live.Ensure("metadata").Ensure("annotations")[Revision] = revision.ToString(), cancellation).ConfigureAwait(false);
        }

        bool there = (current.View.Obj("status").Int("availableReplicas") ?? 0) >= wanted;
        foreach (StoredObject old in owned.Where(set => set != current))
        {
            if (!paused && there && (old.View.Obj("spec").Int("replicas") ?? 0) > 0)
            {
                await UpdateAsync(sets, old.Key, "", live => live.Ensure("spec")["replicas"] = 0L, cancellation).ConfigureAwait(false);
            }
        }

        await PruneHistoryAsync(sets, owned, current, spec.Int("revisionHistoryLimit") ?? 10, cancellation).ConfigureAwait(false);
        if (Core.Store.Find(OwnTable, key) is { } latest)
        {
            await WriteStatusAsync(latest, StatusOf(latest, owned, current, wanted), cancellation).ConfigureAwait(false);
        }
    }

    private async Task KeepSetAsync(ResourceInfo sets, StoredObject current, JsonObject spec, long wanted, long revision, CancellationToken cancellation)
    {
        JsonObject annotations = current.Metadata.Obj("annotations") ?? [];
        string most = (wanted + Surge(spec, wanted)).ToString();
        if ((current.View.Obj("spec").Int("replicas") ?? 0) == wanted && annotations.Str(Revision) == revision.ToString()
            && annotations.Str("deployment.kubernetes.io/desired-replicas") == wanted.ToString())
        {
            return;
        }

        await UpdateAsync(
            sets,
            current.Key,
            "",
            live =>
            {
                live.Ensure("spec")["replicas"] = wanted;
                JsonObject noted = live.Ensure("metadata").Ensure("annotations");
                noted["deployment.kubernetes.io/desired-replicas"] = wanted.ToString();
                noted["deployment.kubernetes.io/max-replicas"] = most;
                noted[Revision] = revision.ToString();
            },
            cancellation).ConfigureAwait(false);
    }

    private async Task PruneHistoryAsync(ResourceInfo sets, StoredObject[] owned, StoredObject current, long limit, CancellationToken cancellation)
    {
        StoredObject[] idle = [.. owned.Where(set => set != current && (set.View.Obj("spec").Int("replicas") ?? 0) == 0 && (set.View.Obj("status").Int("replicas") ?? 0) == 0)];
        foreach (StoredObject old in idle.OrderBy(RevisionOf).Take(Math.Max(0, idle.Length - (int)limit)))
        {
            await DeleteAsync(sets, old, cancellation).ConfigureAwait(false);
        }
    }

    private static JsonObject SetOf(StoredObject deployment, StoredObject[] owned, long wanted)
    {
        JsonObject spec = deployment.View.Obj("spec")!;
        JsonObject template = spec.Obj("template")!.Clone();
        string hash = HashOf(template);
        template.Ensure("metadata").Ensure("labels")[HashLabel] = hash;
        JsonObject selector = spec.Obj("selector")!.Clone();
        selector.Ensure("matchLabels")[HashLabel] = hash;
        long revision = owned.Length == 0 ? 1 : owned.Max(RevisionOf) + 1;
        JsonObject annotations = new()
        {
            ["deployment.kubernetes.io/desired-replicas"] = wanted.ToString(),
            ["deployment.kubernetes.io/max-replicas"] = (wanted + Surge(spec, wanted)).ToString(),
            [Revision] = revision.ToString(),
        };
        return new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["name"] = $"{deployment.Metadata.Str("name")}-{hash}",
                ["labels"] = template.Obj("metadata")!["labels"]!.DeepClone(),
                ["annotations"] = annotations,
                ["ownerReferences"] = new JsonArray(Ownership.Reference("apps/v1", "Deployment", deployment)),
            },
            ["spec"] = new JsonObject { ["replicas"] = wanted, ["selector"] = selector, ["template"] = template },
        };
    }

    private static bool SameTemplate(StoredObject set, JsonObject? template)
    {
        JsonObject of = set.View.Obj("spec").Obj("template")?.Clone() ?? [];
        of.Obj("metadata").Obj("labels")?.Remove(HashLabel);
        return template is not null && Json.Compact(of) == Json.Compact(template);
    }

    private static long RevisionOf(StoredObject set) => long.TryParse(set.Metadata.Obj("annotations").Str(Revision), out long revision) ? revision : 0;

    private static long Surge(JsonObject spec, long wanted)
    {
        JsonNode? surge = spec.Obj("strategy").Obj("rollingUpdate")?["maxSurge"];
        string? text = surge.Str();
        return text is null ? surge.Int() ?? 0 : long.TryParse(text.TrimEnd('%'), out long percent) ? (wanted * percent + 99) / 100 : 0;
    }

    private JsonObject StatusOf(StoredObject deployment, StoredObject[] owned, StoredObject? current, long wanted)
    {
        long Sum(string field) => owned.Sum(set => set.View.Obj("status").Int(field) ?? 0);
        JsonObject status = new() { ["observedGeneration"] = deployment.Metadata.Int("generation") ?? 1 };
        long available = Sum("availableReplicas");
        long updated = current?.View.Obj("status").Int("replicas") ?? 0;
        void Count(string field, long count)
        {
            if (count > 0)
            {
                status[field] = count;
            }
        }

        Count("replicas", Sum("replicas"));
        Count("updatedReplicas", updated);
        Count("readyReplicas", Sum("readyReplicas"));
        Count("availableReplicas", available);
        Count("unavailableReplicas", Math.Max(0, Math.Max(wanted, Sum("replicas")) - available));
        status["terminatingReplicas"] = Sum("terminatingReplicas");
        JsonArray old = deployment.View.Obj("status").Arr("conditions") ?? [];
        bool enough = available >= wanted - Math.Max(0, wanted / 4);
        bool done = current is not null && updated >= wanted && available >= wanted && Sum("replicas") == updated;
        string name = current?.Metadata.Str("name") ?? "";
        JsonArray conditions = (JsonArray)old.DeepClone();
        Set(conditions, "Available", enough, enough ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable", enough ? "Deployment has minimum availability." : "Deployment does not have minimum availability.");
        string finished = $"ReplicaSet \"{name}\" has successfully progressed.";
        bool rolledOut = old.Objects().Any(condition => condition.Str("type") == "Progressing" && condition.Str("message") == finished);
        if (done)
        {
            Set(conditions, "Progressing", true, "NewReplicaSetAvailable", finished);
        }
        else if (!rolledOut)
        {
            // Scaling what is rolled out is no new rollout.
            Set(conditions, "Progressing", true, "ReplicaSetUpdated", current is null ? "Deployment is progressing." : $"ReplicaSet \"{name}\" is progressing.");
        }

        status["conditions"] = conditions;
        return status;
    }

    /// <summary>A condition that changes moves to the end, as the real controller leaves it.</summary>
    private void Set(JsonArray conditions, string type, bool holds, string reason, string message)
    {
        JsonObject? known = conditions.Objects().FirstOrDefault(condition => condition.Str("type") == type);
        JsonObject wanted = Condition(conditions, type, holds, reason, message);
        if (known is not null && JsonNode.DeepEquals(known, wanted))
        {
            return;
        }

        if (known is not null)
        {
            conditions.Remove(known);
        }

        conditions.Add((JsonNode)wanted);
    }

    private JsonObject Condition(JsonArray old, string type, bool holds, string reason, string message)
    {
        string state = holds ? "True" : "False";
        JsonObject? known = old.Objects().FirstOrDefault(condition => condition.Str("type") == type);
        if (known is not null && known.Str("status") == state && known.Str("reason") == reason && known.Str("message") == message)
        {
            return known.Clone();
        }

        return new JsonObject
        {
            ["type"] = type,
            ["status"] = state,
            ["lastUpdateTime"] = Core.Now(),
            ["lastTransitionTime"] = known?.Str("status") == state ? known.Str("lastTransitionTime") : Core.Now(),
            ["reason"] = reason,
            ["message"] = message,
        };
    }
}
