using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Storage;

namespace OptiInfra.ApiServer.Admission;

/// <summary>What a cluster's admission adds to every new pod: its service account and that account's token, tolerations, priority.</summary>
internal static class PodAdmission
{
    private const string TokenPath = "/var/run/secrets/kubernetes.io/serviceaccount";

    public static void OnCreate(ApiCore core, ResourceInfo info, JsonObject pod, string ns)
    {
        if (info is not { Group: "", Kind: "Pod" })
        {
            return;
        }

        JsonObject spec = pod.Ensure("spec");
        string account = spec.Str("serviceAccountName") is { Length: > 0 } given ? given : "default";
        spec["serviceAccountName"] = account;
        spec["serviceAccount"] = account;
        StoredObject? found = core.Store.Find("serviceaccounts", StoredObject.KeyOf(ns, account));
        if (found is null && core.Options.Controllers)
        {
            throw ApiError.Forbidden(
                info,
                pod.Obj("metadata").Str("name") ?? "",
                $"error looking up service account {ns}/{account}: serviceaccount \"{account}\" not found");
        }

        if (spec["imagePullSecrets"] is null && found?.View.Arr("imagePullSecrets") is { Count: > 0 } secrets)
        {
            spec["imagePullSecrets"] = secrets.DeepClone();
        }

        if (spec.Bool("automountServiceAccountToken") ?? found?.View.Bool("automountServiceAccountToken") ?? true)
        {
            MountToken(core, spec);
        }

        spec["priority"] ??= 0L;
        spec["preemptionPolicy"] ??= "PreemptLowerPriority";
        Tolerate(spec, "node.kubernetes.io/not-ready");
        Tolerate(spec, "node.kubernetes.io/unreachable");
    }

    /// <summary>The class of service that follows from what the containers ask for and are limited to.</summary>
    public static void SetQuality(ResourceInfo info, JsonObject pod)
    {
        if (info is not { Group: "", Kind: "Pod" })
        {
            return;
        }

        JsonObject[] resources = [.. pod.Obj("spec").Arr("containers").Objects().Select(container => container.Obj("resources") ?? [])];
        bool none = resources.All(asked => (asked.Obj("requests")?.Count ?? 0) == 0 && (asked.Obj("limits")?.Count ?? 0) == 0);
        bool equal = resources.All(asked => ((string[])["cpu", "memory"]).All(name =>
            asked.Obj("limits").Str(name) is { } limit && asked.Obj("requests").Str(name) == limit));
        pod.Ensure("status")["qosClass"] = none ? "BestEffort" : equal ? "Guaranteed" : "Burstable";
    }

    private static void MountToken(ApiCore core, JsonObject spec)
    {
        string name = $"kube-api-access-{core.RandomName(5)}";
        bool used = false;
        foreach (JsonObject container in spec.Arr("containers").Objects().Concat(spec.Arr("initContainers").Objects()))
        {
            if (container.Arr("volumeMounts").Objects().Any(mount => mount.Str("mountPath") == TokenPath))
            {
                continue;
            }

            used = true;
            JsonArray mounts = container.Arr("volumeMounts") ?? [];
            mounts.Add((JsonNode)new JsonObject { ["name"] = name, ["readOnly"] = true, ["mountPath"] = TokenPath });
            if (container["volumeMounts"] is null)
            {
                container["volumeMounts"] = mounts;
            }
        }

        if (!used)
        {
            return;
        }

        JsonArray volumes = spec.Arr("volumes") ?? [];
        volumes.Add((JsonNode)new JsonObject
        {
            ["name"] = name,
            ["projected"] = new JsonObject
            {
                ["sources"] = new JsonArray(
                    new JsonObject { ["serviceAccountToken"] = new JsonObject { ["expirationSeconds"] = 3607L, ["path"] = "token" } },
                    new JsonObject
                    {
                        ["configMap"] = new JsonObject
                        {
                            ["name"] = "kube-root-ca.crt",
                            ["items"] = new JsonArray(new JsonObject { ["key"] = "ca.crt", ["path"] = "ca.crt" }),
                        },
                    },
                    new JsonObject
                    {
                        ["downwardAPI"] = new JsonObject
                        {
                            ["items"] = new JsonArray(new JsonObject
                            {
                                ["path"] = "namespace",
                                ["fieldRef"] = new JsonObject { ["apiVersion"] = "v1", ["fieldPath"] = "metadata.namespace" },
                            }),
                        },
                    }),
                ["defaultMode"] = 420L,
            },
        });
        if (spec["volumes"] is null)
        {
            spec["volumes"] = volumes;
        }
    }

    private static void Tolerate(JsonObject spec, string key)
    {
        JsonArray tolerations = spec.Arr("tolerations") ?? [];
        if (tolerations.Objects().Any(toleration => toleration.Str("key") == key || toleration.Str("key") is null or "" && toleration.Str("operator") == "Exists"))
        {
            return;
        }

        tolerations.Add((JsonNode)new JsonObject { ["key"] = key, ["operator"] = "Exists", ["effect"] = "NoExecute", ["tolerationSeconds"] = 300L });
        if (spec["tolerations"] is null)
        {
            spec["tolerations"] = tolerations;
        }
    }
}
