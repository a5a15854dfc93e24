using OptiInfra.Compiler.Compile;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds;

namespace OptiInfra.Compiler.Exporters;

/// <summary>What we know about an exporter type.</summary>
/// <param name="Image">The pinned image.</param>
/// <param name="Port">Where it serves metrics.</param>
/// <param name="Path">Under which path.</param>
internal sealed record ExporterKind(string Image, int Port, string Path = "/metrics");

/// <summary>The exporters that come with the product, what each needs, and how each is scraped.</summary>
internal static class ExporterCatalog
{
    public const string PortName = "metrics";

    private static readonly Dictionary<ExporterType, ExporterKind> Known = new()
    {
        [ExporterType.Postgres] = new("quay.io/prometheuscommunity/postgres-exporter:v0.18.1", 9187),
        [ExporterType.Redis] = new("docker.io/oliver006/redis_exporter:v1.77.0", 9121),
        [ExporterType.ClickHouse] = new("docker.io/f1yegor/clickhouse-exporter:latest", 9116),
        [ExporterType.Nats] = new("docker.io/natsio/prometheus-nats-exporter:0.17.3", 7777),
        [ExporterType.Dragonfly] = new("", 6379),
        [ExporterType.Node] = new("quay.io/prometheus/node-exporter:v1.9.1", 9100),
        [ExporterType.Blackbox] = new("quay.io/prometheus/blackbox-exporter:v0.27.0", 9115, "/probe"),
        [ExporterType.Custom] = new("", 0),
    };

    public static ExporterKind Kind(ExporterType type) => Known[type];

    /// <summary>
    /// The system exposes its metrics itself, so nothing is run: Dragonfly always, ClickHouse when it is given by its
    /// address without credentials (its own endpoint, port 9363).
    /// </summary>
    public static bool IsBuiltIn(Exporter exporter) => exporter.Type switch
    {
        ExporterType.Dragonfly => true,
        ExporterType.ClickHouse => exporter is { Image: null, Connection: { Address: not null, Username: null } },
        _ => false,
    };

    public static int Port(Exporter exporter) => exporter.Port ?? Kind(exporter.Type).Port;

    public static string ObjectName(OptiAgent agent, Exporter exporter) => Naming.AgentObject(agent.Metadata.Name!, exporter.Name);

    public static JobModel Job(OptiAgent agent, Exporter exporter, StackModel stack)
    {
        string ns = agent.Metadata.Namespace ?? "default";
        string interval = exporter.Scrape?.Interval ?? agent.Spec.Scrape?.Interval ?? stack.Interval;
        string? timeout = exporter.Scrape?.Timeout ?? agent.Spec.Scrape?.Timeout;
        var job = new JobModel
        {
            Job = Naming.Job(ns, agent.Metadata.Name!, exporter.Name),
            Namespace = ns,
            Source = new TargetSource { Kind = TargetSourceKind.Service, Name = ObjectName(agent, exporter) },
            Port = stack.ForFiles ? Port(exporter) : PortName,
            Labels = AgentJobs.Labels(agent, exporter.Name, isService: false),
            Path = exporter.Scrape?.Path ?? Kind(exporter.Type).Path,
            Scheme = "http",
            Interval = interval,
            Timeout = timeout is not null && StackModel.Length(timeout) <= StackModel.Length(interval) ? timeout : AgentJobs.DefaultTimeout(interval, stack),
            Settings = new ScrapeSettings { MetricRelabelings = exporter.Scrape?.MetricRelabelings },
            Limits = LimitRules.Effective(exporter.Scrape?.Limits, stack.Spec.Defaults?.Limits, stack.Spec.Maximum?.Limits),
        };

        return exporter switch
        {
            { Type: ExporterType.Blackbox, Probe: { } probe } => Probing(job, probe, agent, exporter, stack),
            _ when IsBuiltIn(exporter) => job with
            {
                Source = new TargetSource { Kind = TargetSourceKind.Static, Addresses = [Address(exporter)] },
                Port = null,
            },
            _ => job,
        };
    }

    public static void Check(Exporter exporter, string field, Report report)
    {
        bool needsConnection = exporter.Type is ExporterType.Postgres or ExporterType.Redis or ExporterType.ClickHouse or ExporterType.Nats or ExporterType.Dragonfly;
        string type = exporter.Type.ToString().ToLowerInvariant();
        if (needsConnection && exporter.Connection is null)
        {
            report.Error("agent/exporter", $"{field}.connection", $"a {type} exporter needs a connection", "set connection.secretKeyRef or connection.address");
        }

        if (exporter.Connection is { } connection && (connection.SecretKeyRef is null) == (connection.Address is null))
        {
            report.Error("agent/exporter", $"{field}.connection", "a connection is given by secretKeyRef or by address, exactly one of them");
        }

        if (exporter.Type is ExporterType.Dragonfly && exporter.Connection is { Address: null })
        {
            report.Error("agent/exporter", $"{field}.connection.address", "dragonfly serves its metrics itself; give its address as host:port");
        }

        if (exporter.Type is ExporterType.Blackbox && exporter.Probe is not { Targets.Count: > 0 })
        {
            report.Error("agent/exporter", $"{field}.probe", "a blackbox exporter needs targets to probe", "set probe.targets");
        }

        if (exporter.Type is ExporterType.Custom && (exporter.Image is null || exporter.Port is null))
        {
            report.Error("agent/exporter", field, "a custom exporter needs image and port");
        }

        if (exporter.Queries is not null && exporter.Type is not (ExporterType.Postgres or ExporterType.ClickHouse or ExporterType.Custom))
        {
            report.Error("agent/exporter", $"{field}.queries", $"a {type} exporter takes no queries");
        }

        if (exporter.Port is < 1 or > 65535)
        {
            report.Error("agent/port", $"{field}.port", $"port {exporter.Port} does not exist", "ports are 1 to 65535");
        }

        CommonChecks.Relabelings(exporter.Scrape?.MetricRelabelings, $"{field}.scrape.metricRelabelings", report);
    }

    private static string Address(Exporter exporter)
    {
        string address = exporter.Connection!.Address!;
        int scheme = address.IndexOf("://", StringComparison.Ordinal);
        address = (scheme < 0 ? address : address[(scheme + 3)..]).TrimEnd('/');
        int port = exporter.Port ?? (exporter.Type == ExporterType.ClickHouse ? 9363 : Port(exporter));
        return AgentJobs.PortOf(address) is null ? $"{address}:{port}" : address;
    }

    // The targets are what is probed; the address that is scraped is the exporter's.
    private static JobModel Probing(JobModel job, ProbeSettings probe, OptiAgent agent, Exporter exporter, StackModel stack)
    {
        string host = ObjectName(agent, exporter);
        string through = stack.ForFiles ? $"{host}:{Port(exporter)}" : $"{host}.{job.Namespace}.svc:{Port(exporter)}";
        return job with
        {
            Source = new TargetSource { Kind = TargetSourceKind.Static, Addresses = probe.Targets },
            Port = null,
            Params = new Dictionary<string, IReadOnlyList<string>> { ["module"] = [probe.Module ?? "http_2xx"] },
            OwnRelabelings =
            [
                new Relabeling { SourceLabels = ["__address__"], TargetLabel = "__param_target" },
                new Relabeling { SourceLabels = ["__param_target"], TargetLabel = "instance" },
                new Relabeling { TargetLabel = "__address__", Replacement = through },
            ],
        };
    }
}
