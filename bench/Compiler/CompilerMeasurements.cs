using System.Diagnostics;
using System.Text;
using OptiInfra.Compiler.Compile;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds;

namespace OptiInfra.Bench.Compiler;

/// <summary>What it costs to compile a fleet, and one changed agent of it.</summary>
internal static class CompilerMeasurements
{
    private const int Agents = 10_000;
    private const int Policies = 1_000;

    public static IReadOnlyList<Measurement> All { get; } =
    [
        Measurement.Of("compiler cold", Cold),
        Measurement.Of("compiler change", Change),
    ];

    private static IReadOnlyList<Figure> Cold()
    {
        OptiAgent[] agents = [.. Enumerable.Range(0, Agents).Select(Agent)];
        AlertPolicy[] policies = [.. Enumerable.Range(0, Policies).Select(Policy)];
        Dictionary<string, OptiAgent[]> byNamespace = agents.GroupBy(agent => agent.Metadata.Namespace!).ToDictionary(group => group.Key, group => group.ToArray());

        // Cold: the first time in this process, everything compiled and put into its bucket.
        long start = Stopwatch.GetTimestamp();
        var plan = new BucketPlan();
        var classes = new Dictionary<string, ScrapeClass>();
        List<string> texts = [];
        long bytes = 0;
        foreach (OptiAgent agent in agents)
        {
            CompiledAgent compiled = AgentCompiler.Compile(agent, StackModel.Default);
            plan.Put(compiled.Key, compiled.Text);
            texts.Add(compiled.Text);
            bytes += Encoding.UTF8.GetByteCount(compiled.Text);
            foreach (ScrapeClass item in compiled.Classes)
            {
                classes.TryAdd(item.Id, item);
            }
        }

        var rules = new BucketPlan();
        foreach (AlertPolicy policy in policies)
        {
            CompiledPolicy compiled = PolicyCompiler.Compile(policy, byNamespace[policy.Metadata.Namespace!], StackModel.Default);
            rules.Put(compiled.Key, compiled.Text);
            texts.Add(compiled.Text);
        }

        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        using var self = Process.GetCurrentProcess();
        double megabytes = self.WorkingSet64 / 1048576.0;
        GC.KeepAlive(texts);
        return
        [
            new Figure($"{Agents} agents + {Policies} policies compiled from cold", seconds, "s", 2),
            new Figure("... memory of the process meanwhile", megabytes, "MB", 400),
            new Figure("... bytes of output for each agent (resolved)", (double)bytes / Agents, "B"),
            new Figure("... buckets of agents", plan.Buckets.Count(), "ConfigMaps"),
            new Figure("... classes", classes.Count, "jobs"),
        ];
    }

    private static IReadOnlyList<Figure> Change()
    {
        OptiAgent[] versions = [Agent(1), Agent(1) with { Spec = Agent(1).Spec with { Version = "2" } }];
        StackModel native = StackModel.Default with { Discovery = DiscoveryMode.Native };
        AlertPolicy policy = Policy(1);
        OptiAgent[] watched = [.. Enumerable.Range(0, 10).Select(Agent)];
        return
        [
            new Figure("one changed agent, resolved", Timing.Nanoseconds(count => Repeat(count, i => AgentCompiler.Compile(versions[i & 1], StackModel.Default))) / 1000, "us", 200),
            new Figure("one changed agent, native", Timing.Nanoseconds(count => Repeat(count, i => AgentCompiler.Compile(versions[i & 1], native))) / 1000, "us", 200),
            new Figure("one changed policy with four packs", Timing.Milliseconds(() => PolicyCompiler.Compile(policy, watched, StackModel.Default)) * 1000, "us"),
            new Figure("bytes of output for an agent, native", Encoding.UTF8.GetByteCount(AgentCompiler.Compile(versions[0], native).Text), "B"),
        ];
    }

    private static void Repeat(int count, Func<int, object> compile)
    {
        for (int i = 0; i < count; i++)
        {
            compile(i);
        }
    }

    private static OptiAgent Agent(int i) => new()
    {
        Metadata = new() { Namespace = $"team-{i % 200}", Name = $"agent-{i}", Labels = new Dictionary<string, string> { ["team"] = $"t{i % 20}" } },
        Spec = new()
        {
            Role = (AgentRole)(i % 6),
            Target = new() { Service = new() { Name = $"agent-{i}" }, Port = "metrics" },
            Scrape = new() { Interval = "15s", Limits = new() { Samples = 10_000 * (1 + (i % 3)) } },
            Labels = new Dictionary<string, string> { ["team"] = $"t{i % 20}", ["tier"] = "gold" },
        },
    };

    private static AlertPolicy Policy(int i) => new()
    {
        Metadata = new() { Namespace = $"team-{i % 200}", Name = $"policy-{i}" },
        Spec = new()
        {
            Packs = [new() { Name = "service-health" }, new() { Name = "latency" }, new() { Name = "errors" }, new() { Name = "llm" }],
            Groups = [new() { Name = "own", Rules = [new() { Alert = "Own", Expr = $"sum by (agent) (rate(requests_total{{tier=\"gold\"}}[5m])) > {i}" }] }],
        },
    };
}
