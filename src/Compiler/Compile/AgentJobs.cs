using System.Globalization;
using OptiInfra.Compiler.Exporters;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds;

namespace OptiInfra.Compiler.Compile;

/// <summary>The scrape jobs of an agent: one for its target, one for each exporter, all defaults filled in.</summary>
internal static class AgentJobs
{
    private static readonly ScrapeSettings NoSettings = new();

    public static IReadOnlyList<JobModel> Of(OptiAgent agent, StackModel stack, Report report)
    {
        List<JobModel> jobs = new(1 + (agent.Spec.Exporters?.Count ?? 0));
        if (agent.Spec.Target is { } target)
        {
            jobs.Add(OfTarget(agent, target, stack));
        }

        foreach (Exporter exporter in agent.Spec.Exporters ?? [])
        {
            jobs.Add(ExporterCatalog.Job(agent, exporter, stack));
        }

        return stack.ForFiles ? [.. jobs.Select(job => WithFixedAddresses(job, agent, stack, report))] : jobs;
    }

    private static JobModel OfTarget(OptiAgent agent, AgentTarget target, StackModel stack)
    {
        string ns = agent.Metadata.Namespace ?? "default";
        string name = agent.Metadata.Name!;
        ScrapeSettings settings = agent.Spec.Scrape ?? NoSettings;
        string interval = settings.Interval ?? stack.Interval;
        return new JobModel
        {
            Job = Naming.Job(ns, name),
            Namespace = ns,
            Source = SourceOf(target),
            Port = target.Port,
            Labels = Labels(agent, exporter: null, isService: target.Service is not null || target.Annotated is { Services: true }),
            Path = settings.Path ?? "/metrics",
            Scheme = (settings.Scheme ?? (settings.Tls is null ? ScrapeScheme.Http : ScrapeScheme.Https)) == ScrapeScheme.Https ? "https" : "http",
            Interval = interval,
            Timeout = settings.Timeout ?? DefaultTimeout(interval, stack),
            Params = settings.Params,
            Settings = settings,
            Limits = LimitRules.Effective(settings.Limits, stack.Spec.Defaults?.Limits, stack.Spec.Maximum?.Limits),
        };
    }

    /// <summary>The labels that all targets of the agent carry. What is found at the target (service, version) is added by discovery.</summary>
    internal static List<KeyValuePair<string, string>> Labels(OptiAgent agent, string? exporter, bool isService)
    {
        List<KeyValuePair<string, string>> labels =
        [
            new("agent", agent.Metadata.Name!),
            new("namespace", agent.Metadata.Namespace ?? "default"),
            new("role", (agent.Spec.Role ?? AgentRole.Custom).ToString().ToLowerInvariant()),
        ];
        if (!isService)
        {
            labels.Add(new("service", exporter ?? agent.Metadata.Name!));
        }

        if (exporter is not null)
        {
            labels.Add(new("exporter", exporter));
        }
        else if (agent.Spec.Version is { } version)
        {
            labels.Add(new("version", version));
        }

        foreach ((string key, string value) in (agent.Spec.Labels ?? new Dictionary<string, string>()).OrderBy(label => label.Key, StringComparer.Ordinal))
        {
            // A version in the labels is the user's way to say the same thing.
            labels.RemoveAll(label => label.Key == key);
            labels.Add(new(key, value));
        }

        return labels;
    }

    /// <summary>The stack's timeout, unless the interval is shorter.</summary>
    internal static string DefaultTimeout(string interval, StackModel stack) =>
        StackModel.Length(interval) < StackModel.Length(stack.Timeout) ? interval : stack.Timeout;

    private static TargetSource SourceOf(AgentTarget target) => target switch
    {
        { Service: { } service } => new TargetSource { Kind = TargetSourceKind.Service, Name = service.Name, Selector = service.Selector },
        { Pods: { } pods } => new TargetSource { Kind = TargetSourceKind.Pods, Selector = pods.Selector },
        { Static: { } fixedTarget } => new TargetSource { Kind = TargetSourceKind.Static, Addresses = [.. fixedTarget.Addresses.Select(address => WithPort(address, target.Port))] },
        { Annotated: { } annotated } => new TargetSource
        {
            Kind = annotated.Services == true ? TargetSourceKind.AnnotatedServices : TargetSourceKind.AnnotatedPods,
            Selector = annotated.Selector,
        },
        _ => throw new InvalidOperationException("The checks let only whole targets through."),
    };

    private static string WithPort(string address, IntOrString? port) => PortOf(address) is null ? $"{address}:{port}" : address;

    /// <summary>The port of host:port, or null when there is none.</summary>
    internal static int? PortOf(string address)
    {
        int colon = address.LastIndexOf(':');
        return colon > 0 && colon > address.LastIndexOf(']') && int.TryParse(address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port) ? port : null;
    }

    /// <summary>Without a cluster nothing can be discovered: the Service's name is the host's name, as in docker-compose.</summary>
    private static JobModel WithFixedAddresses(JobModel job, OptiAgent agent, StackModel stack, Report report)
    {
        if (job.Source.Kind == TargetSourceKind.Static)
        {
            return job;
        }

        string host = job.Source.Name ?? agent.Metadata.Name!;
        if (job.Source.Kind != TargetSourceKind.Service || job.Source.Name is null)
        {
            report.Warning("render/target", "spec.target", $"outside a cluster nothing can be found by labels; {host} is taken as the host name", "use service: {name: …} or static: {addresses: […]}");
        }

        int? number = job.Port?.Port;
        if (job.Port is { Port: null } name)
        {
            number = stack.PortNumber?.Invoke(job.Namespace, host, name.ToString());
            if (number is null)
            {
                report.Error("render/port", "spec.target.port", $"outside a cluster a port has no name; \"{name}\" cannot be looked up", "give the number, or put the Service beside it");
            }
        }

        List<KeyValuePair<string, string>> labels = [.. job.Labels];
        if (!labels.Any(label => label.Key == "service"))
        {
            labels.Add(new("service", host));
        }

        return job with
        {
            Source = new TargetSource { Kind = TargetSourceKind.Static, Addresses = [$"{host}:{number ?? 80}"] },
            Labels = labels,
        };
    }
}
