using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Http;

namespace OptiInfra.ApiServer.Verbs;

/// <summary>What a Service's address fields say once the server has filled them: families, policy, and what changing the type drops.</summary>
internal static class ServiceAddresses
{
    /// <summary>Fields that a client may leave out on an update keep their value; those of another type go.</summary>
    public static void Carry(JsonObject spec, JsonObject old)
    {
        bool external = spec.Str("type") == "ExternalName";
        bool wasExternal = old.Str("type") == "ExternalName";
        if (external)
        {
            DropAddresses(spec, old);
            return;
        }

        if (!wasExternal)
        {
            foreach (string field in (string[])["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"])
            {
                if (!spec.ContainsKey(field) && old[field] is { } value)
                {
                    spec[field] = value.DeepClone();
                }
            }
        }

        bool hasPorts = spec.Str("type") is "NodePort" or "LoadBalancer";
        bool hadPorts = old.Str("type") is "NodePort" or "LoadBalancer";
        if (hadPorts && !hasPorts)
        {
            DropNodePorts(spec, old);
        }
        else if (hasPorts && hadPorts)
        {
            KeepNodePorts(spec, old);
        }
    }

    public static void FillFamilies(JsonObject spec)
    {
        if (spec.Str("type") == "ExternalName")
        {
            return;
        }

        bool selectorless = spec.Str("clusterIP") == "None" && (spec.Obj("selector")?.Count ?? 0) == 0;
        spec["ipFamilies"] ??= selectorless ? new JsonArray("IPv4", "IPv6") : new JsonArray("IPv4");
        spec["ipFamilyPolicy"] ??= selectorless ? "RequireDualStack" : "SingleStack";
    }

    private static void DropAddresses(JsonObject spec, JsonObject old)
    {
        foreach (string field in (string[])["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy", "externalTrafficPolicy", "healthCheckNodePort"])
        {
            if (JsonNode.DeepEquals(spec[field], old[field]) || spec.ContainsKey(field) && !old.ContainsKey(field))
            {
                spec.Remove(field);
            }
        }

        DropNodePorts(spec, old);
    }

    private static void DropNodePorts(JsonObject spec, JsonObject old)
    {
        HashSet<long> drawn = [.. old.Arr("ports").Objects().Select(port => port.Int("nodePort") ?? 0)];
        foreach (JsonObject port in spec.Arr("ports").Objects().Where(port => drawn.Contains(port.Int("nodePort") ?? 0)))
        {
            port.Remove("nodePort");
        }

        if (JsonNode.DeepEquals(spec["externalTrafficPolicy"], old["externalTrafficPolicy"]))
        {
            spec.Remove("externalTrafficPolicy");
        }
    }

    private static void KeepNodePorts(JsonObject spec, JsonObject old)
    {
        foreach (JsonObject port in spec.Arr("ports").Objects().Where(port => (port.Int("nodePort") ?? 0) == 0))
        {
            JsonObject? same = old.Arr("ports").Objects().FirstOrDefault(known =>
                known.Int("port") == port.Int("port") && known.Str("protocol") == port.Str("protocol") && known.Int("nodePort") is > 0);
            if (same is not null)
            {
                port["nodePort"] = same.Int("nodePort");
            }
        }
    }
}
