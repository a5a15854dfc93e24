using OptiInfra.Compiler.Model;

namespace OptiInfra.Compiler.Emit;

/// <summary>The pinned images of what a stack runs; each can be replaced in the MonitoringStack.</summary>
public static class Images
{
    public const string Alertmanager = "quay.io/prometheus/alertmanager:v0.28.1";
    public const string Grafana = "docker.io/grafana/grafana:12.2.1";
    public const string Thanos = "quay.io/thanos/thanos:v0.39.2";

    public static string Prometheus(StackModel stack)
    {
        ArgumentNullException.ThrowIfNull(stack);
        return stack.Spec.Prometheus?.Image ?? $"quay.io/prometheus/prometheus:v{Version(stack)}";
    }

    private static string Version(StackModel stack)
    {
        string version = (stack.Spec.Prometheus?.Version ?? StackModel.DefaultVersion).TrimStart('v');
        return version.Count(c => c == '.') < 2 ? version + ".0" : version;
    }
}

/// <summary>Prometheus' command line for a stack.</summary>
public static class PrometheusArgs
{
    public static IReadOnlyList<string> Of(StackModel stack, string config, string data)
    {
        ArgumentNullException.ThrowIfNull(stack);
        Crds.PrometheusSettings? settings = stack.Spec.Prometheus;
        List<string> args = [$"--config.file={config}", $"--storage.tsdb.path={data}", $"--storage.tsdb.retention.time={settings?.Retention ?? "15d"}"];
        if (settings?.RetentionSize is { } size)
        {
            args.Add($"--storage.tsdb.retention.size={size}");
        }

        args.Add("--web.enable-lifecycle");
        if (settings?.AdminApi == true)
        {
            args.Add("--web.enable-admin-api");
        }

        if (settings?.ExternalUrl is { } url)
        {
            args.Add($"--web.external-url={url}");
        }

        if (settings?.Features is { Count: > 0 } features)
        {
            args.Add($"--enable-feature={string.Join(',', features)}");
        }

        return args;
    }
}
