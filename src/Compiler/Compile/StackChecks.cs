using OptiInfra.Compiler.Model;
using OptiInfra.Crds;

namespace OptiInfra.Compiler.Compile;

/// <summary>What can be wrong with a MonitoringStack.</summary>
internal static class StackChecks
{
    private static readonly Action<StackModel, Report>[] All =
    [
        NameIsALabel,
        Durations,
        VersionReadsFiles,        // scrape_config_files came in 2.43
        ShardsNeedSync,           // native jobs cannot know their shard
        ExternalHasAddress,
        ExternalLabelsAreLabels,
        RemoteWritesAreWhole,
        AddressesAreUrls,
    ];

    public static void Run(StackModel stack, Report report)
    {
        foreach (Action<StackModel, Report> check in All)
        {
            check(stack, report);
        }
    }

    private static void NameIsALabel(StackModel stack, Report report) => CommonChecks.Name(stack.Name, report);

    private static void Durations(StackModel stack, Report report)
    {
        MonitoringStackSpec spec = stack.Spec;
        foreach ((string field, string? value) in ((string, string?)[])
        [
            ("spec.defaults.interval", spec.Defaults?.Interval),
            ("spec.defaults.timeout", spec.Defaults?.Timeout),
            ("spec.defaults.evaluationInterval", spec.Defaults?.EvaluationInterval),
            ("spec.maximum.minInterval", spec.Maximum?.MinInterval),
            ("spec.prometheus.retention", spec.Prometheus?.Retention),
        ])
        {
            CommonChecks.Duration(value, field, report);
        }

        CommonChecks.Duration(spec.Prometheus?.RuleQueryOffset, "spec.prometheus.ruleQueryOffset", report, zero: true);
        CommonChecks.Duration(spec.Prometheus?.OutOfOrderWindow, "spec.prometheus.outOfOrderWindow", report, zero: true);
    }

    private static void VersionReadsFiles(StackModel stack, Report report)
    {
        if (stack.Version < Versions.ScrapeFiles)
        {
            report.Error("stack/version", "spec.prometheus.version", $"Prometheus {stack.Version} cannot read scrape configurations from files", "use 2.43 or newer");
        }
    }

    private static void ShardsNeedSync(StackModel stack, Report report)
    {
        if (stack.Spec.Prometheus?.Shards > 1 && stack.Discovery == DiscoveryMode.Native && stack.Mode != StackMode.PrometheusOperator)
        {
            report.Error("stack/shards", "spec.prometheus.shards", "with native discovery every shard would scrape everything", "use discovery: resolved");
        }
    }

    private static void ExternalHasAddress(StackModel stack, Report report)
    {
        if (stack is { Mode: StackMode.External, ForFiles: false } && stack.Spec.Prometheus?.Url is null)
        {
            report.Warning("stack/url", "spec.prometheus.url", "nobody can be asked which targets are up and which rules are loaded", "give the URL of your Prometheus");
        }
    }

    private static void ExternalLabelsAreLabels(StackModel stack, Report report)
    {
        foreach (string name in stack.Spec.ExternalLabels?.Keys ?? [])
        {
            if (!CommonChecks.IsLabelName(name))
            {
                report.Error("stack/label", $"spec.externalLabels.{name}", $"\"{name}\" is not a label name", "use letters, digits and underscores");
            }
        }
    }

    private static void RemoteWritesAreWhole(StackModel stack, Report report)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        IReadOnlyList<RemoteWrite> writes = stack.Spec.Prometheus?.RemoteWrite ?? [];
        for (int i = 0; i < writes.Count; i++)
        {
            string field = $"spec.prometheus.remoteWrite[{i}]";
            if (!names.Add(writes[i].Name))
            {
                report.Error("stack/remote-write", $"{field}.name", $"two remote writes are named {writes[i].Name}");
            }

            CommonChecks.Duration(writes[i].Timeout, $"{field}.timeout", report);
            CommonChecks.Auth(writes[i].Auth, $"{field}.auth", report);
            CommonChecks.Tls(writes[i].Tls, $"{field}.tls", report);
            CommonChecks.Relabelings(writes[i].Relabelings, $"{field}.relabelings", report);
        }
    }

    private static void AddressesAreUrls(StackModel stack, Report report)
    {
        foreach ((string field, string? url) in ((string, string?)[])
        [
            ("spec.prometheus.url", stack.Spec.Prometheus?.Url),
            ("spec.prometheus.externalUrl", stack.Spec.Prometheus?.ExternalUrl),
            ("spec.alertmanager.externalUrl", stack.Spec.Alertmanager?.ExternalUrl),
            .. (stack.Spec.Alertmanager?.Urls ?? []).Select((url, i) => ($"spec.alertmanager.urls[{i}]", (string?)url)),
            .. (stack.Spec.Prometheus?.RemoteWrite ?? []).Select((write, i) => ($"spec.prometheus.remoteWrite[{i}].url", (string?)write.Url)),
        ])
        {
            if (url is not null && !(Uri.TryCreate(url, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https"))
            {
                report.Error("stack/url", field, $"\"{url}\" is not a URL", "write for example http://prometheus.monitoring:9090");
            }
        }
    }
}
