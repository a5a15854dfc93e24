using System.Text.Json.Nodes;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds;

namespace OptiInfra.Compiler.Exporters;

/// <summary>
/// The objects that run an agent's exporters: a Deployment (for node a DaemonSet), a Service that the scrape job finds, a
/// ServiceAccount without rights, and a NetworkPolicy that lets nothing in but scrapes. All belong to the agent and go with it.
/// </summary>
internal static class ExporterObjects
{
    private const string SecretsAnnotation = "optiinfra.io/secrets-hash";

    /// <param name="agent">The agent.</param>
    /// <param name="secretVersion">Something that changes when the Secret of that name does; the exporter starts again then.</param>
    public static IReadOnlyList<Manifest> Of(OptiAgent agent, Func<string, string?>? secretVersion) =>
        [.. (agent.Spec.Exporters ?? []).Where(exporter => !ExporterCatalog.IsBuiltIn(exporter)).SelectMany(exporter => Of(agent, exporter, secretVersion))];

    private static IEnumerable<Manifest> Of(OptiAgent agent, Exporter exporter, Func<string, string?>? secretVersion)
    {
        string ns = agent.Metadata.Namespace ?? "default";
        string name = ExporterCatalog.ObjectName(agent, exporter);
        var pod = ExporterPod.Of(exporter);
        Dictionary<string, string> labels = Labels(agent, exporter, name);
        yield return Manifest.Create(Kinds.ServiceAccount, ns, name, labels, new JsonObject { ["automountServiceAccountToken"] = false });
        yield return Manifest.Create(Kinds.Service, ns, name, labels, new JsonObject
        {
            ["spec"] = new JsonObject
            {
                ["clusterIP"] = "None",
                ["selector"] = Selector(name),
                ["ports"] = new JsonArray(new JsonObject { ["name"] = ExporterCatalog.PortName, ["port"] = pod.Port, ["targetPort"] = ExporterCatalog.PortName }),
            },
        });
        yield return Manifest.Create(Kinds.NetworkPolicy, ns, name, labels, NetworkPolicy(name));
        yield return Manifest.Create(pod.OnEveryNode ? Kinds.DaemonSet : Kinds.Deployment, ns, name, labels, Workload(exporter, name, pod, labels, secretVersion));
    }

    private static Dictionary<string, string> Labels(OptiAgent agent, Exporter exporter, string name) => new()
    {
        ["app.kubernetes.io/name"] = $"{exporter.Type.ToString().ToLowerInvariant()}-exporter",
        ["app.kubernetes.io/instance"] = name,
        ["app.kubernetes.io/component"] = "exporter",
        [Contract.AgentLabel] = agent.Metadata.Name!,
        [Contract.ExporterLabel] = exporter.Name,
    };

    private static JsonObject Selector(string name) => new() { ["app.kubernetes.io/instance"] = name, ["app.kubernetes.io/component"] = "exporter" };

    // Exporters in the host's network are reached through the node, where policies for Pods do not apply.
    private static JsonObject NetworkPolicy(string name) => new()
    {
        ["spec"] = new JsonObject
        {
            ["podSelector"] = new JsonObject { ["matchLabels"] = Selector(name) },
            ["policyTypes"] = new JsonArray("Ingress"),
            ["ingress"] = new JsonArray(new JsonObject
            {
                ["from"] = new JsonArray(new JsonObject { ["namespaceSelector"] = new JsonObject(), ["podSelector"] = new JsonObject() }),
                ["ports"] = new JsonArray(new JsonObject { ["protocol"] = "TCP", ["port"] = ExporterCatalog.PortName }),
            }),
        },
    };

    private static JsonObject Workload(Exporter exporter, string name, ExporterPod pod, Dictionary<string, string> labels, Func<string, string?>? secretVersion)
    {
        var podLabels = new JsonObject { [Contract.ManagedByLabel] = Contract.ManagedBy };
        foreach ((string key, string value) in labels)
        {
            podLabels[key] = value;
        }

        var template = new JsonObject { ["metadata"] = new JsonObject { ["labels"] = podLabels }, ["spec"] = PodSpec(exporter, name, pod) };
        string[] versions = [.. pod.Secrets.Select(secret => secret.Name).Distinct().Order(StringComparer.Ordinal).Select(secret => secretVersion?.Invoke(secret)).OfType<string>()];
        if (versions.Length > 0)
        {
            template["metadata"]!["annotations"] = new JsonObject { [SecretsAnnotation] = Naming.Hash(string.Join(',', versions)) };
        }

        var spec = new JsonObject { ["selector"] = new JsonObject { ["matchLabels"] = Selector(name) }, ["template"] = template };
        if (!pod.OnEveryNode)
        {
            spec["replicas"] = 1;
            spec["revisionHistoryLimit"] = 2;
        }

        return new JsonObject { ["spec"] = spec };
    }

    private static JsonObject PodSpec(Exporter exporter, string name, ExporterPod pod)
    {
        var spec = new JsonObject
        {
            ["serviceAccountName"] = name,
            ["automountServiceAccountToken"] = false,
            ["securityContext"] = new JsonObject
            {
                ["runAsNonRoot"] = true,
                ["runAsUser"] = 65534,
                ["runAsGroup"] = 65534,
                ["seccompProfile"] = new JsonObject { ["type"] = "RuntimeDefault" },
            },
            ["containers"] = new JsonArray(Container(exporter, pod)),
        };
        var volumes = new JsonArray();
        if (pod.Queries is { } queries)
        {
            volumes.Add((JsonNode)new JsonObject { ["name"] = "queries", ["configMap"] = new JsonObject { ["name"] = queries.Name, ["items"] = new JsonArray(new JsonObject { ["key"] = queries.Key, ["path"] = "queries.yml" }) } });
        }

        if (pod.OnEveryNode)
        {
            spec["hostNetwork"] = true;
            spec["hostPID"] = true;
            spec["tolerations"] = new JsonArray(new JsonObject { ["operator"] = "Exists" });
            volumes.Add((JsonNode)new JsonObject { ["name"] = "host", ["hostPath"] = new JsonObject { ["path"] = "/" } });
        }

        if (volumes.Count > 0)
        {
            spec["volumes"] = volumes;
        }

        return spec;
    }

    private static JsonObject Container(Exporter exporter, ExporterPod pod)
    {
        var container = new JsonObject { ["name"] = "exporter", ["image"] = pod.Image };
        if (pod.Args.Count > 0)
        {
            container["args"] = new JsonArray([.. pod.Args.Select(arg => JsonValue.Create(arg))]);
        }

        if (pod.Variables.Count > 0)
        {
            container["env"] = new JsonArray([.. pod.Variables.Select(Variable)]);
        }

        container["ports"] = new JsonArray(new JsonObject { ["name"] = ExporterCatalog.PortName, ["containerPort"] = pod.Port, ["protocol"] = "TCP" });
        container["resources"] = Resources(exporter.Resources);
        container["securityContext"] = new JsonObject
        {
            ["allowPrivilegeEscalation"] = false,
            ["readOnlyRootFilesystem"] = true,
            ["capabilities"] = new JsonObject { ["drop"] = new JsonArray("ALL") },
        };
        container["livenessProbe"] = Probe(30);
        container["readinessProbe"] = Probe(10);
        var mounts = new JsonArray();
        if (pod.Queries is not null)
        {
            mounts.Add((JsonNode)new JsonObject { ["name"] = "queries", ["mountPath"] = Path.GetDirectoryName(ExporterPod.QueriesPath), ["readOnly"] = true });
        }

        if (pod.OnEveryNode)
        {
            mounts.Add((JsonNode)new JsonObject { ["name"] = "host", ["mountPath"] = "/host/root", ["readOnly"] = true, ["mountPropagation"] = "HostToContainer" });
        }

        if (mounts.Count > 0)
        {
            container["volumeMounts"] = mounts;
        }

        return container;
    }

    // A TCP probe asks whether the exporter serves; asking for its metrics would query the database every time.
    private static JsonObject Probe(int period) => new()
    {
        ["tcpSocket"] = new JsonObject { ["port"] = ExporterCatalog.PortName },
        ["periodSeconds"] = period,
    };

    private static JsonObject Variable(ExporterVariable variable) => variable.Secret is { } secret
        ? new JsonObject { ["name"] = variable.Name, ["valueFrom"] = new JsonObject { ["secretKeyRef"] = new JsonObject { ["name"] = secret.Name, ["key"] = secret.Key } } }
        : new JsonObject { ["name"] = variable.Name, ["value"] = variable.Value };

    internal static JsonObject Resources(ResourceNeeds? needs, string cpu = "10m", string memory = "32Mi", string limit = "128Mi") => new()
    {
        ["requests"] = needs?.Requests is { } requests ? Quantities(requests) : new JsonObject { ["cpu"] = cpu, ["memory"] = memory },
        ["limits"] = needs?.Limits is { } limits ? Quantities(limits) : new JsonObject { ["memory"] = limit },
    };

    private static JsonObject Quantities(IReadOnlyDictionary<string, IntOrString> quantities)
    {
        var json = new JsonObject();
        foreach ((string key, IntOrString value) in quantities.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            json[key] = value.ToString();
        }

        return json;
    }
}
