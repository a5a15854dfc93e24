using System.Buffers;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Compiler.Compile;

/// <summary>The relabelling steps that turn everything Prometheus finds in a namespace into the labelled targets of one job.</summary>
internal static class Discovery
{
    private const string Service = "__meta_kubernetes_service_";
    private const string Pod = "__meta_kubernetes_pod_";

    private static readonly SearchValues<char> RegexSigns = SearchValues.Create(@".+*?()|[]{}^$\");

    public static IEnumerable<Relabeling> Steps(JobModel job) => job.Source.Kind switch
    {
        TargetSourceKind.Static => [],
        TargetSourceKind.Service => [.. OfService(job), .. Ports(job), .. Labels(job)],
        TargetSourceKind.Pods => [Drop([$"{Pod}phase"], "Failed|Succeeded"), .. Selector(job.Source.Selector, Pod), .. Ports(job), .. Labels(job)],
        TargetSourceKind.AnnotatedPods => [Drop([$"{Pod}phase"], "Failed|Succeeded"), .. Selector(job.Source.Selector, Pod), .. Annotated(Pod), .. Labels(job)],
        _ => [.. Selector(job.Source.Selector, Service), .. Annotated(Service), .. Labels(job)],
    };

    private static IEnumerable<Relabeling> OfService(JobModel job) => job.Source.Name is { } name
        ? [Keep([$"{Service}name"], Escape(name))]
        : Selector(job.Source.Selector, Service);

    private static IEnumerable<Relabeling> Ports(JobModel job)
    {
        bool pods = job.Source.Kind == TargetSourceKind.Pods;
        if (job.Port is { Port: { } number })
        {
            string label = pods ? $"{Pod}container_port_number" : "__meta_kubernetes_endpointslice_port";
            yield return Keep([label], number.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }
        else if (job.Port is { } name)
        {
            yield return Keep([pods ? $"{Pod}container_port_name" : "__meta_kubernetes_endpointslice_port_name"], Escape(name.ToString()));
        }
    }

    /// <summary>prometheus.io/scrape, /scheme, /path and /port, as clusters have used them for years.</summary>
    private static IEnumerable<Relabeling> Annotated(string meta)
    {
        yield return Keep([$"{meta}annotation_prometheus_io_scrape"], "true");
        yield return new Relabeling { SourceLabels = [$"{meta}annotation_prometheus_io_scheme"], Regex = "(https?)", TargetLabel = "__scheme__" };
        yield return new Relabeling { SourceLabels = [$"{meta}annotation_prometheus_io_path"], Regex = "(.+)", TargetLabel = "__metrics_path__" };
        if (meta == Pod)
        {
            // One target per Pod, not one per container port: the address is that of the annotated port.
            yield return new Relabeling
            {
                SourceLabels = [$"{Pod}ip", $"{Pod}annotation_prometheus_io_port"],
                Regex = @"([0-9.]+);(\d+)",
                Replacement = "$1:$2",
                TargetLabel = "__address__",
            };
            yield return new Relabeling
            {
                SourceLabels = [$"{Pod}ip", $"{Pod}annotation_prometheus_io_port"],
                Regex = @"(.*:.*);(\d+)",
                Replacement = "[$1]:$2",
                TargetLabel = "__address__",
            };
        }
        else
        {
            yield return new Relabeling
            {
                SourceLabels = ["__address__", $"{Service}annotation_prometheus_io_port"],
                Regex = @"(.+?)(?::\d+)?;(\d+)",
                Replacement = "$1:$2",
                TargetLabel = "__address__",
            };
        }
    }

    private static IEnumerable<Relabeling> Labels(JobModel job)
    {
        bool service = job.Source.Kind is TargetSourceKind.Service or TargetSourceKind.AnnotatedServices;
        if (service)
        {
            yield return Copy($"{Service}name", "service");
            yield return CopyIfAny($"{Service}label_app_kubernetes_io_version", "version");
        }

        yield return CopyIfAny($"{Pod}label_app_kubernetes_io_version", "version");
        yield return CopyIfAny($"{Pod}name", "pod");
        yield return CopyIfAny($"{Pod}node_name", "node");
        foreach ((string key, string value) in job.Labels)
        {
            // $ starts a reference to a group.
            yield return new Relabeling { TargetLabel = key, Replacement = value.Replace("$", "$$", StringComparison.Ordinal) };
        }
    }

    private static IEnumerable<Relabeling> Selector(LabelSelector? selector, string meta)
    {
        foreach ((string key, string value) in (selector?.MatchLabels ?? new Dictionary<string, string>()).OrderBy(label => label.Key, StringComparer.Ordinal))
        {
            yield return Keep(Value(key), $"{Escape(value)};true");
        }

        foreach (LabelSelectorRequirement requirement in selector?.MatchExpressions ?? [])
        {
            string values = $"({string.Join('|', (requirement.Values ?? []).Select(Escape))});true";
            yield return requirement.Operator switch
            {
                "In" => Keep(Value(requirement.Key), values),
                "NotIn" => Drop(Value(requirement.Key), values),
                "Exists" => Keep([Present(requirement.Key)], "true"),
                _ => Drop([Present(requirement.Key)], "true"),
            };
        }

        string[] Value(string key) => [$"{meta}label_{Naming.MetaLabel(key)}", Present(key)];

        string Present(string key) => $"{meta}labelpresent_{Naming.MetaLabel(key)}";
    }

    private static Relabeling Keep(string[] sources, string regex) => new() { SourceLabels = sources, Regex = regex, Action = RelabelAction.Keep };

    private static Relabeling Drop(string[] sources, string regex) => new() { SourceLabels = sources, Regex = regex, Action = RelabelAction.Drop };

    private static Relabeling Copy(string source, string target) => new() { SourceLabels = [source], TargetLabel = target };

    private static Relabeling CopyIfAny(string source, string target) => new() { SourceLabels = [source], Regex = "(.+)", TargetLabel = target };

    /// <summary>The text as a regular expression that matches just it.</summary>
    internal static string Escape(string text) =>
        text.AsSpan().IndexOfAny(RegexSigns) < 0 ? text : string.Concat(text.Select(c => RegexSigns.Contains(c) ? $@"\{c}" : c.ToString()));
}
