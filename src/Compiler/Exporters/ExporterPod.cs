using System.Globalization;
using OptiInfra.Crds;

namespace OptiInfra.Compiler.Exporters;

/// <summary>An environment variable: a plain value or a key of a Secret.</summary>
internal sealed record ExporterVariable(string Name, string? Value, SecretKey? Secret = null);

/// <summary>The container of an exporter, before it is written as a Deployment or as a compose service.</summary>
internal sealed record ExporterPod
{
    /// <summary>Where the file with custom queries is mounted.</summary>
    public const string QueriesPath = "/etc/exporter/queries.yml";

    public required string Image { get; init; }

    public required int Port { get; init; }

    public required IReadOnlyList<string> Args { get; init; }

    public required IReadOnlyList<ExporterVariable> Variables { get; init; }

    public ConfigMapKey? Queries { get; init; }

    /// <summary>Sees the node it runs on: one a node, with the host's files.</summary>
    public bool OnEveryNode { get; init; }

    /// <summary>The Secrets it reads; when one of them changes, it must start again.</summary>
    public IEnumerable<SecretKey> Secrets => Variables.Select(variable => variable.Secret).OfType<SecretKey>();

    public static ExporterPod Of(Exporter exporter)
    {
        int port = ExporterCatalog.Port(exporter);
        return new ExporterPod
        {
            Image = exporter.Image ?? ExporterCatalog.Kind(exporter.Type).Image,
            Port = port,
            Args = [.. ArgsOf(exporter, port), .. exporter.Args ?? []],
            Variables =
            [
                .. VariablesOf(exporter),
                .. (exporter.Env ?? new Dictionary<string, string>()).OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => new ExporterVariable(pair.Key, pair.Value)),
                .. (exporter.SecretEnv ?? new Dictionary<string, SecretKey>()).OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => new ExporterVariable(pair.Key, null, pair.Value)),
            ],
            Queries = exporter.Queries?.ConfigMapKeyRef,
            OnEveryNode = exporter.Type == ExporterType.Node,
        };
    }

    private static IEnumerable<string> ArgsOf(Exporter exporter, int port)
    {
        string listen = port.ToString(CultureInfo.InvariantCulture);
        bool usual = port == ExporterCatalog.Kind(exporter.Type).Port;
        return exporter.Type switch
        {
            ExporterType.Postgres =>
            [
                .. usual ? (string[])[] : [$"--web.listen-address=:{listen}"],
                .. exporter.Queries is null ? (string[])[] : [$"--extend.query-path={QueriesPath}"],
            ],
            ExporterType.Redis => usual ? [] : [$"--web.listen-address=:{listen}"],
            ExporterType.ClickHouse => [$"-scrape_uri=$(CLICKHOUSE_URI)", .. usual ? (string[])[] : [$"-telemetry.address=:{listen}"]],
            ExporterType.Nats => ["-varz", "-connz", "-routez", "-subz", "-jsz=all", $"-port={listen}", "$(NATS_URL)"],
            ExporterType.Node =>
            [
                $"--web.listen-address=:{listen}", "--path.rootfs=/host/root", "--path.procfs=/host/root/proc", "--path.sysfs=/host/root/sys",
                "--collector.filesystem.mount-points-exclude=^/(dev|proc|sys|run/k3s/containerd/.+|var/lib/(docker|kubelet)/.+)($|/)",
            ],
            ExporterType.Blackbox => usual ? [] : [$"--web.listen-address=:{listen}"],
            _ => [],
        };
    }

    // $(NAME) in arguments is replaced by Kubernetes; the secret is never part of the Pod's specification.
    private static IEnumerable<ExporterVariable> VariablesOf(Exporter exporter)
    {
        if (exporter.Connection is not { } connection)
        {
            return [];
        }

        ExporterVariable Whole(string name) => new(name, connection.Address, connection.SecretKeyRef);
        return exporter.Type switch
        {
            ExporterType.Postgres when connection.SecretKeyRef is not null => [Whole("DATA_SOURCE_NAME")],
            ExporterType.Postgres => [new("DATA_SOURCE_URI", connection.Address), .. Login("DATA_SOURCE_USER", "DATA_SOURCE_PASS")],
            ExporterType.Redis => [Whole("REDIS_ADDR"), .. Login("REDIS_USER", "REDIS_PASSWORD")],
            ExporterType.ClickHouse => [Whole("CLICKHOUSE_URI"), .. Login("CLICKHOUSE_USER", "CLICKHOUSE_PASSWORD")],
            ExporterType.Nats => [Whole("NATS_URL")],
            ExporterType.Custom => [Whole("CONNECTION"), .. Login("CONNECTION_USER", "CONNECTION_PASSWORD")],
            _ => [],
        };

        IEnumerable<ExporterVariable> Login(string user, string password) =>
        [
            .. connection.Username is { } name ? (ExporterVariable[])[new(user, name)] : [],
            .. connection.Password is { } secret ? (ExporterVariable[])[new(password, null, secret)] : [],
        ];
    }
}
