using System.Text.Json.Nodes;

namespace OptiInfra.ApiServer.Builtin;

/// <summary>What the server fills into a pod, or into the pod template of a workload.</summary>
internal static class PodDefaults
{
    private const int FileMode = 420;   // 0644

    public static void Pod(JsonObject pod)
    {
        JsonObject spec = pod.SubOrNew("spec");
        Spec(spec);
        spec.Default("enableServiceLinks", true);
        bool hostNetwork = spec.Flag("hostNetwork");
        foreach (JsonObject container in spec.Items("initContainers").Concat(spec.Items("containers")))
        {
            RequestsFromLimits(container);
            foreach (JsonObject port in hostNetwork ? container.Items("ports") : [])
            {
                port.Default("hostPort", port["containerPort"]?.DeepClone() ?? 0);
            }
        }
    }

    private static void RequestsFromLimits(JsonObject container)
    {
        if (container.Sub("resources")?.Sub("limits") is { Count: > 0 } limits)
        {
            JsonObject requests = container.SubOrNew("resources").SubOrNew("requests");
            foreach ((string name, JsonNode? value) in limits)
            {
                requests[name] ??= value?.DeepClone();
            }
        }
    }

    public static void Template(JsonObject? owner)
    {
        if (owner?.Sub("template") is { } template)
        {
            Spec(template.SubOrNew("spec"));
        }
    }

    public static void Spec(JsonObject spec)
    {
        spec.Default("dnsPolicy", "ClusterFirst");
        spec.Default("restartPolicy", "Always");
        spec.Default("securityContext", new JsonObject());
        spec.Default("terminationGracePeriodSeconds", 30);
        spec.Default("schedulerName", "default-scheduler");
        if (spec["serviceAccountName"] is { } account)
        {
            // The field's old name goes on saying the same.
            spec["serviceAccount"] = account.DeepClone();
        }

        foreach (JsonObject container in spec.Items("initContainers").Concat(spec.Items("containers")).Concat(spec.Items("ephemeralContainers")))
        {
            Container(container);
        }

        foreach (JsonObject volume in spec.Items("volumes"))
        {
            Volume(volume);
        }
    }

    private static void Container(JsonObject container)
    {
        container.Default("imagePullPolicy", IsLatest(container.Text("image")) ? "Always" : "IfNotPresent");
        container.Default("terminationMessagePath", "/dev/termination-log");
        container.Default("terminationMessagePolicy", "File");
        foreach (JsonObject port in container.Items("ports"))
        {
            port.Default("protocol", "TCP");
        }

        foreach (JsonObject source in container.Items("env").Select(static variable => variable.Sub("valueFrom")).OfType<JsonObject>())
        {
            source.Sub("fieldRef")?.Default("apiVersion", "v1");
        }

        foreach (string name in (ReadOnlySpan<string>)["livenessProbe", "readinessProbe", "startupProbe"])
        {
            if (container.Sub(name) is { } probe)
            {
                Probe(probe);
            }
        }

        Http(container.Sub("lifecycle")?.Sub("postStart")?.Sub("httpGet"));
        Http(container.Sub("lifecycle")?.Sub("preStop")?.Sub("httpGet"));
    }

    // No tag is the tag "latest"; a digest is not.
    private static bool IsLatest(string image)
    {
        string name = image[(image.LastIndexOf('/') + 1)..];
        int colon = name.IndexOf(':', StringComparison.Ordinal);
        return !name.Contains('@') && (colon < 0 || name[(colon + 1)..] == "latest");
    }

    private static void Probe(JsonObject probe)
    {
        foreach ((string name, int value) in (ReadOnlySpan<(string, int)>)[("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)])
        {
            if (probe.Integer(name) is null or 0)
            {
                probe[name] = value;
            }
        }

        Http(probe.Sub("httpGet"));
        probe.Sub("grpc")?.Default("service", "");
    }

    private static void Http(JsonObject? get)
    {
        get?.Default("path", "/");
        get?.Default("scheme", "HTTP");
    }

    private static void Volume(JsonObject volume)
    {
        if (volume.All(static member => member.Key == "name"))
        {
            volume["emptyDir"] = new JsonObject();
        }

        foreach (string name in (ReadOnlySpan<string>)["configMap", "secret", "downwardAPI", "projected"])
        {
            volume.Sub(name)?.Default("defaultMode", FileMode);
        }

        if (volume.Sub("hostPath") is { } host)
        {
            host["type"] ??= "";
        }

        IEnumerable<JsonObject> sources = volume.Sub("projected")?.Items("sources") ?? [];
        foreach (JsonObject source in sources)
        {
            source.Sub("serviceAccountToken")?.Default("expirationSeconds", 3600);
        }

        IEnumerable<JsonObject?> downward = [volume.Sub("downwardAPI"), .. sources.Select(static source => source.Sub("downwardAPI"))];
        foreach (JsonObject file in downward.OfType<JsonObject>().SelectMany(static api => api.Items("items")))
        {
            file.Sub("fieldRef")?.Default("apiVersion", "v1");
        }

        volume.Sub("ephemeral")?.Sub("volumeClaimTemplate")?.Sub("spec")?.Default("volumeMode", "Filesystem");
    }
}
