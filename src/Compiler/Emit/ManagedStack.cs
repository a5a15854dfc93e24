using System.Text.Json.Nodes;
using OptiInfra.Compiler.Exporters;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds;

namespace OptiInfra.Compiler.Emit;

/// <summary>
/// The workloads of a managed stack: Prometheus with <c>sync</c> beside it, and Alertmanager. Each is a StatefulSet with a
/// headless Service and a ServiceAccount; Prometheus' may read what targets are found by, nothing else.
/// </summary>
internal static class ManagedStack
{
    private const string ConfigDirectory = "/etc/optiinfra";

    /// <param name="stack">The stack.</param>
    /// <param name="image">The image that has <c>sync</c>: the operator's own.</param>
    public static IReadOnlyList<Manifest> Of(StackModel stack, string image)
    {
        List<Manifest> objects = [.. Prometheus(stack, image)];
        if (stack.Spec.Alertmanager is not ({ Enabled: false } or { Urls.Count: > 0 }))
        {
            objects.AddRange(Alertmanager(stack));
        }

        return objects;
    }

    private static IEnumerable<Manifest> Prometheus(StackModel stack, string image)
    {
        PrometheusSettings settings = stack.Spec.Prometheus ?? new PrometheusSettings();
        string name = Naming.StackObject(stack.Name, "prometheus");
        Dictionary<string, string> labels = Labels(stack, "prometheus");
        yield return Manifest.Create(Kinds.ServiceAccount, stack.Namespace, name, labels, []);
        foreach (Manifest right in Rights(stack, name, labels))
        {
            yield return right;
        }

        yield return HeadlessService(stack, name, labels, ("web", 9090), ("sync", 8081));
        if (settings.Replicas > 1)
        {
            yield return DisruptionBudget(stack, name, labels);
        }

        // One StatefulSet for each shard: sync gives each its own part of the targets.
        int shards = settings.Shards ?? 1;
        for (int shard = 0; shard < shards; shard++)
        {
            string part = shard == 0 ? name : Naming.Bounded($"{name}-shard-{shard}");
            yield return Manifest.Create(Kinds.StatefulSet, stack.Namespace, part, labels, StatefulSet(
                part, name, Labels(stack, "prometheus", shard), settings.Replicas ?? 1, settings.Storage, settings.NodeSelector,
                [PrometheusContainer(stack, settings), SyncContainer(stack, image, shard, shards), .. Thanos(stack, settings)],
                new JsonObject { ["name"] = "config", ["emptyDir"] = new JsonObject { ["medium"] = "Memory" } }));
        }
    }

    private static JsonObject PrometheusContainer(StackModel stack, PrometheusSettings settings)
    {
        JsonObject container = Container("prometheus", Images.Prometheus(stack), PrometheusArgs.Of(stack, $"{ConfigDirectory}/current/prometheus.yml", "/data"), 9090, "web", "/-/healthy", "/-/ready");
        container["env"] = new JsonArray(PodName());
        container["resources"] = ExporterObjects.Resources(settings.Resources, "100m", "512Mi", "2Gi");
        container["volumeMounts"] = Mounts(("config", ConfigDirectory), ("data", "/data"));
        return container;
    }

    private static JsonObject SyncContainer(StackModel stack, string image, int shard, int shards)
    {
        List<string> args = ["sync", $"--stack={stack.Name}", $"--namespace={stack.Namespace}", $"--directory={ConfigDirectory}"];
        if (shards > 1)
        {
            args.Add($"--shard={shard}/{shards}");
        }

        JsonObject container = Container("sync", image, args, 8081, "sync", "/healthz", "/healthz");
        container["env"] = new JsonArray(PodName());
        container["resources"] = ExporterObjects.Resources(null, "10m", "48Mi", "192Mi");
        container["volumeMounts"] = Mounts(("config", ConfigDirectory));
        return container;
    }

    private static IEnumerable<JsonObject> Thanos(StackModel stack, PrometheusSettings settings)
    {
        if (settings.Thanos is not { } thanos)
        {
            yield break;
        }

        List<string> args = ["sidecar", "--prometheus.url=http://127.0.0.1:9090", "--tsdb.path=/data", "--grpc-address=0.0.0.0:10901", "--http-address=0.0.0.0:10902"];
        if (thanos.ObjectStorage is not null)
        {
            args.Add("--objstore.config=$(OBJSTORE_CONFIG)");
        }

        JsonObject container = Container("thanos", thanos.Image ?? Images.Thanos, args, 10902, "thanos", "/-/healthy", "/-/ready");
        if (thanos.ObjectStorage is { } storage)
        {
            container["env"] = new JsonArray(new JsonObject
            {
                ["name"] = "OBJSTORE_CONFIG",
                ["valueFrom"] = new JsonObject { ["secretKeyRef"] = new JsonObject { ["name"] = storage.Name, ["key"] = storage.Key } },
            });
        }

        container["resources"] = ExporterObjects.Resources(thanos.Resources, "10m", "64Mi", "512Mi");
        container["volumeMounts"] = Mounts(("data", "/data"));
        yield return container;
    }

    private static IEnumerable<Manifest> Alertmanager(StackModel stack)
    {
        AlertmanagerSettings settings = stack.Spec.Alertmanager ?? new AlertmanagerSettings();
        string name = Naming.StackObject(stack.Name, Artifacts.Alertmanager);
        Dictionary<string, string> labels = Labels(stack, "alertmanager");
        int replicas = settings.Replicas ?? 1;
        yield return Manifest.Create(Kinds.ServiceAccount, stack.Namespace, name, labels, new JsonObject { ["automountServiceAccountToken"] = false });
        yield return HeadlessService(stack, name, labels, ("web", 9093), ("mesh", 9094));
        if (replicas > 1)
        {
            yield return DisruptionBudget(stack, name, labels);
        }

        List<string> args = ["--config.file=/etc/alertmanager/alertmanager.yml", "--storage.path=/data"];
        args.AddRange(replicas > 1
            ? Enumerable.Range(0, replicas).Select(i => $"--cluster.peer={name}-{i}.{name}.{stack.Namespace}.svc:9094")
            : ["--cluster.listen-address="]);
        if (settings.ExternalUrl is { } url)
        {
            args.Add($"--web.external-url={url}");
        }

        JsonObject container = Container("alertmanager", settings.Image ?? Images.Alertmanager, args, 9093, "web", "/-/healthy", "/-/ready");
        container["resources"] = ExporterObjects.Resources(settings.Resources, "10m", "32Mi", "256Mi");
        container["volumeMounts"] = Mounts(("config", "/etc/alertmanager"), ("secrets", "/etc/alertmanager/secrets"), ("data", "/data"));
        yield return Manifest.Create(Kinds.StatefulSet, stack.Namespace, name, labels, StatefulSet(
            name, name, labels, replicas, settings.Storage, null, [container],
            new JsonObject { ["name"] = "config", ["secret"] = new JsonObject { ["secretName"] = name } },
            new JsonObject { ["name"] = "secrets", ["secret"] = new JsonObject { ["secretName"] = Naming.StackObject(stack.Name, Artifacts.Secrets), ["optional"] = true } }));
    }

    /// <summary>Reading the stack's own artifacts, and what targets are found by: in the named namespaces, or in all.</summary>
    private static IEnumerable<Manifest> Rights(StackModel stack, string name, Dictionary<string, string> labels)
    {
        yield return Manifest.Create(Kinds.Role, stack.Namespace, name, labels, new JsonObject
        {
            ["rules"] = new JsonArray(Right("", ["configmaps"], "get", "list", "watch", "create", "patch"), Right("", ["secrets"], "get", "list", "watch")),
        });
        yield return Binding(Kinds.RoleBinding, stack, stack.Namespace, name, name, "Role", labels);
        JsonObject[] discovery = [Right("", ["pods", "services"], "get", "list", "watch"), Right("discovery.k8s.io", ["endpointslices"], "get", "list", "watch")];
        if (stack.Spec.Namespaces is { Selector: null, MatchNames: { Count: > 0 } namespaces } && stack.Spec.Cluster is not ({ Nodes: true } or { Containers: true } or { ApiServer: true }))
        {
            foreach (string ns in namespaces.Order(StringComparer.Ordinal))
            {
                string targets = Naming.Bounded($"{name}-{stack.Namespace}-targets");
                yield return Manifest.Create(Kinds.Role, ns, targets, labels, new JsonObject { ["rules"] = new JsonArray([.. discovery.Select(rule => rule.DeepClone())]) });
                yield return Binding(Kinds.RoleBinding, stack, ns, targets, name, "Role", labels);
            }

            yield break;
        }

        var rules = new JsonArray([.. discovery]);
        if (stack.Spec.Cluster is { Nodes: true } or { Containers: true } or { ApiServer: true })
        {
            rules.Add((JsonNode)Right("", ["nodes", "nodes/metrics"], "get", "list", "watch"));
            rules.Add((JsonNode)new JsonObject { ["nonResourceURLs"] = new JsonArray("/metrics", "/metrics/cadvisor"), ["verbs"] = new JsonArray("get") });
        }

        string cluster = $"{name}-{stack.Namespace}";
        yield return Manifest.Create(Kinds.ClusterRole, null, cluster, labels, new JsonObject { ["rules"] = rules });
        yield return Binding(Kinds.ClusterRoleBinding, stack, null, cluster, name, "ClusterRole", labels);
    }

    private static Manifest Binding(Kubernetes.Objects.ResourceKind kind, StackModel stack, string? ns, string role, string account, string roleKind, Dictionary<string, string> labels) =>
        Manifest.Create(kind, ns, role, labels, new JsonObject
        {
            ["roleRef"] = new JsonObject { ["apiGroup"] = "rbac.authorization.k8s.io", ["kind"] = roleKind, ["name"] = role },
            ["subjects"] = new JsonArray(new JsonObject { ["kind"] = "ServiceAccount", ["name"] = account, ["namespace"] = stack.Namespace }),
        });

    private static JsonObject Right(string group, string[] resources, params string[] verbs) => new()
    {
        ["apiGroups"] = new JsonArray(group),
        ["resources"] = new JsonArray([.. resources.Select(resource => JsonValue.Create(resource))]),
        ["verbs"] = new JsonArray([.. verbs.Select(verb => JsonValue.Create(verb))]),
    };

    private static Dictionary<string, string> Labels(StackModel stack, string part, int? shard = null)
    {
        var labels = new Dictionary<string, string>
        {
            ["app.kubernetes.io/name"] = part,
            ["app.kubernetes.io/instance"] = Naming.StackObject(stack.Name, part),
            [Contract.StackLabel] = stack.Name,
        };
        if (shard is { } number)
        {
            labels["optiinfra.io/shard"] = number.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        return labels;
    }

    private static Manifest HeadlessService(StackModel stack, string name, Dictionary<string, string> labels, params (string Name, int Port)[] ports) =>
        Manifest.Create(Kinds.Service, stack.Namespace, name, labels, new JsonObject
        {
            ["spec"] = new JsonObject
            {
                ["clusterIP"] = "None",
                ["publishNotReadyAddresses"] = true,
                ["selector"] = Map(labels),
                ["ports"] = new JsonArray([.. ports.Select(port => new JsonObject { ["name"] = port.Name, ["port"] = port.Port, ["targetPort"] = port.Name == "mesh" ? port.Port : port.Name })]),
            },
        });

    private static Manifest DisruptionBudget(StackModel stack, string name, Dictionary<string, string> labels) =>
        Manifest.Create(Kinds.PodDisruptionBudget, stack.Namespace, name, labels, new JsonObject
        {
            ["spec"] = new JsonObject { ["maxUnavailable"] = 1, ["selector"] = new JsonObject { ["matchLabels"] = Map(labels) } },
        });

    private static JsonObject StatefulSet(string name, string service, Dictionary<string, string> labels, int replicas, StorageSettings? storage, IReadOnlyDictionary<string, string>? nodeSelector, IEnumerable<JsonObject> containers, params JsonObject[] volumes)
    {
        var podLabels = new Dictionary<string, string>(labels) { [Contract.ManagedByLabel] = Contract.ManagedBy };
        var pod = new JsonObject
        {
            ["serviceAccountName"] = service,
            ["terminationGracePeriodSeconds"] = 120,
            ["securityContext"] = new JsonObject
            {
                ["runAsNonRoot"] = true,
                ["runAsUser"] = 65534,
                ["runAsGroup"] = 65534,
                ["fsGroup"] = 65534,
                ["seccompProfile"] = new JsonObject { ["type"] = "RuntimeDefault" },
            },
            ["containers"] = new JsonArray([.. containers]),
        };
        if (nodeSelector is { Count: > 0 })
        {
            pod["nodeSelector"] = Map(nodeSelector);
        }

        List<JsonObject> all = [.. volumes];
        var spec = new JsonObject
        {
            ["replicas"] = replicas,
            ["serviceName"] = service,
            ["podManagementPolicy"] = "Parallel",
            ["selector"] = new JsonObject { ["matchLabels"] = Map(labels) },
            ["template"] = new JsonObject { ["metadata"] = new JsonObject { ["labels"] = Map(podLabels) }, ["spec"] = pod },
        };
        if (storage is null)
        {
            all.Add(new JsonObject { ["name"] = "data", ["emptyDir"] = new JsonObject() });
        }
        else
        {
            var claim = new JsonObject { ["accessModes"] = new JsonArray("ReadWriteOnce"), ["resources"] = new JsonObject { ["requests"] = new JsonObject { ["storage"] = storage.Size.ToString() } } };
            if (storage.ClassName is { } className)
            {
                claim["storageClassName"] = className;
            }

            spec["volumeClaimTemplates"] = new JsonArray(new JsonObject { ["metadata"] = new JsonObject { ["name"] = "data" }, ["spec"] = claim });
        }

        pod["volumes"] = new JsonArray([.. all]);
        return new JsonObject { ["spec"] = spec };
    }

    private static JsonObject Container(string name, string image, IEnumerable<string> args, int port, string portName, string healthy, string ready) => new()
    {
        ["name"] = name,
        ["image"] = image,
        ["args"] = new JsonArray([.. args.Select(arg => JsonValue.Create(arg))]),
        ["ports"] = new JsonArray(new JsonObject { ["name"] = portName, ["containerPort"] = port, ["protocol"] = "TCP" }),
        ["livenessProbe"] = Probe(healthy, portName, 15, 6),
        ["readinessProbe"] = Probe(ready, portName, 5, 3),

        // Replaying a long log takes a while; only then does liveness count.
        ["startupProbe"] = Probe(ready, portName, 5, 120),
        ["securityContext"] = new JsonObject
        {
            ["allowPrivilegeEscalation"] = false,
            ["readOnlyRootFilesystem"] = true,
            ["capabilities"] = new JsonObject { ["drop"] = new JsonArray("ALL") },
        },
    };

    private static JsonObject Probe(string path, string port, int period, int failures) => new()
    {
        ["httpGet"] = new JsonObject { ["path"] = path, ["port"] = port },
        ["periodSeconds"] = period,
        ["failureThreshold"] = failures,
    };

    private static JsonObject PodName() => new()
    {
        ["name"] = "POD_NAME",
        ["valueFrom"] = new JsonObject { ["fieldRef"] = new JsonObject { ["fieldPath"] = "metadata.name" } },
    };

    private static JsonArray Mounts(params (string Name, string Path)[] mounts) =>
        [.. mounts.Select(mount => new JsonObject { ["name"] = mount.Name, ["mountPath"] = mount.Path })];

    private static JsonObject Map(IEnumerable<KeyValuePair<string, string>> map)
    {
        var json = new JsonObject();
        foreach ((string key, string value) in map)
        {
            json[key] = value;
        }

        return json;
    }
}
