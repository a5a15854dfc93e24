using System.Globalization;
using OptiInfra.Compiler.Exporters;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds;
using OptiInfra.PromQL.Syntax;

namespace OptiInfra.Compiler.Compile;

/// <summary>What can be wrong with an OptiAgent, one named check each. What the schema refuses is checked here too: not everybody has an API server.</summary>
internal static class AgentChecks
{
    private static readonly Action<OptiAgent, StackModel, Report>[] All =
    [
        NameIsALabel,              // it becomes part of keys, job names and object names
        OneTarget,                 // service, pods, static or annotated
        PortIsInRange,
        StaticAddressesHavePorts,
        SomethingToScrape,
        Durations,
        TimeoutFitsInterval,
        IntervalIsAllowed,
        LimitsAreAllowed,
        LabelsAreOurs,             // job, instance, agent … are set by us
        OneKindOfAuth,
        RelabelingsAreWhole,
        ExportersAreWhole,
        ObjectivesMakeSense,
    ];

    private static readonly string[] ReservedLabels = ["job", "instance", "agent", "role", "namespace", "service"];

    public static void Run(OptiAgent agent, StackModel stack, Report report)
    {
        foreach (Action<OptiAgent, StackModel, Report> check in All)
        {
            check(agent, stack, report);
        }
    }

    private static void NameIsALabel(OptiAgent agent, StackModel stack, Report report) => CommonChecks.Name(agent.Metadata.Name, report);

    private static void OneTarget(OptiAgent agent, StackModel stack, Report report)
    {
        if (agent.Spec.Target is not { } target)
        {
            return;
        }

        string[] set = [.. Set(("service", target.Service), ("pods", target.Pods), ("static", target.Static), ("annotated", target.Annotated))];
        if (set.Length != 1)
        {
            report.Error("agent/target", "spec.target", set.Length == 0 ? "no target is given" : $"{string.Join(" and ", set)} are both given", "set exactly one of service, pods, static, annotated");
        }

        if (target.Service is { } service && (service.Name is null) == (service.Selector is null))
        {
            report.Error("agent/target", "spec.target.service", "a Service is chosen by name or by selector, exactly one of them");
        }
    }

    private static IEnumerable<string> Set(params (string Name, object? Value)[] parts) =>
        parts.Where(part => part.Value is not null).Select(part => part.Name);

    private static void PortIsInRange(OptiAgent agent, StackModel stack, Report report)
    {
        if (agent.Spec.Target?.Port is { Port: { } port } && port is < 1 or > 65535)
        {
            report.Error("agent/port", "spec.target.port", $"port {port} does not exist", "ports are 1 to 65535; a name is fine too");
        }
    }

    private static void StaticAddressesHavePorts(OptiAgent agent, StackModel stack, Report report)
    {
        if (agent.Spec.Target is not { Static: { } target, Port: var port })
        {
            return;
        }

        if (port is { Port: null } name)
        {
            report.Error("agent/port", "spec.target.port", $"a fixed address has no port named {name}", "give the number");
        }

        for (int i = 0; i < target.Addresses.Count; i++)
        {
            int? number = AgentJobs.PortOf(target.Addresses[i]);
            if (number is null && port is null)
            {
                report.Error("agent/port", $"spec.target.static.addresses[{i}]", $"{target.Addresses[i]} has no port", "write host:port, or set spec.target.port");
            }
            else if (number is < 1 or > 65535)
            {
                report.Error("agent/port", $"spec.target.static.addresses[{i}]", $"port {number} does not exist", "ports are 1 to 65535");
            }
        }
    }

    private static void SomethingToScrape(OptiAgent agent, StackModel stack, Report report)
    {
        if (agent.Spec.Target is null && agent.Spec.Exporters is not { Count: > 0 })
        {
            report.Error("agent/target", "spec", "there is neither a target nor an exporter", "set spec.target, for example target: {service: {name: my-agent}, port: metrics}");
        }
    }

    private static void Durations(OptiAgent agent, StackModel stack, Report report)
    {
        CommonChecks.Duration(agent.Spec.Scrape?.Interval, "spec.scrape.interval", report);
        CommonChecks.Duration(agent.Spec.Scrape?.Timeout, "spec.scrape.timeout", report);
        foreach ((Exporter exporter, string field) in Exporters(agent))
        {
            CommonChecks.Duration(exporter.Scrape?.Interval, $"{field}.scrape.interval", report);
            CommonChecks.Duration(exporter.Scrape?.Timeout, $"{field}.scrape.timeout", report);
        }
    }

    private static void TimeoutFitsInterval(OptiAgent agent, StackModel stack, Report report)
    {
        Check(agent.Spec.Scrape?.Interval, agent.Spec.Scrape?.Timeout, "spec.scrape.timeout");
        foreach ((Exporter exporter, string field) in Exporters(agent))
        {
            Check(exporter.Scrape?.Interval ?? agent.Spec.Scrape?.Interval, exporter.Scrape?.Timeout, $"{field}.scrape.timeout");
        }

        void Check(string? interval, string? timeout, string field)
        {
            interval ??= stack.Interval;
            if (timeout is not null && StackModel.Length(timeout) > StackModel.Length(interval) && StackModel.Length(interval) > PromDuration.Zero)
            {
                report.Error("agent/timeout", field, $"the timeout {timeout} is longer than the interval {interval}", "make it shorter, or the interval longer");
            }
        }
    }

    private static void IntervalIsAllowed(OptiAgent agent, StackModel stack, Report report)
    {
        string minimum = stack.Spec.Maximum?.MinInterval ?? "1s";
        Check(agent.Spec.Scrape?.Interval, "spec.scrape.interval");
        foreach ((Exporter exporter, string field) in Exporters(agent))
        {
            Check(exporter.Scrape?.Interval, $"{field}.scrape.interval");
        }

        void Check(string? interval, string field)
        {
            if (interval is not null && StackModel.Length(interval) is var length && length > PromDuration.Zero && length < StackModel.Length(minimum))
            {
                report.Error("agent/interval", field, $"{interval} is shorter than the {minimum} that the stack {stack.Name} allows");
            }
        }
    }

    private static void LimitsAreAllowed(OptiAgent agent, StackModel stack, Report report)
    {
        Check(agent.Spec.Scrape?.Limits, "spec.scrape.limits");
        foreach ((Exporter exporter, string field) in Exporters(agent))
        {
            Check(exporter.Scrape?.Limits, $"{field}.scrape.limits");
        }

        void Check(ScrapeLimits? asked, string field)
        {
            foreach ((string name, string value, string allowed) in LimitRules.Above(asked, stack.Spec.Maximum?.Limits))
            {
                report.Error("agent/limit", $"{field}.{name}", $"{value} is above the {allowed} that the stack {stack.Name} allows");
            }
        }
    }

    private static void LabelsAreOurs(OptiAgent agent, StackModel stack, Report report)
    {
        foreach (string name in agent.Spec.Labels?.Keys ?? [])
        {
            string? problem = ReservedLabels.Contains(name) ? "is set by OptiInfra"
                : name.StartsWith("__", StringComparison.Ordinal) ? "is reserved for Prometheus"
                : !CommonChecks.IsLabelName(name) ? "is not a label name; use letters, digits and underscores"
                : null;
            if (problem is not null)
            {
                report.Error("agent/label", $"spec.labels.{name}", $"the label {name} {problem}");
            }
        }
    }

    private static void OneKindOfAuth(OptiAgent agent, StackModel stack, Report report)
    {
        CommonChecks.Auth(agent.Spec.Scrape?.Auth, "spec.scrape.auth", report);
        CommonChecks.Tls(agent.Spec.Scrape?.Tls, "spec.scrape.tls", report);
    }

    private static void RelabelingsAreWhole(OptiAgent agent, StackModel stack, Report report)
    {
        CommonChecks.Relabelings(agent.Spec.Scrape?.Relabelings, "spec.scrape.relabelings", report);
        CommonChecks.Relabelings(agent.Spec.Scrape?.MetricRelabelings, "spec.scrape.metricRelabelings", report);
    }

    private static void ExportersAreWhole(OptiAgent agent, StackModel stack, Report report)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach ((Exporter exporter, string field) in Exporters(agent))
        {
            if (!names.Add(exporter.Name))
            {
                report.Error("agent/exporter", $"{field}.name", $"two exporters are named {exporter.Name}");
            }

            ExporterCatalog.Check(exporter, field, report);
        }
    }

    private static void ObjectivesMakeSense(OptiAgent agent, StackModel stack, Report report)
    {
        if (agent.Spec.Slo is not { } slo)
        {
            return;
        }

        CommonChecks.Duration(slo.Window, "spec.slo.window", report);
        CommonChecks.Duration(slo.Latency?.Threshold, "spec.slo.latency.threshold", report);
        Percent(slo.Availability, "spec.slo.availability");
        Percent(slo.Latency?.Target, "spec.slo.latency.target");

        void Percent(double? value, string field)
        {
            if (value is < 50 or > 99.999)
            {
                report.Error("agent/slo", field, $"{value.Value.ToString(CultureInfo.InvariantCulture)} % is no objective", "give a percentage from 50 to 99.999, for example 99.9");
            }
        }
    }

    private static IEnumerable<(Exporter Exporter, string Field)> Exporters(OptiAgent agent) =>
        (agent.Spec.Exporters ?? []).Select((exporter, i) => (exporter, $"spec.exporters[{i}]"));
}
