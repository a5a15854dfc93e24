using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Builtin;

/// <summary>What a pod spec must satisfy: the mistakes people make in manifests, reported all at once.</summary>
internal static class PodValidation
{
    private static readonly string[] Protocols = ["SCTP", "TCP", "UDP"];
    private static readonly string[] ProbeHandlers = ["exec", "httpGet", "tcpSocket", "grpc"];
    private static readonly string[] PullPolicies = ["Always", "IfNotPresent", "Never"];

    public static List<FieldError> Pod(JsonObject pod)
    {
        var errors = new List<FieldError>();
        Spec(pod.Sub("spec") ?? [], "spec", errors);
        return errors;
    }

    public static void Spec(JsonObject spec, string path, List<FieldError> errors)
    {
        HashSet<string> volumes = CheckVolumes(spec, path, errors);
        if (spec["containers"] is not JsonArray { Count: > 0 })
        {
            errors.Add(FieldError.Required(path + ".containers"));
        }

        var names = new HashSet<string>();
        foreach (string list in (ReadOnlySpan<string>)["containers", "initContainers"])
        {
            foreach ((JsonObject container, string at) in spec.Indexed(list, $"{path}.{list}"))
            {
                CheckContainer(container, at, names, volumes, errors);
            }
        }

        CheckOption(spec, "restartPolicy", ["Always", "Never", "OnFailure"], path, errors);
        if (spec.Text("dnsPolicy") is not ("" or "ClusterFirst" or "ClusterFirstWithHostNet" or "Default" or "None") and var dns)
        {
            errors.Add(FieldError.NotSupported(path + ".dnsPolicy", Json.Quote(dns), "supported values: \"ClusterFirstWithHostNet\", \"ClusterFirst\", \"Default\", \"None\""));
        }

        if (spec.Integer("activeDeadlineSeconds") is < 1 and { } deadline)
        {
            errors.Add(FieldError.Invalid(path + ".activeDeadlineSeconds", deadline.ToString(), "must be between 1 and 2147483647, inclusive"));
        }
    }

    /// <summary>Adds an error when a member holds something else than the supported values.</summary>
    public static void CheckOption(JsonObject node, string name, string[] supported, string path, List<FieldError> errors)
    {
        if (node.Text(name) is { Length: > 0 } value && !supported.Contains(value))
        {
            errors.Add(FieldError.NotSupported(SchemaValidator.Join(path, name), Json.Quote(value), "supported values: " + string.Join(", ", supported.Order(StringComparer.Ordinal).Select(Json.Quote))));
        }
    }

    private static HashSet<string> CheckVolumes(JsonObject spec, string path, List<FieldError> errors)
    {
        var names = new HashSet<string>();
        foreach ((JsonObject volume, string at) in spec.Indexed("volumes", path + ".volumes"))
        {
            string name = volume.Text("name");
            CheckName(name, at + ".name", names, errors);
            if (volume.Count > 2)
            {
                string second = volume.Select(static member => member.Key).Where(static key => key != "name").ElementAt(1);
                errors.Add(FieldError.Forbidden($"{at}.{second}", "may not specify more than 1 volume type"));
                continue;
            }

            if (volume.Sub("hostPath") is { } host && host.Text("path").Length == 0)
            {
                errors.Add(FieldError.Required(at + ".hostPath.path"));
            }

            if (volume.Sub("configMap") is { } map && map.Text("name").Length == 0)
            {
                errors.Add(FieldError.Required(at + ".configMap.name"));
            }

            if (volume.Sub("secret") is { } secret && secret.Text("secretName").Length == 0)
            {
                errors.Add(FieldError.Required(at + ".secret.secretName"));
            }
        }

        return names;
    }

    private static void CheckName(string name, string path, HashSet<string> names, List<FieldError> errors)
    {
        if (name.Length == 0)
        {
            errors.Add(FieldError.Required(path));
        }
        else if (NameSyntax.DnsLabel(name) is { Count: > 0 } problems)
        {
            errors.AddRange(problems.Select(problem => FieldError.Invalid(path, Json.Quote(name), problem)));
        }
        else if (!names.Add(name))
        {
            errors.Add(FieldError.Duplicate(path, Json.Quote(name)));
        }
    }

    private static void CheckContainer(JsonObject container, string path, HashSet<string> names, HashSet<string> volumes, List<FieldError> errors)
    {
        CheckName(container.Text("name"), path + ".name", names, errors);
        if (container.Text("image").Length == 0)
        {
            errors.Add(FieldError.Required(path + ".image"));
        }

        CheckPorts(container, path, errors);
        CheckEnv(container, path, errors);
        CheckMounts(container, path, volumes, errors);
        CheckOption(container, "imagePullPolicy", PullPolicies, path, errors);
        CheckResources(container.Sub("resources"), path + ".resources", errors);
        foreach (string probe in (ReadOnlySpan<string>)["livenessProbe", "readinessProbe", "startupProbe"])
        {
            if (container.Sub(probe) is { } check)
            {
                CheckProbe(check, $"{path}.{probe}", probe == "readinessProbe", errors);
            }
        }
    }

    private static void CheckPorts(JsonObject container, string path, List<FieldError> errors)
    {
        var names = new HashSet<string>();
        foreach ((JsonObject port, string at) in container.Indexed("ports", path + ".ports"))
        {
            if (port.Text("name") is { Length: > 0 } name)
            {
                int before = errors.Count;
                CheckPortName(name, at + ".name", errors);
                if (errors.Count == before && !names.Add(name))
                {
                    errors.Add(FieldError.Duplicate(at + ".name", Json.Quote(name)));
                }
            }

            long number = port.Integer("containerPort") ?? 0;
            if (number == 0)
            {
                errors.Add(FieldError.Required(at + ".containerPort"));
            }
            else
            {
                CheckPort(number, at + ".containerPort", errors);
            }

            if (port.Integer("hostPort") is not (null or 0) and { } host)
            {
                CheckPort(host, at + ".hostPort", errors);
            }

            CheckOption(port, "protocol", Protocols, at, errors);
        }
    }

    public static void CheckPort(long number, string path, List<FieldError> errors)
    {
        if (number is < 1 or > 65535)
        {
            errors.Add(FieldError.Invalid(path, number.ToString(), "must be between 1 and 65535, inclusive"));
        }
    }

    /// <summary>A port given by number or by name.</summary>
    public static void CheckPortOrName(JsonNode? port, string path, List<FieldError> errors)
    {
        if (Json.TryInteger(port, out long number))
        {
            CheckPort(number, path, errors);
        }
        else if (Json.AsString(port) is { } name)
        {
            CheckPortName(name, path, errors);
        }
    }

    private static void CheckPortName(string name, string path, List<FieldError> errors)
    {
        (bool Wrong, string Text)[] checks =
        [
            (name.Length > 15, "must be no more than 15 characters"),
            (name.Any(static c => !char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c != '-'), "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"),
            (!name.Any(char.IsAsciiLetterLower), "must contain at least one letter (a-z)"),
            (name.Contains("--", StringComparison.Ordinal), "must not contain consecutive hyphens"),
            (name.StartsWith('-') || name.EndsWith('-'), "must not begin or end with a hyphen"),
        ];
        errors.AddRange(checks.Where(static check => check.Wrong).Select(check => FieldError.Invalid(path, Json.Quote(name), check.Text)));
    }

    private static void CheckEnv(JsonObject container, string path, List<FieldError> errors)
    {
        foreach ((JsonObject variable, string at) in container.Indexed("env", path + ".env"))
        {
            string name = variable.Text("name");
            if (name.Length == 0)
            {
                errors.Add(FieldError.Required(at + ".name"));
            }
            else
            {
                errors.AddRange(NameSyntax.EnvVarName(name).Select(problem => FieldError.Invalid(at + ".name", Json.Quote(name), problem)));
            }

            if (variable.Sub("valueFrom") is { } source)
            {
                if (variable.Text("value").Length > 0)
                {
                    errors.Add(FieldError.Invalid(at + ".valueFrom", "\"\"", "may not be specified when `value` is not empty"));
                }
                else if (source.Count != 1)
                {
                    errors.Add(FieldError.Invalid(at + ".valueFrom", "\"\"", source.Count == 0 ? "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`" : "may not have more than one field specified at a time"));
                }
            }
        }
    }

    private static void CheckMounts(JsonObject container, string path, HashSet<string> volumes, List<FieldError> errors)
    {
        var points = new HashSet<string>();
        foreach ((JsonObject mount, string at) in container.Indexed("volumeMounts", path + ".volumeMounts"))
        {
            string name = mount.Text("name");
            if (name.Length == 0)
            {
                errors.Add(FieldError.Required(at + ".name"));
            }
            else if (!volumes.Contains(name))
            {
                errors.Add(new FieldError(FieldErrorType.NotFound, at + ".name", Json.Quote(name), ""));
            }

            string point = mount.Text("mountPath");
            if (point.Length == 0)
            {
                errors.Add(FieldError.Required(at + ".mountPath"));
            }
            else if (!points.Add(point))
            {
                errors.Add(FieldError.Invalid(at + ".mountPath", Json.Quote(point), "must be unique"));
            }
        }
    }

    private static void CheckResourceNames(JsonObject? resources, string list, string path, List<FieldError> errors)
    {
        foreach ((string name, JsonNode? _) in resources?.Sub(list) ?? [])
        {
            if (!name.Contains('/') && name is not ("cpu" or "memory" or "ephemeral-storage") && !name.StartsWith("hugepages-", StringComparison.Ordinal))
            {
                errors.Add(FieldError.Invalid($"{path}.{list}[{name}]", Json.Quote(name), "must be a standard resource type or fully qualified"));
                errors.Add(FieldError.Invalid($"{path}.{list}[{name}]", Json.Quote(name), "must be a standard resource for containers"));
            }
        }
    }

    private static void CheckResources(JsonObject? resources, string path, List<FieldError> errors)
    {
        CheckResourceNames(resources, "limits", path, errors);
        CheckResourceNames(resources, "requests", path, errors);
        JsonObject limits = resources?.Sub("limits") ?? [];
        foreach ((string name, JsonNode? request) in resources?.Sub("requests") ?? [])
        {
            if (Quantity.TryParse(Json.AsString(request) ?? "", out Quantity wanted))
            {
                if (wanted.Nano.Sign < 0)
                {
                    errors.Add(FieldError.Invalid($"{path}.requests[{name}]", Json.Compact(request), "must be greater than or equal to 0"));
                }

                if (limits[name] is { } limit && Quantity.TryParse(Json.AsString(limit) ?? "", out Quantity most) && wanted.CompareTo(most) > 0)
                {
                    errors.Add(FieldError.Invalid(path + ".requests", Json.Compact(request), $"must be less than or equal to {name} limit of {most}"));
                }
            }
        }
    }

    private static void CheckProbe(JsonObject probe, string path, bool readiness, List<FieldError> errors)
    {
        string[] handlers = [.. ProbeHandlers.Where(probe.ContainsKey)];
        if (handlers.Length == 0)
        {
            errors.Add(FieldError.Required(path, "must specify a handler type"));
        }
        else if (handlers.Length > 1)
        {
            errors.Add(FieldError.Forbidden($"{path}.{handlers[1]}", "may not specify more than 1 handler type"));
        }

        if (probe.Sub("httpGet") is { } get)
        {
            if (get.Text("path").Length == 0)
            {
                errors.Add(FieldError.Required(path + ".httpGet.path"));
            }

            CheckPortOrName(get["port"], path + ".httpGet.port", errors);
            CheckOption(get, "scheme", ["HTTP", "HTTPS"], path + ".httpGet", errors);
        }

        if (probe.Sub("tcpSocket") is { } socket)
        {
            CheckPortOrName(socket["port"], path + ".tcpSocket.port", errors);
        }

        if (probe.Sub("exec") is { } exec && exec["command"] is not JsonArray { Count: > 0 })
        {
            errors.Add(FieldError.Required(path + ".exec.command"));
        }

        foreach (string name in (ReadOnlySpan<string>)["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"])
        {
            if (probe.Integer(name) is < 0 and { } value)
            {
                errors.Add(FieldError.Invalid($"{path}.{name}", value.ToString(), "must be greater than or equal to 0"));
            }
        }

        if (!readiness && probe.Integer("successThreshold") is not (null or 1) and { } threshold)
        {
            errors.Add(FieldError.Invalid(path + ".successThreshold", threshold.ToString(), "must be 1"));
        }
    }
}
