using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using OptiInfra.ApiServer;
using OptiInfra.Cli.Dev;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Bench.Operator;

/// <summary>
/// What a change costs: the real executable as a process of its own against the embedded API server, with 1,000 and
/// 10,000 agents. The peer's figures were measured with prometheus-operator v0.87 on the same class of machine.
/// </summary>
internal static class OperatorMeasurements
{
    private const int Changes = 20;
    private const string Namespace = "scale";

    public static Measurement[] All { get; } =
    [
        new("operator.1000", () => RunAsync(1_000, new Budgets(Latency: 0.05, Cpu: 0.01, Rss: 110, Convergence: 2), new Budgets(0.38, 0.57, 208, double.NaN))),
        new("operator.10000", () => RunAsync(10_000, new Budgets(Latency: 0.1, Cpu: 0.015, Rss: 250, Convergence: 2), new Budgets(5.1, 5.8, 1626, 3.7))),
    ];

    private sealed record Budgets(double Latency, double Cpu, double Rss, double Convergence);

    private static async Task<IReadOnlyList<Figure>> RunAsync(int count, Budgets budget, Budgets peer)
    {
        string folder = Directory.CreateTempSubdirectory("optiinfra-bench-").FullName;
        string kubeconfig = Path.Combine(folder, "kubeconfig");
        long start = Stopwatch.GetTimestamp();
        await using DevApiServer server = await DevApiServer.StartAsync(new DevApiServerOptions { KubeconfigPath = kubeconfig });
        double serverStart = Stopwatch.GetElapsedTime(start).TotalSeconds;
        using KubeClient client = new(KubeConfig.Load(new KubeConfigSource { Path = kubeconfig }));
        Manifests manifests = new(client);
        await manifests.InstallKindsAsync(default);
        await manifests.ApplyAsync(Stack(), default);
        await manifests.ApplyAsync(Agent(99_999), default);

        start = Stopwatch.GetTimestamp();
        string program = Path.Combine(AppContext.BaseDirectory, "OptiInfra.Operator.dll");
        await using ChildProcess child = ChildProcess.Start("operator", "dotnet", [program, "operator", "--kubeconfig", kubeconfig, "--leader-election", "false", "--listen", ""], Path.Combine(folder, "operator.log"));
        await UntilAsync(client, keys => keys.Contains("agent-99999"));
        double operatorStart = Stopwatch.GetElapsedTime(start).TotalSeconds;

        start = Stopwatch.GetTimestamp();
        await Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, stop) => await client.CreateAsync(OptiResources.Agents.Kind, Agent(i), stop));
        double creating = Stopwatch.GetElapsedTime(start).TotalSeconds;
        start = Stopwatch.GetTimestamp();
        await UntilAsync(client, keys => keys.Count >= count + 1);
        double converging = Stopwatch.GetElapsedTime(start).TotalSeconds;
        await QuietAsync(child.Id);

        double before = CpuSeconds(child.Id);
        List<double> latencies = [];
        for (int i = 0; i < Changes; i++)
        {
            latencies.Add(await OneMoreAsync(client, 90_000 + i));
        }

        await QuietAsync(child.Id);
        double cpu = (CpuSeconds(child.Id) - before) / Changes;
        double rss = RssMegabytes(child.Id);
        Directory.Delete(folder, recursive: true);
        return
        [
            new Figure($"{count} agents: apply to key in ConfigMap", latencies.Order().ElementAt(Changes / 2), "s", budget.Latency, peer.Latency, "prometheus-operator"),
            new Figure("   CPU of the operator per change", cpu, "s", budget.Cpu, peer.Cpu, "prometheus-operator"),
            new Figure("   RSS of the operator", rss, "MB", budget.Rss, peer.Rss, "prometheus-operator"),
            new Figure("   all keys written after the last create", converging, "s", budget.Convergence, double.IsNaN(peer.Convergence) ? null : peer.Convergence, "prometheus-operator"),
            new Figure("   operator start to its first key", operatorStart, "s"),
            new Figure("   embedded API server start", serverStart, "s", 0.3),
            new Figure("   time of one create, 8 at a time", creating / count * 1000, "ms"),
        ];
    }

    private static async Task<double> OneMoreAsync(KubeClient client, int number)
    {
        long start = Stopwatch.GetTimestamp();
        await client.CreateAsync(OptiResources.Agents.Kind, Agent(number), default);
        string name = Name(number);
        await UntilAsync(client, keys => keys.Contains(name), pause: 5);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>The names of all agents that have a key, read as cheaply as possible: the server shares our two cores.</summary>
    private static async Task UntilAsync(KubeClient client, Predicate<HashSet<string>> enough, int pause = 100)
    {
        ListOptions ours = new() { LabelSelector = $"{Contract.ArtifactLabel}={Artifacts.Scrape}" };
        Dictionary<string, (string Version, string[] Names)> known = [];
        while (true)
        {
            KubeList<PartialObject> heads = await client.ListAsync(PartialObject.Type(KubeTypes.ConfigMaps.Kind), "optiinfra-system", ours, default);
            foreach (ObjectMeta head in heads.Items.Select(item => item.Metadata).Where(head => known.GetValueOrDefault(head.Name!).Version != head.ResourceVersion))
            {
                ConfigMap map = await client.GetAsync(KubeTypes.ConfigMaps, new ObjectKey("optiinfra-system", head.Name!), default);
                known[head.Name!] = (map.Metadata.ResourceVersion!, [.. (map.Data ?? new Dictionary<string, string>()).Keys.Where(key => key.StartsWith(Namespace + ".", StringComparison.Ordinal)).Select(key => key[(Namespace.Length + 1)..^4])]);
            }

            if (enough([.. known.Values.SelectMany(pair => pair.Names)]))
            {
                return;
            }

            await Task.Delay(pause);
        }
    }

    /// <summary>Waits until the process has spent next to nothing for a second.</summary>
    private static async Task QuietAsync(int pid)
    {
        double last = CpuSeconds(pid);
        for (int i = 0; i < 60; i++)
        {
            await Task.Delay(1000);
            double now = CpuSeconds(pid);
            if (now - last < 0.03)
            {
                return;
            }

            last = now;
        }
    }

    private static double CpuSeconds(int pid)
    {
        string[] fields = File.ReadAllText($"/proc/{pid}/stat").Split(')')[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return (double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture)) / 100;
    }

    private static double RssMegabytes(int pid) =>
        double.Parse(File.ReadLines($"/proc/{pid}/status").First(line => line.StartsWith("VmRSS", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;

    private static string Name(int number) => $"agent-{number:00000}";

    private static JsonObject Agent(int number) => new()
    {
        ["apiVersion"] = OptiResources.Agents.Kind.ApiVersion,
        ["kind"] = "OptiAgent",
        ["metadata"] = new JsonObject { ["name"] = Name(number), ["namespace"] = Namespace },
        ["spec"] = new JsonObject { ["role"] = "custom", ["target"] = new JsonObject { ["service"] = new JsonObject { ["name"] = Name(number) }, ["port"] = "metrics" } },
    };

    private static JsonObject Stack() => new()
    {
        ["apiVersion"] = OptiResources.Stacks.Kind.ApiVersion,
        ["kind"] = "MonitoringStack",
        ["metadata"] = new JsonObject { ["name"] = "default", ["namespace"] = "optiinfra-system" },
        ["spec"] = new JsonObject { ["mode"] = "external", ["prometheus"] = new JsonObject { ["url"] = "http://127.0.0.1:1" } },
    };
}
