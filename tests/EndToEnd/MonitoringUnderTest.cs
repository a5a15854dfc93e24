using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging.Abstractions;
using OptiInfra.Cli.Dev;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;
using OptiInfra.Kubernetes.Tests;
using OptiInfra.Operator.Prometheus;

namespace OptiInfra.EndToEnd;

/// <summary>
/// A cluster (embedded, or a real one as <see cref="ClusterUnderTest"/> chooses), the operator, sync, a real Prometheus,
/// a real kubectl and real agents. Null where this machine has no Prometheus or no kubectl; <c>optiinfra doctor</c> says so.
/// </summary>
internal sealed partial class MonitoringUnderTest : IAsyncDisposable
{
    private readonly ClusterUnderTest cluster;
    private readonly Tool kubectl;
    private readonly string folder;
    private readonly List<ChildProcess> agents = [];

    private MonitoringUnderTest(ClusterUnderTest cluster, Tool kubectl, string folder, KubeClient client, string ns)
    {
        this.cluster = cluster;
        this.kubectl = kubectl;
        this.folder = folder;
        Client = client;
        Namespace = ns;
    }

    public KubeClient Client { get; }

    public LocalMonitoring Monitoring { get; private set; } = null!;

    public PrometheusApi Prometheus { get; private set; } = null!;

    public HttpClient Http { get; } = new();

    /// <summary>The namespace of this test's agents, which its stack alone serves.</summary>
    public string Namespace { get; }

    public static async Task<MonitoringUnderTest?> StartAsync(string prometheusVersion = "prometheus")
    {
        Tool? prometheus = await Toolbox.FindAsync(prometheusVersion, CancellationToken.None);
        Tool? kubectl = await Toolbox.FindAsync("kubectl", CancellationToken.None);
        if (prometheus is null || prometheus.Version < Toolbox.OldestPrometheus || kubectl is null || DemoAgentProgram() is null)
        {
            return null;
        }

        string folder = Directory.CreateTempSubdirectory("optiinfra-e2e-").FullName;
        ClusterUnderTest cluster = await ClusterUnderTest.StartAsync();
        await File.WriteAllTextAsync(Path.Combine(folder, "kubeconfig"), cluster.Kubeconfig());
        KubeClient client = cluster.Client();
        string system = await ClusterUnderTest.CreateNamespaceAsync(client, "optiinfra-system");
        string ns = await ClusterUnderTest.CreateNamespaceAsync(client, "shop");
        MonitoringUnderTest world = new(cluster, kubectl, folder, client, ns);
        try
        {
            await world.StartMonitoringAsync(system, prometheus);
            return world;
        }
        catch
        {
            client.Dispose();
            await cluster.DisposeAsync();
            throw;
        }
    }

    private async Task StartMonitoringAsync(string system, Tool prometheus)
    {
        Monitoring = await LocalMonitoring.StartAsync(new LocalMonitoringOptions
        {
            Cluster = cluster.Config,
            Stack = new ObjectKey(system, "default"),
            StackSpec = new JsonObject
            {
                ["namespaces"] = new JsonObject { ["matchNames"] = new JsonArray(Namespace) },
                ["defaults"] = new JsonObject { ["interval"] = "1s", ["timeout"] = "1s", ["evaluationInterval"] = "1s" },
                ["alertmanager"] = new JsonObject { ["enabled"] = false },
            },
            Folder = folder,
            Prometheus = prometheus,
            Feedback = TimeSpan.FromMilliseconds(300),
            Logger = NullLogger.Instance,
        }, CancellationToken.None);
        Prometheus = new PrometheusApi(Monitoring.Prometheus!);
    }

    /// <summary>Starts a demo agent on a free port; returns where it listens.</summary>
    public async Task<Uri> StartAgentAsync(string role)
    {
        ChildProcess process = ChildProcess.Start(role, "dotnet", [DemoAgentProgram()!, "--role", role]);
        agents.Add(process);
        return new Uri(await process.WaitForAsync(line => Listening().Match(line) is { Success: true } match ? match.Groups[1].Value : null, CancellationToken.None));
    }

    /// <summary>Applies YAML with kubectl; NS stands for the test's namespace.</summary>
    public async Task ApplyAsync(string yaml)
    {
        string file = Path.Combine(folder, "apply.yaml");
        await File.WriteAllTextAsync(file, yaml.Replace("NS", Namespace, StringComparison.Ordinal));
        await KubectlAsync("apply", "-f", file);
    }

    /// <summary>Runs kubectl in the test's namespace and returns what it printed; fails when kubectl does.</summary>
    public async Task<string> KubectlAsync(params string[] arguments)
    {
        ProcessStartInfo start = new(kubectl.Path, [.. arguments, "--namespace", Namespace]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["KUBECONFIG"] = Path.Combine(folder, "kubeconfig");
        start.Environment["HOME"] = folder;
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? await output : throw new InvalidOperationException($"kubectl {string.Join(' ', arguments)}: {await output}{await error}");
    }

    /// <summary>One field of one resource, by JSONPath.</summary>
    public Task<string> FieldAsync(string resource, string path) => KubectlAsync("get", resource, "-o", $"jsonpath={path}");

    public async ValueTask DisposeAsync()
    {
        foreach (ChildProcess agent in agents)
        {
            await agent.DisposeAsync();
        }

        await Monitoring.DisposeAsync();
        Prometheus.Dispose();
        Http.Dispose();
        Client.Dispose();
        await cluster.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private static string? DemoAgentProgram()
    {
        string path = Path.Combine(AppContext.BaseDirectory, "..", "..", "Agents", new DirectoryInfo(AppContext.BaseDirectory).Name, "OptiInfra.Agents.dll");
        return File.Exists(path) ? Path.GetFullPath(path) : null;
    }

    [GeneratedRegex(@"listens on (http://\S+)")]
    private static partial Regex Listening();
}
