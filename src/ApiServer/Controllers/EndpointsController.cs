using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Storage;
using OptiInfra.ApiServer.Verbs;

namespace OptiInfra.ApiServer.Controllers;

/// <summary>Writes the Endpoints and the EndpointSlice of every Service with a selector, from the pods it selects.</summary>
internal sealed class EndpointsController(ApiCore core) : Controller(core)
{
    private const string SliceLabel = "kubernetes.io/service-name";

    protected override IReadOnlyList<string> Tables => ["services", "pods"];

    protected override IEnumerable<(string Table, string Key)> KeysOf(string table, StoredObject obj, StoreEventType type)
    {
        if (table == "services")
        {
            yield return (table, obj.Key);
            yield break;
        }

        string ns = StoredObject.SplitKey(obj.Key).Namespace;
        foreach (StoredObject service in Core.Store.Snapshot("services").Objects)
        {
            if (StoredObject.SplitKey(service.Key).Namespace == ns && service.View.Obj("spec").Obj("selector") is { Count: > 0 } selector
                && Selection.MatchesMap(selector, obj.Metadata.Obj("labels")))
            {
                yield return ("services", service.Key);
            }
        }
    }

    protected override async Task ReconcileAsync(string table, string key, CancellationToken cancellation)
    {
        (string ns, string name) = StoredObject.SplitKey(key);
        StoredObject? service = Core.Store.Find("services", key);
        if (service is null)
        {
            await RemoveEndpointsAsync(ns, name, cancellation).ConfigureAwait(false);
            return;
        }

        if (service.IsDeleting || service.View.Obj("spec").Obj("selector") is not { Count: > 0 } selector || service.View.Obj("spec").Str("type") == "ExternalName")
        {
            return;
        }

        StoredObject[] pods =
        [
            .. Core.Store.Snapshot("pods").Objects.Where(pod =>
                StoredObject.SplitKey(pod.Key).Namespace == ns
                && Selection.MatchesMap(selector, pod.Metadata.Obj("labels"))
                && !string.IsNullOrEmpty(pod.View.Obj("status").Str("podIP"))
                && pod.View.Obj("status").Str("phase") is not ("Succeeded" or "Failed")),
        ];
        await WriteEndpointsAsync(service, ns, name, pods, cancellation).ConfigureAwait(false);
        await WriteSliceAsync(service, ns, name, pods, cancellation).ConfigureAwait(false);
    }

    private async Task WriteEndpointsAsync(StoredObject service, string ns, string name, StoredObject[] pods, CancellationToken cancellation)
    {
        ResourceInfo info = Core.Registry.Current.Find("", "v1", "endpoints")!;
        JsonArray subsets = [];
        if (pods.Length > 0)
        {
            JsonObject subset = [];
            foreach ((string field, bool ready) in new[] { ("addresses", true), ("notReadyAddresses", false) })
            {
                JsonArray addresses = [.. pods.Where(pod => IsReady(pod) == ready).Select(Address)];
                if (addresses.Count > 0)
                {
                    subset[field] = addresses;
                }
            }

            JsonArray ports = Ports(service, pods[0]);
            if (ports.Count > 0)
            {
                subset["ports"] = ports;
            }

            subsets.Add((JsonNode)subset);
        }

        JsonObject labels = service.Metadata.Obj("labels")?.Clone() ?? [];
        labels["endpoints.kubernetes.io/managed-by"] = "endpoint-controller";
        if (service.View.Obj("spec").Str("clusterIP") == "None")
        {
            labels["service.kubernetes.io/headless"] = "";
        }

        JsonObject wanted = new()
        {
            ["metadata"] = new JsonObject
            {
                ["name"] = name,
                ["labels"] = labels,
                ["annotations"] = new JsonObject { ["endpoints.kubernetes.io/last-change-trigger-time"] = service.Metadata.Str("creationTimestamp") },
            },
        };
        if (subsets.Count > 0)
        {
            wanted["subsets"] = subsets;
        }

        StoredObject? known = Core.Store.Find(info.Table, StoredObject.KeyOf(ns, name));
        if (known is null)
        {
            await CreateAsync(info, ns, wanted, cancellation).ConfigureAwait(false);
        }
        else if (!JsonNode.DeepEquals(known.View["subsets"], wanted["subsets"]) && known.Metadata.Obj("labels")?.ContainsKey("endpoints.kubernetes.io/managed-by") == true)
        {
            await ReplaceAsync(info, ns, name, "subsets", wanted["subsets"], cancellation).ConfigureAwait(false);
        }
    }

    private async Task WriteSliceAsync(StoredObject service, string ns, string name, StoredObject[] pods, CancellationToken cancellation)
    {
        ResourceInfo info = Core.Registry.Current.Find("discovery.k8s.io", "v1", "endpointslices")!;
        JsonArray? endpoints = pods.Length == 0 ? null : [.. pods.Select(Endpoint)];
        JsonArray? ports = pods.Length == 0 ? null : [.. Ports(service, pods[0]).Objects().Select(SlicePort)];
        StoredObject? known = Core.Store.Snapshot(info.Table).Objects.FirstOrDefault(slice =>
            StoredObject.SplitKey(slice.Key).Namespace == ns
            && slice.Metadata.Obj("labels").Str(SliceLabel) == name
            && slice.Metadata.Obj("labels").Str("endpointslice.kubernetes.io/managed-by") == "endpointslice-controller.k8s.io");
        if (known is null)
        {
            JsonObject labels = service.Metadata.Obj("labels")?.Clone() ?? [];
            labels["endpointslice.kubernetes.io/managed-by"] = "endpointslice-controller.k8s.io";
            labels[SliceLabel] = name;
            if (service.View.Obj("spec").Str("clusterIP") == "None")
            {
                labels["service.kubernetes.io/headless"] = "";
            }

            JsonObject slice = new()
            {
                ["metadata"] = new JsonObject
                {
                    ["generateName"] = name + "-",
                    ["labels"] = labels,
                    ["annotations"] = new JsonObject { ["endpoints.kubernetes.io/last-change-trigger-time"] = service.Metadata.Str("creationTimestamp") },
                    ["ownerReferences"] = new JsonArray(Ownership.Reference("v1", "Service", service)),
                },
                ["addressType"] = "IPv4",
                ["endpoints"] = endpoints,
                ["ports"] = ports,
            };
            await CreateAsync(info, ns, slice, cancellation).ConfigureAwait(false);
            return;
        }

        string sliceName = StoredObject.SplitKey(known.Key).Name;
        if (!JsonNode.DeepEquals(known.View["endpoints"], endpoints))
        {
            await ReplaceAsync(info, ns, sliceName, "endpoints", endpoints, cancellation).ConfigureAwait(false);
        }

        if (!JsonNode.DeepEquals(known.View["ports"], ports))
        {
            await ReplaceAsync(info, ns, sliceName, "ports", ports, cancellation).ConfigureAwait(false);
        }
    }

    private static bool IsReady(StoredObject pod) =>
        !pod.IsDeleting && pod.View.Obj("status").Arr("conditions").Objects().Any(condition => condition.Str("type") == "Ready" && condition.Str("status") == "True");

    private static JsonObject Address(StoredObject pod)
    {
        JsonObject address = new() { ["ip"] = pod.View.Obj("status").Str("podIP") };
        if (pod.View.Obj("spec").Str("nodeName") is { Length: > 0 } node)
        {
            address["nodeName"] = node;
        }

        address["targetRef"] = Target(pod);
        return address;
    }

    private static JsonObject Target(StoredObject pod) => new()
    {
        ["kind"] = "Pod",
        ["namespace"] = pod.Metadata.Str("namespace"),
        ["name"] = pod.Metadata.Str("name"),
        ["uid"] = pod.Uid,
    };

    private static JsonObject Endpoint(StoredObject pod)
    {
        bool running = pod.View.Obj("status").Arr("conditions").Objects().Any(condition => condition.Str("type") == "Ready" && condition.Str("status") == "True");
        JsonObject endpoint = new()
        {
            ["addresses"] = new JsonArray(pod.View.Obj("status").Str("podIP")),
            ["conditions"] = new JsonObject { ["ready"] = running && !pod.IsDeleting, ["serving"] = running, ["terminating"] = pod.IsDeleting },
            ["targetRef"] = Target(pod),
        };
        if (pod.View.Obj("spec").Str("nodeName") is { Length: > 0 } node)
        {
            endpoint["nodeName"] = node;
        }

        return endpoint;
    }

    private static JsonArray Ports(StoredObject service, StoredObject pod)
    {
        JsonArray ports = [];
        foreach (JsonObject port in service.View.Obj("spec").Arr("ports").Objects())
        {
            long? number = port["targetPort"].Int() ?? NamedPort(pod, port["targetPort"].Str()) ?? (port.ContainsKey("targetPort") ? null : port.Int("port"));
            if (number is null)
            {
                continue;
            }

            JsonObject made = [];
            if (port.Str("name") is { Length: > 0 } name)
            {
                made["name"] = name;
            }

            made["port"] = number;
            made["protocol"] = port.Str("protocol") ?? "TCP";
            if (port.Str("appProtocol") is { } application)
            {
                made["appProtocol"] = application;
            }

            ports.Add((JsonNode)made);
        }

        return ports;
    }

    private static JsonObject SlicePort(JsonObject port)
    {
        JsonObject made = port.Clone();
        made.TryAdd("name", "");
        return made;
    }

    private static long? NamedPort(StoredObject pod, string? name) => name is null ? null : pod.View.Obj("spec").Arr("containers").Objects()
        .SelectMany(container => container.Arr("ports").Objects())
        .FirstOrDefault(port => port.Str("name") == name)
        .Int("containerPort");

    private async Task CreateAsync(ResourceInfo info, string ns, JsonObject wanted, CancellationToken cancellation)
    {
        Decoded decoded = Decoder.Decode(info, wanted, [], Core.Registry.Current);
        try
        {
            await Core.Writer.CreateAsync(info, ns, decoded.Object, WriteOptions.Internal("kube-controller-manager"), cancellation).ConfigureAwait(false);
        }
        catch (ApiError e) when (e.Reason is "Forbidden" or "NotFound")
        {
            // The namespace is on its way out.
        }
    }

    private Task<Written> ReplaceAsync(ResourceInfo info, string ns, string name, string field, JsonNode? value, CancellationToken cancellation) => Core.Writer.UpdateAsync(
        info,
        ns,
        name,
        live =>
        {
            live!.Remove(field);
            if (value is not null || field is "endpoints" or "ports")
            {
                live[field] = value?.DeepClone();
            }

            live.Obj("metadata")!.Remove("resourceVersion");
            return live;
        },
        WriteOptions.Internal("kube-controller-manager"),
        cancellation);

    private async Task RemoveEndpointsAsync(string ns, string name, CancellationToken cancellation)
    {
        ResourceInfo info = Core.Registry.Current.Find("", "v1", "endpoints")!;
        if (Core.Store.Find(info.Table, StoredObject.KeyOf(ns, name))?.Metadata.Obj("labels")?.ContainsKey("endpoints.kubernetes.io/managed-by") == true)
        {
            await Core.Deleter.DeleteAsync(
                info, ns, name, new DeleteOptions(), WriteOptions.Internal("kube-controller-manager"), cancellation).ConfigureAwait(false);
        }
    }
}
