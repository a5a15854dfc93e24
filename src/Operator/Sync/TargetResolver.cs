using OptiInfra.Compiler.Model;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Operator.Sync;

/// <summary>One address and its labels, as Prometheus' file discovery takes them.</summary>
internal sealed record ResolvedTarget(string Address, IReadOnlyDictionary<string, string> Labels);

/// <summary>The targets of one job, or why there are none.</summary>
internal sealed record ResolvedJob(TargetSpec Spec, IReadOnlyList<ResolvedTarget> Targets, string? Problem);

/// <summary>
/// From a target specification to addresses; pure. A Service gives its ready endpoints, Pods give those that run, a
/// static source what it says. When nothing is found, the answer says what is missing, in words for a status.
/// </summary>
internal static class TargetResolver
{
    private const string VersionLabel = "app.kubernetes.io/version";
    private const string ScrapeAnnotation = "prometheus.io/scrape";

    public static ResolvedJob Resolve(TargetSpec spec, NamespaceView view)
    {
        ResolvedJob job = spec.Source.Kind switch
        {
            TargetSourceKind.Static => Static(spec),
            TargetSourceKind.Pods => Pods(spec, view),
            TargetSourceKind.AnnotatedPods => AnnotatedPods(spec, view),
            TargetSourceKind.AnnotatedServices => AnnotatedServices(spec, view),
            _ => Service(spec, view),
        };
        return spec.MaxTargets > 0 && job.Targets.Count > spec.MaxTargets
            ? new ResolvedJob(spec, [], $"{job.Targets.Count} targets are more than the limit of {spec.MaxTargets}; none is scraped")
            : job;
    }

    private static ResolvedJob Static(TargetSpec spec)
    {
        IEnumerable<string> addresses = spec.Source.Addresses ?? [];
        return new ResolvedJob(spec, [.. addresses.Select(address => new ResolvedTarget(address, spec.Labels))], null);
    }

    private static ResolvedJob Service(TargetSpec spec, NamespaceView view)
    {
        bool byName = spec.Source.Name is not null;
        EndpointSlice[] slices = byName
            ? [.. view.SlicesOf(spec.Source.Name!)]
            : [.. view.Slices().Where(slice => spec.Source.Selector?.Matches(slice.Metadata.Labels) == true)];
        string what = byName ? $"Service {spec.Source.Name}" : "the selected Services";
        if (slices.Length == 0)
        {
            return new ResolvedJob(spec, [], byName ? $"Service {spec.Source.Name} is not there or selects no Pods" : "no Service with endpoints matches the selector");
        }

        List<ResolvedTarget> targets = [];
        foreach (EndpointSlice slice in slices)
        {
            foreach (EndpointPort port in (slice.Ports ?? []).Where(port => IsWanted(spec, port.Name, port.Port)))
            {
                targets.AddRange(AddressesOf(slice).Select(found => ServiceTarget(spec, view, slice, found.Endpoint, found.Address, port.Port)));
            }
        }

        return new ResolvedJob(spec, targets, targets.Count > 0 ? null : WhyEmpty(what, spec, slices));
    }

    private static string WhyEmpty(string what, TargetSpec spec, EndpointSlice[] slices)
    {
        string[] ports = [.. slices.SelectMany(slice => slice.Ports ?? []).Select(port => string.IsNullOrEmpty(port.Name) ? $"{port.Port}" : $"{port.Name} ({port.Port})").Distinct()];
        bool portIsMissing = ports.Length > 0 && !slices.Any(slice => (slice.Ports ?? []).Any(port => IsWanted(spec, port.Name, port.Port)));
        return portIsMissing
            ? $"{what} has no port {spec.PortName ?? $"{spec.PortNumber}"}; it has {string.Join(", ", ports)}"
            : $"{what} has no ready endpoint";
    }

    private static IEnumerable<(Endpoint Endpoint, string Address)> AddressesOf(EndpointSlice slice) =>
        from endpoint in slice.Endpoints ?? []
        where endpoint.Conditions?.Ready != false
        from address in endpoint.Addresses ?? []
        select (endpoint, address);

    private static ResolvedTarget ServiceTarget(TargetSpec spec, NamespaceView view, EndpointSlice slice, Endpoint endpoint, string address, int? port)
    {
        Dictionary<string, string> labels = new(spec.Labels);
        Pod? pod = endpoint.TargetRef is { Kind: "Pod", Name: { } name } ? view.Pod(name) : null;
        Add(labels, "service", slice.ServiceName);
        Add(labels, "version", Label(pod, VersionLabel) ?? slice.Metadata.Labels?.GetValueOrDefault(VersionLabel));
        Add(labels, "pod", endpoint.TargetRef is { Kind: "Pod" } reference ? reference.Name : null);
        Add(labels, "node", endpoint.NodeName);
        return new ResolvedTarget(HostPort(address, port), labels);
    }

    private static ResolvedJob Pods(TargetSpec spec, NamespaceView view)
    {
        Pod[] pods = [.. Running(view).Where(pod => spec.Source.Selector?.Matches(pod.Metadata.Labels) != false)];
        List<ResolvedTarget> targets = [];
        foreach (Pod pod in pods)
        {
            ContainerPort[] ports = [.. (pod.Spec?.Containers ?? []).SelectMany(container => container.Ports ?? [])];
            int? number = spec.PortNumber ?? (spec.PortName is null ? ports.FirstOrDefault()?.Number : ports.FirstOrDefault(port => port.Name == spec.PortName)?.Number);
            if (number is not null)
            {
                targets.Add(PodTarget(spec, spec.Labels, pod, number));
            }
        }

        string? problem = targets.Count > 0 ? null
            : pods.Length == 0 ? "no running Pod matches the selector"
            : $"none of the {pods.Length} matching Pods has {(spec.PortName is null ? "a port" : $"a port named {spec.PortName}")}";
        return new ResolvedJob(spec, targets, problem);
    }

    private static ResolvedJob AnnotatedPods(TargetSpec spec, NamespaceView view)
    {
        List<ResolvedTarget> targets = [];
        foreach (Pod pod in Running(view).Where(pod => IsAnnotated(pod.Metadata) && spec.Source.Selector?.Matches(pod.Metadata.Labels) != false))
        {
            int? first = (pod.Spec?.Containers ?? []).SelectMany(container => container.Ports ?? []).FirstOrDefault()?.Number;
            (Dictionary<string, string> labels, int? port) = FollowAnnotations(spec, pod.Metadata);
            targets.Add(PodTarget(spec, labels, pod, port ?? first));
        }

        return new ResolvedJob(spec, targets, targets.Count > 0 ? null : $"no running Pod is annotated with {ScrapeAnnotation}: \"true\"");
    }

    private static ResolvedJob AnnotatedServices(TargetSpec spec, NamespaceView view)
    {
        List<ResolvedTarget> targets = [];
        foreach (Service service in view.Services().Where(service => IsAnnotated(service.Metadata) && spec.Source.Selector?.Matches(service.Metadata.Labels) != false))
        {
            (Dictionary<string, string> labels, int? port) = FollowAnnotations(spec, service.Metadata);
            TargetSpec followed = spec with { Labels = labels, PortNumber = port ?? spec.PortNumber, Source = new TargetSource { Kind = TargetSourceKind.Service, Name = service.Metadata.Name } };
            targets.AddRange(Service(followed, view).Targets);
        }

        return new ResolvedJob(spec, targets, targets.Count > 0 ? null : $"no Service with endpoints is annotated with {ScrapeAnnotation}: \"true\"");
    }

    private static (Dictionary<string, string> Labels, int? Port) FollowAnnotations(TargetSpec spec, ObjectMeta metadata)
    {
        Dictionary<string, string> labels = new(spec.Labels);
        if (metadata.Annotations!.TryGetValue("prometheus.io/path", out string? path))
        {
            labels["__metrics_path__"] = path;
        }

        if (metadata.Annotations.TryGetValue("prometheus.io/scheme", out string? scheme))
        {
            labels["__scheme__"] = scheme;
        }

        int? port = int.TryParse(metadata.Annotations.GetValueOrDefault("prometheus.io/port"), out int number) ? number : null;
        return (labels, port);
    }

    private static ResolvedTarget PodTarget(TargetSpec spec, IReadOnlyDictionary<string, string> from, Pod pod, int? port)
    {
        Dictionary<string, string> labels = new(from);
        Add(labels, "version", Label(pod, VersionLabel));
        Add(labels, "pod", pod.Metadata.Name);
        Add(labels, "node", pod.Spec?.NodeName);
        Add(labels, "service", spec.Labels.GetValueOrDefault("agent"));
        return new ResolvedTarget(HostPort(pod.Status!.PodIP!, port), labels);
    }

    private static IEnumerable<Pod> Running(NamespaceView view) =>
        view.Pods().Where(pod => pod.Status is { PodIP.Length: > 0, Phase: not ("Succeeded" or "Failed") } && !pod.Metadata.IsDeleting);

    private static bool IsWanted(TargetSpec spec, string? name, int? number) =>
        spec.PortName is not null ? name == spec.PortName : spec.PortNumber is null || number == spec.PortNumber;

    private static bool IsAnnotated(ObjectMeta metadata) => metadata.Annotations?.GetValueOrDefault(ScrapeAnnotation) == "true";

    private static string? Label(Pod? pod, string name) => pod?.Metadata.Labels?.GetValueOrDefault(name);

    private static void Add(Dictionary<string, string> labels, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            labels.TryAdd(name, value);
        }
    }

    private static string HostPort(string address, int? port)
    {
        string host = address.Contains(':', StringComparison.Ordinal) ? $"[{address}]" : address;
        return port is null ? host : $"{host}:{port}";
    }
}
