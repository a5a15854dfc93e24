using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Builtin;

/// <summary>What ConfigMaps, Secrets, Services, endpoints, Leases, RBAC objects and the like must satisfy, and what of them may not change.</summary>
internal static class ConfigValidation
{
    private const int MaxBytes = 1024 * 1024;
    private const string ImmutableOnceSet = "field is immutable when `immutable` is set";
    private static readonly string[] ServiceTypes = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];

    public static IReadOnlyList<FieldError> ConfigMap(JsonObject map)
    {
        var errors = new List<FieldError>();
        long size = CheckData(map, "data", static value => Encoding.UTF8.GetByteCount(value), errors) + CheckData(map, "binaryData", Base64Bytes, errors);
        foreach ((string key, JsonNode? _) in map.Sub("binaryData") ?? [])
        {
            if (map.Sub("data")?.ContainsKey(key) == true)
            {
                errors.Add(FieldError.Invalid($"data[{key}]", Json.Quote(key), "duplicate of key present in binaryData"));
            }
        }

        return TooLarge("[]", size, errors);
    }

    public static IReadOnlyList<FieldError> Secret(JsonObject secret)
    {
        var errors = new List<FieldError>();
        long size = CheckData(secret, "data", Base64Bytes, errors);
        TooLarge("data", size, errors);
        (string Type, string[] Keys) needs = secret.Text("type") switch
        {
            "kubernetes.io/dockerconfigjson" => ("", [".dockerconfigjson"]),
            "kubernetes.io/dockercfg" => ("", [".dockercfg"]),
            "kubernetes.io/ssh-auth" => ("", ["ssh-privatekey"]),
            "kubernetes.io/tls" => ("", ["tls.crt", "tls.key"]),
            _ => ("", []),
        };
        errors.AddRange(needs.Keys.Where(key => secret.Sub("data")?.ContainsKey(key) != true).Select(key => FieldError.Required($"data[{key}]")));
        return errors;
    }

    private static long Base64Bytes(string text) => (text.Length / 4 * 3) - (text.EndsWith("==", StringComparison.Ordinal) ? 2 : text.EndsWith('=') ? 1 : 0);

    private static long CheckData(JsonObject node, string name, Func<string, long> bytes, List<FieldError> errors)
    {
        long size = 0;
        foreach ((string key, JsonNode? value) in node.Sub(name) ?? [])
        {
            errors.AddRange(NameSyntax.ConfigKey(key).Select(problem => FieldError.Invalid($"{name}[{key}]", Json.Quote(key), problem)));
            size += bytes(Json.AsString(value) ?? "");
        }

        return size;
    }

    private static List<FieldError> TooLarge(string field, long size, List<FieldError> errors)
    {
        if (size > MaxBytes)
        {
            errors.Add(new FieldError(FieldErrorType.TooLong, field, null, $"may not be more than {MaxBytes} bytes"));
        }

        return errors;
    }

    public static IReadOnlyList<FieldError> ConfigMapUpdate(JsonObject map, JsonObject old) =>
        [.. Frozen(map, old, ["data", "binaryData"]), .. ConfigMap(map)];

    public static IReadOnlyList<FieldError> SecretUpdate(JsonObject secret, JsonObject old) =>
    [
        .. secret.Text("type") == old.Text("type") ? Array.Empty<FieldError>() : [FieldError.Invalid("type", Json.Quote(secret.Text("type")), "field is immutable")],
        .. Frozen(secret, old, ["data"]),
        .. Secret(secret),
    ];

    private static IEnumerable<FieldError> Frozen(JsonObject now, JsonObject old, string[] fields)
    {
        if (!old.Flag("immutable"))
        {
            yield break;
        }

        if (!now.Flag("immutable"))
        {
            yield return FieldError.Forbidden("immutable", ImmutableOnceSet);
        }

        foreach (string field in fields.Where(field => !Json.Equal(now[field], old[field])))
        {
            yield return FieldError.Forbidden(field, ImmutableOnceSet);
        }
    }

    public static IReadOnlyList<FieldError> Service(JsonObject service)
    {
        var errors = new List<FieldError>();
        JsonObject spec = service.Sub("spec") ?? [];
        string type = spec.Text("type");
        bool headless = spec.Text("clusterIP") == "None";
        int ports = (spec["ports"] as JsonArray)?.Count ?? 0;
        if (ports == 0 && !headless && type != "ExternalName")
        {
            errors.Add(FieldError.Required("spec.ports"));
        }

        if (type == "ExternalName" && spec.Text("externalName").TrimEnd('.').Length == 0)
        {
            errors.Add(FieldError.Required("spec.externalName"));
        }

        if (type == "LoadBalancer" && headless)
        {
            errors.Add(FieldError.Invalid("spec.clusterIPs[0]", "\"None\"", "may not be set to 'None' for LoadBalancer services"));
        }

        CheckServicePorts(spec, ports, headless, errors);
        WorkloadValidation.CheckLabels(spec.Sub("selector"), "spec.selector", errors);
        PodValidation.CheckOption(spec, "sessionAffinity", ["ClientIP", "None"], "spec", errors);
        PodValidation.CheckOption(spec, "type", ServiceTypes, "spec", errors);
        PodValidation.CheckOption(spec, "externalTrafficPolicy", ["Cluster", "Local"], "spec", errors);
        PodValidation.CheckOption(spec, "internalTrafficPolicy", ["Cluster", "Local"], "spec", errors);
        return errors;
    }

    private static void CheckServicePorts(JsonObject spec, int count, bool headless, List<FieldError> errors)
    {
        var names = new HashSet<string>();
        var places = new HashSet<(string, long)>();
        foreach ((JsonObject port, string path) in spec.Indexed("ports", "spec.ports"))
        {
            string name = port.Text("name");
            if (name.Length == 0 && count > 1)
            {
                errors.Add(FieldError.Required(path + ".name"));
            }
            else if (name.Length > 0)
            {
                errors.AddRange(NameSyntax.DnsLabel(name).Select(problem => FieldError.Invalid(path + ".name", Json.Quote(name), problem)));
                if (!names.Add(name))
                {
                    errors.Add(FieldError.Duplicate(path + ".name", Json.Quote(name)));
                }
            }

            PodValidation.CheckPort(port.Integer("port") ?? 0, path + ".port", errors);
            PodValidation.CheckOption(port, "protocol", ["SCTP", "TCP", "UDP"], path, errors);
            PodValidation.CheckPortOrName(port["targetPort"], path + ".targetPort", errors);
            _ = headless;
        }

        foreach ((JsonObject port, string path) in spec.Indexed("ports", "spec.ports"))
        {
            if (!places.Add((port.Text("protocol"), port.Integer("port") ?? 0)))
            {
                errors.Add(FieldError.Duplicate(path, $"{{\"Name\":\"\",\"Protocol\":{Json.Quote(port.Text("protocol"))},\"AppProtocol\":null,\"Port\":{port.Integer("port") ?? 0},\"TargetPort\":0,\"NodePort\":0}}"));
            }
        }
    }

    public static IReadOnlyList<FieldError> ServiceUpdate(JsonObject service, JsonObject old)
    {
        JsonObject spec = service.Sub("spec") ?? [];
        JsonObject before = old.Sub("spec") ?? [];
        bool keepsAddress = before.Text("clusterIP").Length > 0 && before.Text("type") != "ExternalName" && spec.Text("type") != "ExternalName";
        return keepsAddress && spec.Text("clusterIP") != before.Text("clusterIP")
            ? [FieldError.Invalid("spec.clusterIPs[0]", Json.Compact(spec["clusterIPs"]), "may not change once set"), .. Service(service)]
            : Service(service);
    }

    public static IReadOnlyList<FieldError> Endpoints(JsonObject endpoints)
    {
        var errors = new List<FieldError>();
        foreach ((JsonObject subset, string path) in endpoints.Indexed("subsets", "subsets"))
        {
            foreach ((JsonObject address, string at) in subset.Indexed("addresses", path + ".addresses").Concat(subset.Indexed("notReadyAddresses", path + ".notReadyAddresses")))
            {
                string ip = address.Text("ip");
                if (!IPAddress.TryParse(ip, out _))
                {
                    errors.Add(FieldError.Invalid(at + ".ip", Json.Quote(ip), "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"));
                    errors.Add(FieldError.Invalid(at + ".ip", Json.Quote(ip), "must be a valid IP address"));
                }
            }

            foreach ((JsonObject port, string at) in subset.Indexed("ports", path + ".ports"))
            {
                if (subset.Items("ports").Count() > 1 && port.Text("name").Length == 0)
                {
                    errors.Add(FieldError.Required(at + ".name"));
                }

                PodValidation.CheckPort(port.Integer("port") ?? 0, at + ".port", errors);
                PodValidation.CheckOption(port, "protocol", ["SCTP", "TCP", "UDP"], at, errors);
            }
        }

        return errors;
    }

    public static IReadOnlyList<FieldError> EndpointSlice(JsonObject slice)
    {
        var errors = new List<FieldError>();
        string type = slice.Text("addressType");
        if (type.Length == 0)
        {
            errors.Add(FieldError.Required("addressType"));
        }

        foreach ((JsonObject endpoint, string path) in slice.Indexed("endpoints", "endpoints"))
        {
            string[] addresses = [.. (endpoint["addresses"] as JsonArray ?? []).Select(static address => Json.AsString(address) ?? "")];
            if (addresses.Length == 0)
            {
                errors.Add(FieldError.Required(path + ".addresses", "must contain at least 1 address"));
            }

            for (int i = 0; i < addresses.Length; i++)
            {
                if (type is "IPv4" or "IPv6" && !IPAddress.TryParse(addresses[i], out _))
                {
                    errors.Add(FieldError.Invalid($"{path}.addresses[{i}]", Json.Quote(addresses[i]), "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"));
                }
            }
        }

        PodValidation.CheckOption(slice, "addressType", ["FQDN", "IPv4", "IPv6"], "", errors);
        return errors;
    }

    public static IReadOnlyList<FieldError> EndpointSliceUpdate(JsonObject slice, JsonObject old) =>
        slice.Text("addressType") == old.Text("addressType") ? EndpointSlice(slice)
            : [.. EndpointSlice(slice), FieldError.Invalid("addressType", Json.Quote(slice.Text("addressType")), "field is immutable")];

    public static IReadOnlyList<FieldError> Lease(JsonObject lease)
    {
        var errors = new List<FieldError>();
        JsonObject spec = lease.Sub("spec") ?? [];
        if (spec.Integer("leaseDurationSeconds") is <= 0 and { } seconds)
        {
            errors.Add(FieldError.Invalid("spec.leaseDurationSeconds", seconds.ToString(), "must be greater than 0"));
        }

        if (spec.Integer("leaseTransitions") is < 0 and { } transitions)
        {
            errors.Add(FieldError.Invalid("spec.leaseTransitions", transitions.ToString(), "must be greater than or equal to 0"));
        }

        return errors;
    }

    public static IReadOnlyList<FieldError> Role(JsonObject role)
    {
        var errors = new List<FieldError>();
        bool cluster = role.Text("kind") == "ClusterRole";
        foreach ((JsonObject rule, string path) in role.Indexed("rules", "rules"))
        {
            bool urls = rule["nonResourceURLs"] is JsonArray { Count: > 0 };
            if (rule["verbs"] is not JsonArray { Count: > 0 })
            {
                errors.Add(FieldError.Required(path + ".verbs", "verbs must contain at least one value"));
            }

            if (urls)
            {
                if (!cluster)
                {
                    errors.Add(FieldError.Invalid(path + ".nonResourceURLs", Json.Compact(rule["nonResourceURLs"]), "namespaced rules cannot apply to non-resource URLs"));
                }

                continue;
            }

            if (rule["apiGroups"] is not JsonArray { Count: > 0 })
            {
                errors.Add(FieldError.Required(path + ".apiGroups", "resource rules must supply at least one api group"));
            }

            if (rule["resources"] is not JsonArray { Count: > 0 })
            {
                errors.Add(FieldError.Required(path + ".resources", "resource rules must supply at least one resource"));
            }
        }

        return errors;
    }

    public static IReadOnlyList<FieldError> Binding(JsonObject binding)
    {
        var errors = new List<FieldError>();
        JsonObject role = binding.Sub("roleRef") ?? [];
        string[] kinds = binding.Text("kind") == "ClusterRoleBinding" ? ["ClusterRole"] : ["Role", "ClusterRole"];
        if (!kinds.Contains(role.Text("kind")))
        {
            errors.Add(FieldError.NotSupported("roleRef.kind", Json.Quote(role.Text("kind")), "supported values: " + string.Join(", ", kinds.Select(Json.Quote))));
        }

        if (role.Text("name").Length == 0)
        {
            errors.Add(FieldError.Required("roleRef.name"));
        }

        foreach ((JsonObject subject, string path) in binding.Indexed("subjects", "subjects"))
        {
            if (subject.Text("name").Length == 0)
            {
                errors.Add(FieldError.Required(path + ".name"));
            }

            if (subject.Text("kind") is not ("ServiceAccount" or "User" or "Group"))
            {
                errors.Add(FieldError.NotSupported(path + ".kind", Json.Quote(subject.Text("kind")), "supported values: \"ServiceAccount\", \"User\", \"Group\""));
            }
            else if (subject.Text("kind") == "ServiceAccount" && subject.Text("namespace").Length == 0 && binding.Text("kind") == "ClusterRoleBinding")
            {
                errors.Add(FieldError.Required(path + ".namespace"));
            }
        }

        return errors;
    }

    public static IReadOnlyList<FieldError> BindingUpdate(JsonObject binding, JsonObject old) =>
        Json.Equal(binding["roleRef"], old["roleRef"]) ? Binding(binding)
            : [FieldError.Invalid("roleRef", Json.Compact(new JsonObject { ["APIGroup"] = binding["roleRef"]?["apiGroup"]?.DeepClone(), ["Kind"] = binding["roleRef"]?["kind"]?.DeepClone(), ["Name"] = binding["roleRef"]?["name"]?.DeepClone() }), "cannot change roleRef"), .. Binding(binding)];

    public static IReadOnlyList<FieldError> Claim(JsonObject claim)
    {
        var errors = new List<FieldError>();
        JsonObject spec = claim.Sub("spec") ?? [];
        if (spec["accessModes"] is not JsonArray { Count: > 0 })
        {
            errors.Add(FieldError.Required("spec.accessModes", "at least 1 access mode is required"));
        }

        if (spec.Sub("resources")?.Sub("requests")?["storage"] is null)
        {
            errors.Add(FieldError.Required("spec.resources[storage]"));
        }

        return errors;
    }

    // A disruption budget as the real server prints it in messages.
    private static string Dump(JsonObject spec) => Json.Compact(
        new JsonObject
        {
            ["MinAvailable"] = Json.Clone(spec["minAvailable"]),
            ["Selector"] = Json.Clone(spec["selector"]),
            ["MaxUnavailable"] = Json.Clone(spec["maxUnavailable"]),
            ["UnhealthyPodEvictionPolicy"] = Json.Clone(spec["unhealthyPodEvictionPolicy"]),
        },
        sorted: false);

    public static IReadOnlyList<FieldError> DisruptionBudget(JsonObject budget)
    {
        var errors = new List<FieldError>();
        JsonObject spec = budget.Sub("spec") ?? [];
        if (spec["minAvailable"] is not null && spec["maxUnavailable"] is not null)
        {
            errors.Add(FieldError.Invalid("spec", Dump(spec), "minAvailable and maxUnavailable cannot be both set"));
        }

        if (spec.Sub("selector") is { } selector)
        {
            WorkloadValidation.CheckSelector(selector, "spec.selector", errors);
        }

        return errors;
    }
}
