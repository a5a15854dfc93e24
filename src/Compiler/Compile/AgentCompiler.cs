using OptiInfra.Compiler.Emit;
using OptiInfra.Compiler.Exporters;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds;

namespace OptiInfra.Compiler.Compile;

// The compiler: resources in, texts and objects out. It has no task, clock, logger or I/O, so the same input gives the
// same bytes in the operator, on the command line and in tests. In flow order:
//
//   StackModel.From     a MonitoringStack with its defaults filled in; the other compilers take it
//   AgentCompiler       one OptiAgent -> its key in the scrape ConfigMap, its classes, its exporters' objects
//   PolicyCompiler      one AlertPolicy and the agents it watches -> its rule file
//   StackCompiler       the stack -> prometheus.yml, and classes.yml from the classes of all agents
//   AlertmanagerCompiler the routes of all policies -> alertmanager.yml
//   BucketPlan          which ConfigMap a key lives in
//   Emit/               texts -> ConfigMaps, prometheus-operator resources, files
//
// The cost of a change is the cost of the one resource that changed. A user's mistake is a Diagnostic in the result, and
// a result with an error must not replace the last good one.

/// <summary>Compiles one OptiAgent.</summary>
public static class AgentCompiler
{
    /// <param name="agent">The agent.</param>
    /// <param name="stack">The stack that serves it.</param>
    /// <param name="secretVersion">Something that changes when the Secret of that name in the agent's namespace does; null when nobody watches Secrets.</param>
    public static CompiledAgent Compile(OptiAgent agent, StackModel stack, Func<string, string?>? secretVersion = null)
    {
        ArgumentNullException.ThrowIfNull(agent);
        ArgumentNullException.ThrowIfNull(stack);
        string ns = agent.Metadata.Namespace ?? "default";
        string name = agent.Metadata.Name ?? "";
        string key = Naming.Key(ns, name);

        var report = new Report($"OptiAgent {ns}/{name}");
        AgentChecks.Run(agent, stack, report);
        if (report.HasErrors)
        {
            return new CompiledAgent { Key = key, Text = "", Hash = "", Diagnostics = report.Diagnostics };
        }

        IReadOnlyList<JobModel> jobs = AgentJobs.Of(agent, stack, report);
        var secrets = new SecretFiles(ns);
        List<ScrapeClass> classes = [];
        string text = jobs.Count == 0 || stack.Mode == StackMode.PrometheusOperator ? ""
            : stack.Discovery == DiscoveryMode.Native || stack.ForFiles ? NativeJobs.Write(jobs, stack, secrets)
            : ResolvedTargets.Write(jobs, stack, secrets, classes);
        IReadOnlyList<Manifest> manifests = stack.ForFiles ? []
            : stack.Mode == StackMode.PrometheusOperator ? [.. ExporterObjects.Of(agent, secretVersion), .. PrometheusOperatorObjects.Monitors(agent, jobs, stack)]
            : ExporterObjects.Of(agent, secretVersion);
        return new CompiledAgent
        {
            Key = key,
            Text = text,
            Hash = HashOf(text, classes, manifests),
            Classes = classes,
            Secrets = secrets.All,
            Manifests = manifests,
            Diagnostics = report.Diagnostics,
        };
    }

    /// <summary>The jobs of an agent, for emitters that write them in another form.</summary>
    internal static IReadOnlyList<JobModel> Jobs(OptiAgent agent, StackModel stack) =>
        AgentJobs.Of(agent, stack, new Report(""));

    private static string HashOf(string text, List<ScrapeClass> classes, IReadOnlyList<Manifest> manifests) =>
        classes.Count == 0 && manifests.Count == 0
            ? Naming.Hash(text)
            : Naming.Hash(string.Join('\n', [text, .. classes.Select(item => item.Id), .. manifests.Select(item => item.Hash)]));
}
