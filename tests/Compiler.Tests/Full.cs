using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OptiInfra.Crds;

namespace OptiInfra.Compiler.Tests;

/// <summary>Resources that say everything that can be said.</summary>
internal static class Full
{
    private static readonly SecretKey Secret = new() { Name = "secret", Key = "value" };

    public static MonitoringStack Stack(string version, DiscoveryMode discovery) => new()
    {
        Metadata = new() { Name = "default", Namespace = "monitoring" },
        Spec = new()
        {
            Discovery = discovery,
            Defaults = new() { Interval = "30s", Timeout = "10s", EvaluationInterval = "20s", Limits = new() { Labels = 60 } },
            Maximum = new() { Limits = new() { Samples = 100_000, BodySize = "50MB" } },
            ExternalLabels = new Dictionary<string, string> { ["cluster"] = "kosmos-production", ["price"] = "5$" },
            Cluster = new() { ApiServer = true, Nodes = true, Containers = true, AnnotatedPods = true, AnnotatedServices = true },
            Prometheus = new()
            {
                Version = version,
                Replicas = 2,
                RuleQueryOffset = "10s",
                OutOfOrderWindow = "5m",
                RemoteWrite =
                [
                    new()
                    {
                        Name = "long-term",
                        Url = "https://metrics.example/api/v1/write",
                        Headers = new Dictionary<string, string> { ["X-Scope-OrgID"] = "shop" },
                        Auth = new() { Basic = new() { Username = "u", Password = Secret } },
                        Relabelings = [new() { SourceLabels = ["__name__"], Regex = "go_.*", Action = RelabelAction.Drop }],
                    },
                ],
            },
            Alertmanager = new() { Urls = ["http://alertmanager.monitoring:9093", "https://other.example/am"] },
        },
    };

    public static IReadOnlyList<OptiAgent> Agents { get; } =
    [
        Agent("service", new()
        {
            Role = AgentRole.Cost,
            Target = new() { Service = new() { Name = "cost.agent" }, Port = "metrics" },
            Version = "1.2",
            Labels = new Dictionary<string, string> { ["team"] = "fin$ops", ["number"] = "1" },
            Scrape = new()
            {
                Path = "/m",
                Scheme = ScrapeScheme.Https,
                Params = new Dictionary<string, IReadOnlyList<string>> { ["one"] = ["x"], ["two"] = ["a", "b, c"] },
                Interval = "5s",
                Timeout = "4s",
                HonorLabels = true,
                HonorTimestamps = false,
                FollowRedirects = false,
                ClassicHistograms = true,
                NativeHistograms = true,
                Tls = new() { Ca = Secret, Cert = Secret, Key = Secret, ServerName = "cost", InsecureSkipVerify = true },
                Auth = new() { Bearer = Secret },
                Limits = new() { Samples = 20_000, Targets = 50, Labels = 30, LabelNameLength = 100, LabelValueLength = 200, BodySize = "10MB" },
                Relabelings =
                [
                    new() { SourceLabels = ["__meta_kubernetes_pod_name"], Regex = "canary-(.+)", TargetLabel = "canary", Replacement = "$1" },
                    new() { SourceLabels = ["a", "b"], Separator = ";", TargetLabel = "c", Modulus = 7, Action = RelabelAction.HashMod },
                    new() { SourceLabels = ["a"], TargetLabel = "b", Action = RelabelAction.KeepEqual },
                    new() { SourceLabels = ["a"], TargetLabel = "b", Action = RelabelAction.Uppercase },
                ],
                MetricRelabelings = [new() { Regex = "debug_.*", Action = RelabelAction.LabelDrop }, new() { Regex = "x_(.+)", Action = RelabelAction.LabelMap, Replacement = "y_$1" }],
            },
        }),
        Agent("selected", new()
        {
            Target = new()
            {
                Service = new()
                {
                    Selector = new()
                    {
                        MatchLabels = new Dictionary<string, string> { ["app.kubernetes.io/part-of"] = "kosmos" },
                        MatchExpressions =
                        [
                            new() { Key = "tier", Operator = "In", Values = ["a", "b"] },
                            new() { Key = "tier", Operator = "NotIn", Values = ["c"] },
                            new() { Key = "x", Operator = "Exists" },
                            new() { Key = "y", Operator = "DoesNotExist" },
                        ],
                    },
                },
                Port = 8000,
            },
            Scrape = new() { Auth = new() { Basic = new() { Username = "u", Password = Secret } } },
        }),
        Agent("pods", new()
        {
            Target = new() { Pods = new() { Selector = new() { MatchLabels = new Dictionary<string, string> { ["app"] = "x" } } }, Port = "metrics" },
            Scrape = new()
            {
                Auth = new()
                {
                    Oauth2 = new() { ClientId = "id", ClientSecret = Secret, TokenUrl = "https://id.example/token", Scopes = ["a", "b"], EndpointParams = new Dictionary<string, string> { ["audience"] = "x" } },
                },
            },
        }),
        Agent("static", new() { Target = new() { Static = new() { Addresses = ["10.0.0.1:9000", "host", "[::1]:80"] }, Port = 8080 } }),
        Agent("annotated-pods", new() { Target = new() { Annotated = new() } }),
        Agent("annotated-services", new() { Target = new() { Annotated = new() { Services = true } } }),
        Agent("exporters", new()
        {
            Target = new() { Service = new() { Name = "x" } },
            Exporters =
            [
                new() { Name = "postgres", Type = ExporterType.Postgres, Connection = new() { SecretKeyRef = Secret }, Queries = new() { ConfigMapKeyRef = new() { Name = "queries", Key = "queries.yml" } } },
                new() { Name = "redis", Type = ExporterType.Redis, Connection = new() { Address = "redis:6379", Password = Secret } },
                new() { Name = "clickhouse", Type = ExporterType.ClickHouse, Connection = new() { Address = "clickhouse" } },
                new() { Name = "clickhouse-old", Type = ExporterType.ClickHouse, Connection = new() { Address = "http://clickhouse:8123", Username = "default", Password = Secret } },
                new() { Name = "nats", Type = ExporterType.Nats, Connection = new() { Address = "http://nats:8222" } },
                new() { Name = "dragonfly", Type = ExporterType.Dragonfly, Connection = new() { Address = "dragonfly:6379" } },
                new() { Name = "node", Type = ExporterType.Node },
                new() { Name = "blackbox", Type = ExporterType.Blackbox, Probe = new() { Targets = ["https://shop.example/health"] } },
                new() { Name = "custom", Type = ExporterType.Custom, Image = "example/x:1", Port = 9999, Scrape = new() { Path = "/x", Interval = "1m", Limits = new() { Samples = 10 } } },
            ],
        }),
    ];

    private static OptiAgent Agent(string name, OptiAgentSpec spec) => new() { Metadata = new() { Name = name, Namespace = "shop" }, Spec = spec };
}

/// <summary>promtool opens certificates and keys, so they have to be real.</summary>
internal static class TestCertificates
{
    public static string Pem { get; } = Create();

    private static string Create()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=test", key, HashAlgorithmName.SHA256);
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        return certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n";
    }
}
