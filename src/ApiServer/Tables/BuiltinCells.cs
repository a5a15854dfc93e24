using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Http;

namespace OptiInfra.ApiServer.Tables;

/// <summary>What stands in the cells of built-in kinds, by resource and column: one line each, absent values as kubectl shows them.</summary>
internal static class BuiltinCells
{
    private const string None = "<none>";

    public static Func<JsonObject, DateTimeOffset, JsonNode?> Of(string resource, string column) => (resource, column) switch
    {
        (_, "Name") => (obj, _) => obj.Obj("metadata").Str("name"),
        ("endpointslices.discovery.k8s.io", "Endpoints") => (obj, _) => SliceEndpoints(obj),
        ("endpointslices.discovery.k8s.io", "Ports") => (obj, _) => SlicePorts(obj),
        ("endpointslices.discovery.k8s.io", _) when column == "AddressType" => (obj, _) => obj.Str("addressType") ?? "",
        (_, "Age") => (obj, now) => HumanTime.Since(obj.Obj("metadata").Str("creationTimestamp"), now),
        (_, "Created At") => (obj, _) => obj.Obj("metadata").Str("creationTimestamp"),
        ("configmaps", "Data") => (obj, _) => (long)((obj.Obj("data")?.Count ?? 0) + (obj.Obj("binaryData")?.Count ?? 0)),
        ("secrets", "Type") => (obj, _) => obj.Str("type") ?? "",
        ("secrets", "Data") => (obj, _) => (long)(obj.Obj("data")?.Count ?? 0),
        ("namespaces", "Status") or ("persistentvolumeclaims", "Status") => (obj, _) => obj.Obj("status").Str("phase") ?? "",
        ("leases.coordination.k8s.io", "Holder") => (obj, _) => obj.Obj("spec").Str("holderIdentity") ?? "",
        ("endpoints", "Endpoints") => (obj, _) => Endpoints(obj),
        ("services", _) => (obj, _) => ServiceCells.Of(obj, column),
        ("pods", _) => (obj, now) => PodCells.Of(obj, column, now),
        ("events" or "events.events.k8s.io", _) => (obj, now) => EventCell(obj, column, now),
        ("nodes", _) => (obj, _) => NodeCell(obj, column),
        ("rolebindings.rbac.authorization.k8s.io" or "clusterrolebindings.rbac.authorization.k8s.io", _) => (obj, _) => BindingCell(obj, column),
        (_, "Webhooks") => (obj, _) => (long)(obj.Arr("webhooks")?.Count ?? 0),
        (_, "Containers") => (obj, _) => Containers(obj, "name"),
        (_, "Images") => (obj, _) => Containers(obj, "image"),
        (_, "Selector") => (obj, _) => Selector(obj.Obj("spec").Obj("selector")),
        _ => (obj, now) => WorkloadCell(obj, resource, column, now),
    };

    public static string Selector(JsonObject? selector)
    {
        if (selector is null)
        {
            return None;
        }

        JsonObject labels = selector.Obj("matchLabels") ?? (selector.ContainsKey("matchExpressions") ? [] : selector);
        IEnumerable<string> equal = labels.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value.Str()}");
        IEnumerable<string> expressions = selector.Arr("matchExpressions").Objects().Select(Expression);
        string text = string.Join(",", equal.Concat(expressions));
        return text.Length == 0 ? None : text;
    }

    private static string Expression(JsonObject expression)
    {
        string key = expression.Str("key") ?? "";
        string values = string.Join(",", expression.Arr("values").Strings().Order(StringComparer.Ordinal));
        return expression.Str("operator") switch
        {
            "In" => $"{key} in ({values})",
            "NotIn" => $"{key} notin ({values})",
            "DoesNotExist" => "!" + key,
            _ => key,
        };
    }

    private static JsonNode? WorkloadCell(JsonObject obj, string resource, string column, DateTimeOffset now)
    {
        JsonObject? spec = obj.Obj("spec");
        JsonObject? status = obj.Obj("status");
        string kind = resource.Split('.')[0];
        return (kind, column) switch
        {
            ("deployments" or "statefulsets", "Ready") => $"{status.Int("readyReplicas") ?? 0}/{spec.Int("replicas") ?? 0}",
            ("deployments", "Up-to-date") => status.Int("updatedReplicas") ?? 0,
            ("deployments", "Available") => status.Int("availableReplicas") ?? 0,
            ("replicasets" or "replicationcontrollers", "Desired") => spec.Int("replicas") ?? 0,
            ("replicasets" or "replicationcontrollers", "Current") => status.Int("replicas") ?? 0,
            ("replicasets" or "replicationcontrollers", "Ready") => status.Int("readyReplicas") ?? 0,
            ("daemonsets", "Desired") => status.Int("desiredNumberScheduled") ?? 0,
            ("daemonsets", "Current") => status.Int("currentNumberScheduled") ?? 0,
            ("daemonsets", "Ready") => status.Int("numberReady") ?? 0,
            ("daemonsets", "Up-to-date") => status.Int("updatedNumberScheduled") ?? 0,
            ("daemonsets", "Available") => status.Int("numberAvailable") ?? 0,
            ("daemonsets", "Node Selector") => Selector(spec.Obj("template").Obj("spec").Obj("nodeSelector")),
            ("jobs", "Status") => JobStatus(status),
            ("jobs", "Completions") => $"{status.Int("succeeded") ?? 0}/{spec.Int("completions") ?? 1}",
            ("jobs", "Duration") => JobDuration(status, now),
            ("cronjobs", "Schedule") => spec.Str("schedule"),
            ("cronjobs", "Timezone") => spec.Str("timeZone") ?? None,
            ("cronjobs", "Suspend") => spec.Bool("suspend") == true ? "True" : "False",
            ("cronjobs", "Active") => (long)(status.Arr("active")?.Count ?? 0),
            ("cronjobs", "Last Schedule") => status.Str("lastScheduleTime") is { } last ? HumanTime.Since(last, now) : None,
            ("networkpolicies", "Pod-Selector") => Selector(spec.Obj("podSelector")),
            ("poddisruptionbudgets", "Min Available") => spec?["minAvailable"]?.ToString() ?? "N/A",
            ("poddisruptionbudgets", "Max Unavailable") => spec?["maxUnavailable"]?.ToString() ?? "N/A",
            ("poddisruptionbudgets", "Allowed Disruptions") => status.Int("disruptionsAllowed") ?? 0,
            ("persistentvolumeclaims", "Volume") => spec.Str("volumeName") ?? "",
            ("persistentvolumeclaims", "Capacity") => status.Obj("capacity").Str("storage") ?? "",
            ("persistentvolumeclaims", "Access Modes") => string.Join(",", spec.Arr("accessModes").Strings()),
            ("persistentvolumeclaims", "StorageClass") => spec.Str("storageClassName") ?? "",
            ("persistentvolumeclaims", "VolumeMode") => spec.Str("volumeMode") ?? "<unset>",
            ("ingresses", "Class") => spec.Str("ingressClassName") ?? None,
            ("ingresses", "Hosts") => spec.Arr("rules").Objects().Select(rule => rule.Str("host") ?? "*").ToArray() is { Length: > 0 } hosts ? string.Join(",", hosts) : "*",
            ("ingresses", "Address") => "",
            ("ingresses", "Ports") => spec.Arr("tls") is { Count: > 0 } ? "80, 443" : "80",
            ("horizontalpodautoscalers", "Reference") => $"{spec.Obj("scaleTargetRef").Str("kind")}/{spec.Obj("scaleTargetRef").Str("name")}",
            ("horizontalpodautoscalers", "Targets") => "<none>",
            ("horizontalpodautoscalers", "MinPods") => (spec.Int("minReplicas") ?? 1).ToString(),
            ("horizontalpodautoscalers", "MaxPods") => spec.Int("maxReplicas") ?? 0,
            ("horizontalpodautoscalers", "Replicas") => status.Int("currentReplicas") ?? 0,
            _ => "",
        };
    }

    private static string JobStatus(JsonObject? status)
    {
        foreach (string type in (string[])["Complete", "Failed", "Suspended"])
        {
            if (status.Arr("conditions").Objects().Any(condition => condition.Str("type") == type && condition.Str("status") == "True"))
            {
                return type;
            }
        }

        return "Running";
    }

    private static string JobDuration(JsonObject? status, DateTimeOffset now)
    {
        if (!DateTimeOffset.TryParse(status.Str("startTime"), out DateTimeOffset start))
        {
            return "";
        }

        return HumanTime.Duration((DateTimeOffset.TryParse(status.Str("completionTime"), out DateTimeOffset end) ? end : now) - start);
    }

    private static string Containers(JsonObject obj, string field)
    {
        JsonObject? spec = obj.Obj("spec");
        JsonObject? template = spec.Obj("template") ?? spec.Obj("jobTemplate").Obj("spec").Obj("template");
        return string.Join(",", template.Obj("spec").Arr("containers").Objects().Select(container => container.Str(field)));
    }

    private static string Endpoints(JsonObject obj)
    {
        const int shown = 3;
        List<string> all = [];
        foreach (JsonObject subset in obj.Arr("subsets").Objects())
        {
            JsonObject[] ports = [.. subset.Arr("ports").Objects()];
            foreach (JsonObject address in subset.Arr("addresses").Objects())
            {
                if (ports.Length == 0)
                {
                    all.Add(address.Str("ip") ?? "");
                }
            }

            foreach (JsonObject port in ports)
            {
                all.AddRange(subset.Arr("addresses").Objects().Select(address => $"{address.Str("ip")}:{port.Int("port")}"));
            }
        }

        return all.Count == 0 ? None : string.Join(",", all.Take(shown)) + (all.Count > shown ? $" + {all.Count - shown} more..." : "");
    }

    private static string SlicePorts(JsonObject obj)
    {
        string[] ports = [.. obj.Arr("ports").Objects().Select(port => port.Int("port")?.ToString() ?? "*")];
        return ports.Length == 0 ? "<unset>" : Limited(ports);
    }

    private static string SliceEndpoints(JsonObject obj)
    {
        string[] addresses = [.. obj.Arr("endpoints").Objects().SelectMany(endpoint => endpoint.Arr("addresses").Strings())];
        return addresses.Length == 0 ? "<unset>" : Limited(addresses);
    }

    private static string Limited(string[] values) =>
        string.Join(",", values.Take(3)) + (values.Length > 3 ? $" + {values.Length - 3} more..." : "");

    private static JsonNode? BindingCell(JsonObject obj, string column)
    {
        IEnumerable<string> Subjects(string kind) => obj.Arr("subjects").Objects().Where(subject => subject.Str("kind") == kind)
            .Select(subject => kind == "ServiceAccount" ? $"{subject.Str("namespace")}/{subject.Str("name")}" : subject.Str("name") ?? "");

        return column switch
        {
            "Role" => $"{obj.Obj("roleRef").Str("kind")}/{obj.Obj("roleRef").Str("name")}",
            "Users" => string.Join(", ", Subjects("User")),
            "Groups" => string.Join(", ", Subjects("Group")),
            _ => string.Join(", ", Subjects("ServiceAccount")),
        };
    }

    private static JsonNode? NodeCell(JsonObject obj, string column)
    {
        JsonObject? status = obj.Obj("status");
        JsonObject? info = status.Obj("nodeInfo");
        string Address(string type) => status.Arr("addresses").Objects().FirstOrDefault(address => address.Str("type") == type).Str("address") ?? None;
        return column switch
        {
            "Status" => NodeStatus(obj),
            "Roles" => string.Join(",", (obj.Obj("metadata").Obj("labels") ?? []).Select(label => label.Key)
                .Where(key => key.StartsWith("node-role.kubernetes.io/", StringComparison.Ordinal)).Select(key => key[24..]).Order(StringComparer.Ordinal)) is { Length: > 0 } roles ? roles : None,
            "Version" => info.Str("kubeletVersion") ?? "",
            "Internal-IP" => Address("InternalIP"),
            "External-IP" => Address("ExternalIP"),
            "OS-Image" => info.Str("osImage") ?? "<unknown>",
            "Kernel-Version" => info.Str("kernelVersion") ?? "<unknown>",
            _ => info.Str("containerRuntimeVersion") ?? "<unknown>",
        };
    }

    private static string NodeStatus(JsonObject obj)
    {
        string? ready = obj.Obj("status").Arr("conditions").Objects().FirstOrDefault(condition => condition.Str("type") == "Ready").Str("status");
        string text = ready switch { "True" => "Ready", null => "Unknown", _ => "NotReady" };
        return obj.Obj("spec").Bool("unschedulable") == true ? text + ",SchedulingDisabled" : text;
    }

    private static JsonNode? EventCell(JsonObject obj, string column, DateTimeOffset now)
    {
        JsonObject? about = obj.Obj("involvedObject") ?? obj.Obj("regarding");
        JsonObject? source = obj.Obj("source") ?? obj.Obj("deprecatedSource");
        string? first = obj.Str("firstTimestamp") ?? obj.Str("deprecatedFirstTimestamp") ?? obj.Str("eventTime");
        string? last = obj.Obj("series").Str("lastObservedTime") ?? obj.Str("lastTimestamp") ?? obj.Str("deprecatedLastTimestamp") ?? first;
        return column switch
        {
            "Last Seen" => HumanTime.Since(last, now),
            "Type" => obj.Str("type") ?? "",
            "Reason" => obj.Str("reason") ?? "",
            "Object" => $"{about.Str("kind")?.ToLowerInvariant()}/{about.Str("name")}",
            "Subobject" => about.Str("fieldPath") ?? "",
            "Source" => source.Str("component") is { Length: > 0 } component
                ? component + (source.Str("host") is { Length: > 0 } host ? ", " + host : "")
                : obj.Str("reportingComponent") ?? obj.Str("reportingController") ?? "",
            "Message" => (obj.Str("message") ?? obj.Str("note") ?? "").Trim(),
            "First Seen" => HumanTime.Since(first, now),
            _ => obj.Obj("series").Int("count") ?? obj.Int("count") ?? obj.Int("deprecatedCount") ?? 1,
        };
    }
}

/// <summary>The cells of a Service.</summary>
internal static class ServiceCells
{
    public static JsonNode? Of(JsonObject obj, string column)
    {
        JsonObject? spec = obj.Obj("spec");
        return column switch
        {
            "Type" => spec.Str("type") ?? "",
            "Cluster-IP" => spec.Str("clusterIP") is { Length: > 0 } address ? address : "<none>",
            "External-IP" => External(obj),
            "Port(s)" => Ports(spec),
            _ => BuiltinCells.Selector(spec.Obj("selector")),
        };
    }

    private static string External(JsonObject obj)
    {
        JsonObject? spec = obj.Obj("spec");
        string ips = string.Join(",", spec.Arr("externalIPs").Strings());
        switch (spec.Str("type"))
        {
            case "ExternalName":
                return spec.Str("externalName") ?? "";
            case "LoadBalancer":
                string balancer = string.Join(",", obj.Obj("status").Obj("loadBalancer").Arr("ingress").Objects().Select(entry => entry.Str("ip") ?? entry.Str("hostname") ?? ""));
                string all = string.Join(",", ((string[])[balancer, ips]).Where(text => text.Length > 0));
                return all.Length == 0 ? "<pending>" : all;
            default:
                return ips.Length == 0 ? "<none>" : ips;
        }
    }

    private static string Ports(JsonObject? spec)
    {
        string[] ports =
        [
            .. spec.Arr("ports").Objects().Select(port => port.Int("nodePort") is > 0 and { } node
                ? $"{port.Int("port")}:{node}/{port.Str("protocol")}"
                : $"{port.Int("port")}/{port.Str("protocol")}"),
        ];
        return ports.Length == 0 ? "<none>" : string.Join(",", ports);
    }
}

/// <summary>The cells of a Pod: how far its containers are.</summary>
internal static class PodCells
{
    public static JsonNode? Of(JsonObject obj, string column, DateTimeOffset now)
    {
        JsonObject? spec = obj.Obj("spec");
        JsonObject? status = obj.Obj("status");
        JsonObject[] containers = [.. status.Arr("containerStatuses").Objects()];
        return column switch
        {
            "Ready" => $"{containers.Count(container => container.Bool("ready") == true)}/{spec.Arr("containers")?.Count ?? 0}",
            "Status" => Status(obj, containers),
            "Restarts" => Restarts(containers, now),
            "IP" => status.Str("podIP") is { Length: > 0 } address ? address : "<none>",
            "Node" => spec.Str("nodeName") is { Length: > 0 } node ? node : "<none>",
            "Nominated Node" => status.Str("nominatedNodeName") is { Length: > 0 } nominated ? nominated : "<none>",
            _ => Gates(spec, status),
        };
    }

    private static string Status(JsonObject obj, JsonObject[] containers)
    {
        JsonObject? status = obj.Obj("status");
        string text = status.Str("reason") ?? status.Str("phase") ?? "Unknown";
        foreach (JsonObject container in containers.Reverse())
        {
            JsonObject? state = container.Obj("state");
            text = state.Obj("waiting").Str("reason") ?? state.Obj("terminated").Str("reason") ?? text;
        }

        return obj.Obj("metadata")?.ContainsKey("deletionTimestamp") != true ? text : status.Str("reason") == "NodeLost" ? "Unknown" : "Terminating";
    }

    private static string Restarts(JsonObject[] containers, DateTimeOffset now)
    {
        long count = containers.Sum(container => container.Int("restartCount") ?? 0);
        string? last = containers.Select(container => container.Obj("lastState").Obj("terminated").Str("finishedAt")).Where(time => time is not null).Max(StringComparer.Ordinal);
        return count > 0 && last is not null ? $"{count} ({HumanTime.Since(last, now)} ago)" : count.ToString();
    }

    private static string Gates(JsonObject? spec, JsonObject? status)
    {
        string[] gates = [.. spec.Arr("readinessGates").Objects().Select(gate => gate.Str("conditionType") ?? "")];
        int ready = gates.Count(gate => status.Arr("conditions").Objects().Any(condition => condition.Str("type") == gate && condition.Str("status") == "True"));
        return gates.Length == 0 ? "<none>" : $"{ready}/{gates.Length}";
    }
}
