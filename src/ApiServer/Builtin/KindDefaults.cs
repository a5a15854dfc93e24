using System.Text;
using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Builtin;

/// <summary>What the server fills into objects of the other built-in kinds, one method a kind.</summary>
internal static class KindDefaults
{
    private const string RbacGroup = "rbac.authorization.k8s.io";

    /// <summary>Defaults that the schema itself declares (protocol TCP and the like), wherever their field may stand.</summary>
    public static void Declared(StructuralSchema? schema, JsonNode? value)
    {
        switch (value)
        {
            case JsonObject members:
                foreach ((string name, StructuralSchema field) in schema?.Properties ?? [])
                {
                    if (field.HasDefault && (members[name] is null || Json.AsString(members[name]) is ""))
                    {
                        members[name] = Json.Clone(field.Default);
                    }

                    Declared(field, members[name]);
                }

                if (schema?.Values is { Properties: not null } values)
                {
                    foreach ((string _, JsonNode? member) in members)
                    {
                        Declared(values, member);
                    }
                }

                break;
            case JsonArray items when schema?.Items is { Properties: not null } element:
                foreach (JsonNode? item in items)
                {
                    Declared(element, item);
                }

                break;
        }
    }

    /// <summary>stringData is a way of writing data; it is never stored.</summary>
    public static void Secret(JsonObject secret)
    {
        secret.Default("type", "Opaque");
        foreach ((string key, JsonNode? value) in secret.Sub("stringData") ?? [])
        {
            secret.SubOrNew("data")[key] = Convert.ToBase64String(Encoding.UTF8.GetBytes(Json.AsString(value) ?? ""));
        }

        secret.Remove("stringData");
    }

    public static void Service(JsonObject service)
    {
        JsonObject spec = service.SubOrNew("spec");
        spec.Default("sessionAffinity", "None");
        spec.Default("type", "ClusterIP");
        if (spec.Text("sessionAffinity") == "None")
        {
            spec.Remove("sessionAffinityConfig");
        }
        else if (spec.Text("sessionAffinity") == "ClientIP")
        {
            spec.SubOrNew("sessionAffinityConfig").SubOrNew("clientIP").Default("timeoutSeconds", 10800);
        }

        foreach (JsonObject port in spec.Items("ports"))
        {
            port.Default("protocol", "TCP");
            if (port["targetPort"] is not { } target || Json.Compact(target) is "0" or "\"\"")
            {
                port["targetPort"] = port["port"]?.DeepClone();
            }
        }

        string type = spec.Text("type");
        if (type is "NodePort" or "LoadBalancer")
        {
            spec.Default("externalTrafficPolicy", "Cluster");
        }

        if (type is "NodePort" or "LoadBalancer" or "ClusterIP")
        {
            spec.Default("internalTrafficPolicy", "Cluster");
        }

        if (type == "LoadBalancer")
        {
            spec.Default("allocateLoadBalancerNodePorts", true);
        }
    }

    public static void Deployment(JsonObject deployment)
    {
        JsonObject spec = deployment.SubOrNew("spec");
        PodDefaults.Template(spec);
        spec.Default("replicas", 1);
        JsonObject strategy = spec.SubOrNew("strategy");
        strategy.Default("type", "RollingUpdate");
        if (strategy.Text("type") == "RollingUpdate")
        {
            JsonObject rolling = strategy.SubOrNew("rollingUpdate");
            rolling.Default("maxUnavailable", "25%");
            rolling.Default("maxSurge", "25%");
        }

        spec.Default("revisionHistoryLimit", 10);
        spec.Default("progressDeadlineSeconds", 600);
    }

    public static void ReplicaSet(JsonObject set)
    {
        PodDefaults.Template(set.SubOrNew("spec"));
        set.SubOrNew("spec").Default("replicas", 1);
    }

    public static void StatefulSet(JsonObject set)
    {
        JsonObject spec = set.SubOrNew("spec");
        PodDefaults.Template(spec);
        spec.Default("podManagementPolicy", "OrderedReady");
        JsonObject strategy = spec.SubOrNew("updateStrategy");
        strategy.Default("type", "RollingUpdate");
        if (strategy.Text("type") == "RollingUpdate")
        {
            strategy.SubOrNew("rollingUpdate").Default("partition", 0);
        }

        JsonObject retention = spec.SubOrNew("persistentVolumeClaimRetentionPolicy");
        retention.Default("whenDeleted", "Retain");
        retention.Default("whenScaled", "Retain");
        spec.Default("replicas", 1);
        spec.Default("revisionHistoryLimit", 10);
        foreach (JsonObject claim in spec.Items("volumeClaimTemplates"))
        {
            claim.Default("kind", "PersistentVolumeClaim");
            claim.Default("apiVersion", "v1");
            Claim(claim);
        }
    }

    public static void Claim(JsonObject claim)
    {
        claim.SubOrNew("spec").Default("volumeMode", "Filesystem");
        claim.SubOrNew("status").Default("phase", "Pending");
    }

    public static void Volume(JsonObject volume)
    {
        volume.SubOrNew("spec").Default("persistentVolumeReclaimPolicy", "Retain");
        volume.SubOrNew("spec").Default("volumeMode", "Filesystem");
        volume.SubOrNew("status").Default("phase", "Pending");
    }

    public static void DaemonSet(JsonObject set)
    {
        set.SubOrNew("metadata").SubOrNew("annotations").Default("deprecated.daemonset.template.generation", "1");
        JsonObject spec = set.SubOrNew("spec");
        PodDefaults.Template(spec);
        JsonObject strategy = spec.SubOrNew("updateStrategy");
        strategy.Default("type", "RollingUpdate");
        if (strategy.Text("type") == "RollingUpdate")
        {
            JsonObject rolling = strategy.SubOrNew("rollingUpdate");
            rolling.Default("maxUnavailable", 1);
            rolling.Default("maxSurge", 0);
        }

        spec.Default("revisionHistoryLimit", 10);
    }

    public static void Job(JsonObject job)
    {
        JsonObject spec = job.SubOrNew("spec");
        PodDefaults.Template(spec);
        if (spec["completions"] is null && spec["parallelism"] is null)
        {
            spec["completions"] = 1;
        }

        spec.Default("parallelism", 1);
        spec.Default("backoffLimit", spec["backoffLimitPerIndex"] is null ? 6 : int.MaxValue);
        spec.Default("completionMode", "NonIndexed");
        spec.Default("suspend", false);
        spec.Default("manualSelector", false);
        if (job.SubOrNew("metadata")["labels"] is null && spec.Sub("template")?.Sub("metadata")?.Sub("labels") is { Count: > 0 } labels)
        {
            job.SubOrNew("metadata")["labels"] = labels.DeepClone();
        }

        spec.Default("podReplacementPolicy", spec["podFailurePolicy"] is null ? "TerminatingOrFailed" : "Failed");
    }

    /// <summary>The selector of a job, and the labels its pods carry, come from its uid.</summary>
    public static void SelectByUid(JsonObject job)
    {
        JsonObject metadata = job.SubOrNew("metadata");
        JsonObject spec = job.SubOrNew("spec");
        if (spec.Flag("manualSelector") || metadata.Text("uid") is not { Length: > 0 } uid)
        {
            return;
        }

        JsonObject labels = spec.SubOrNew("template").SubOrNew("metadata").SubOrNew("labels");
        foreach ((string name, string value) in (ReadOnlySpan<(string, string)>)[("batch.kubernetes.io/controller-uid", uid), ("batch.kubernetes.io/job-name", metadata.Text("name")), ("controller-uid", uid), ("job-name", metadata.Text("name"))])
        {
            labels[name] = value;
        }

        metadata["labels"] ??= labels.DeepClone();
        spec["selector"] ??= new JsonObject { ["matchLabels"] = new JsonObject { ["batch.kubernetes.io/controller-uid"] = uid } };
    }

    /// <summary>What protects a volume in use from being deleted.</summary>
    public static void Protect(JsonObject storage, string finalizer)
    {
        JsonObject metadata = storage.SubOrNew("metadata");
        if (metadata["finalizers"] is not JsonArray list)
        {
            metadata["finalizers"] = list = [];
        }

        if (!list.Any(known => Json.AsString(known) == finalizer))
        {
            list.Add((JsonNode)finalizer);
        }
    }

    public static void CronJob(JsonObject job)
    {
        JsonObject spec = job.SubOrNew("spec");
        PodDefaults.Template(spec.Sub("jobTemplate")?.Sub("spec"));
        spec.Default("concurrencyPolicy", "Allow");
        spec.Default("suspend", false);
        spec.Default("successfulJobsHistoryLimit", 3);
        spec.Default("failedJobsHistoryLimit", 1);
    }

    /// <summary>Every namespace carries its own name as a label.</summary>
    public static void Namespace(JsonObject ns)
    {
        if (ns.SubOrNew("metadata").Text("name") is { Length: > 0 } name)
        {
            ns.SubOrNew("metadata").SubOrNew("labels")["kubernetes.io/metadata.name"] = name;
        }
    }

    public static void Endpoints(JsonObject endpoints)
    {
        foreach (JsonObject port in endpoints.Items("subsets").SelectMany(static subset => subset.Items("ports")))
        {
            port.Default("protocol", "TCP");
        }
    }

    public static void EndpointSlice(JsonObject slice)
    {
        foreach (JsonObject port in slice.Items("ports"))
        {
            port["name"] ??= "";
            port.Default("protocol", "TCP");
        }
    }

    public static void Binding(JsonObject binding)
    {
        binding.SubOrNew("roleRef").Default("apiGroup", RbacGroup);
        foreach (JsonObject subject in binding.Items("subjects"))
        {
            if (subject.Text("kind") is "User" or "Group")
            {
                subject.Default("apiGroup", RbacGroup);
            }
        }
    }

    public static void NetworkPolicy(JsonObject policy)
    {
        JsonObject spec = policy.SubOrNew("spec");
        foreach (JsonObject port in spec.Items("ingress").Concat(spec.Items("egress")).SelectMany(static rule => rule.Items("ports")))
        {
            port.Default("protocol", "TCP");
        }

        if (spec["policyTypes"] is not JsonArray { Count: > 0 })
        {
            spec["policyTypes"] = spec["egress"] is JsonArray { Count: > 0 } ? new JsonArray("Ingress", "Egress") : new JsonArray("Ingress");
        }
    }

    public static void Webhooks(JsonObject configuration)
    {
        foreach (JsonObject hook in configuration.Items("webhooks"))
        {
            hook.Default("failurePolicy", "Fail");
            hook.Default("matchPolicy", "Equivalent");
            hook.Default("namespaceSelector", new JsonObject());
            hook.Default("objectSelector", new JsonObject());
            hook.Default("timeoutSeconds", 10);
            if (configuration.Text("kind") == "MutatingWebhookConfiguration")
            {
                hook.Default("reinvocationPolicy", "Never");
            }

            hook.Sub("clientConfig")?.Sub("service")?.Default("port", 443);
            foreach (JsonObject rule in hook.Items("rules"))
            {
                rule.Default("scope", "*");
            }
        }
    }

    public static void Autoscaler(JsonObject scaler)
    {
        JsonObject spec = scaler.SubOrNew("spec");
        spec.Default("minReplicas", 1);
        if (spec["metrics"] is not JsonArray { Count: > 0 } && scaler.Text("apiVersion") == "autoscaling/v2")
        {
            spec["metrics"] = new JsonArray(new JsonObject
            {
                ["type"] = "Resource",
                ["resource"] = new JsonObject { ["name"] = "cpu", ["target"] = new JsonObject { ["type"] = "Utilization", ["averageUtilization"] = 80 } },
            });
        }
    }

    public static void StorageClass(JsonObject storage)
    {
        storage.Default("reclaimPolicy", "Delete");
        storage.Default("volumeBindingMode", "Immediate");
    }

    public static void PriorityClass(JsonObject priority) => priority.Default("preemptionPolicy", "PreemptLowerPriority");

    public static void TokenRequest(JsonObject request) => request.SubOrNew("spec").Default("expirationSeconds", 3600);
}
