using OptiInfra.Compiler.Alerting;
using OptiInfra.Compiler.Compile;
using OptiInfra.Compiler.Dashboards;
using OptiInfra.Compiler.Input;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds;
using OptiInfra.PromQL.Text;

namespace OptiInfra.Compiler.Emit;

/// <summary>A file to write, its path relative to the output folder and with forward slashes.</summary>
public sealed record RenderedFile(string Path, string Text);

/// <summary>
/// The same resources for people without a cluster: everything that Prometheus, Alertmanager, Grafana and docker-compose
/// need, as files. Services are host names, Secrets are files or variables, and nothing is discovered.
/// </summary>
public sealed record RenderedFiles(IReadOnlyList<RenderedFile> Files, IReadOnlyList<Diagnostic> Diagnostics)
{
    public bool HasErrors => Diagnostics.Any(diagnostic => diagnostic.IsError);

    public static RenderedFiles Render(ResourceSet resources)
    {
        ArgumentNullException.ThrowIfNull(resources);
        var output = new Output();
        output.Diagnostics.AddRange(resources.Diagnostics);
        StackModel[] stacks = [.. resources.Stacks.Select(stack => StackModel.From(stack.Resource))];
        if (stacks.Length == 0)
        {
            stacks = [StackModel.Default];
        }

        for (int i = 0; i < stacks.Length; i++)
        {
            StackModel stack = stacks[i] with { ForFiles = true, PortNumber = resources.Companions.Port, Discovery = DiscoveryMode.Native, Mode = StackMode.Managed };
            output.Folder = stacks.Length == 1 ? "" : $"{stack.Name}/";
            Stack(resources, stack, resources.Stacks.Count == 0 ? null : resources.Stacks[i], output);
        }

        if (resources.Agents.Count + resources.Policies.Count + resources.Stacks.Count == 0 && !resources.HasErrors)
        {
            output.Diagnostics.Add(new Diagnostic("render/empty", Severity.Error, "there is no OptiAgent, AlertPolicy or MonitoringStack") { Hint = "see config/samples" });
        }

        return new RenderedFiles([.. output.Files.OrderBy(file => file.Path, StringComparer.Ordinal)], output.Diagnostics);
    }

    private static void Stack(ResourceSet resources, StackModel stack, Located<MonitoringStack>? located, Output output)
    {
        Located<OptiAgent>[] agents = [.. resources.Agents.Where(agent => Serves(agent.Resource.Spec.Stack, agent.Resource.Metadata.Namespace))];
        Located<AlertPolicy>[] policies = [.. resources.Policies.Where(policy => Serves(policy.Resource.Spec.Stack, policy.Resource.Metadata.Namespace))];

        CompiledStack root = StackCompiler.Compile(stack);
        output.Report(root.Diagnostics, located?.Place);
        output.Add(Contract.ConfigFile, root.Text);
        output.Secrets.UnionWith(root.Secrets.Select(secret => secret.File));
        foreach (Located<OptiAgent> agent in agents)
        {
            CompiledAgent compiled = AgentCompiler.Compile(agent.Resource, stack);
            output.Report(compiled.Diagnostics, agent.Place);
            output.Add($"{Contract.ScrapeDirectory}/{compiled.Key}", compiled.Text);
            output.Secrets.UnionWith(compiled.Secrets.Select(secret => secret.File));
        }

        OptiAgent[] all = [.. agents.Select(agent => agent.Resource)];
        foreach ((string path, string text) in Queries(all, resources.Companions))
        {
            output.Add(path, text);
        }

        foreach (Located<AlertPolicy> policy in policies)
        {
            CompiledPolicy compiled = PolicyCompiler.Compile(policy.Resource, all, stack);
            output.Report(compiled.Diagnostics, policy.Place);
            output.Add($"{Contract.RulesDirectory}/{compiled.Key}", compiled.Text);
        }

        Alerts(stack, policies, output);
        Grafana(all, output);
        output.Add("docker-compose.yml", Compose.Write(stack, all, output.Secrets));
        output.Add(".env.example", Compose.Variables(all));

        bool Serves(StackReference? wanted, string? ns) => resources.Stacks.Count == 0
            || StackSelection.For(wanted, ns ?? "default", null, resources.Stacks.Select(item => item.Resource)) is { } chosen && chosen.Metadata.Name == stack.Name && (chosen.Metadata.Namespace ?? "default") == stack.Namespace;
    }

    /// <summary>The exporters' own query files, where their ConfigMaps were given.</summary>
    private static IEnumerable<(string Path, string Text)> Queries(IReadOnlyList<OptiAgent> agents, Companions companions) =>
        from agent in agents
        from exporter in agent.Spec.Exporters ?? []
        let queries = exporter.Queries?.ConfigMapKeyRef
        where queries is not null
        let text = companions.File(agent.Metadata.Namespace ?? "default", queries.Name, queries.Key)
        where text is not null
        group text by Compose.QueriesFile(queries) into files
        select (files.Key, files.First());

    private static void Alerts(StackModel stack, IReadOnlyList<Located<AlertPolicy>> policies, Output output)
    {
        if (stack.Spec.Alertmanager is { Enabled: false } or { Urls.Count: > 0 })
        {
            return;
        }

        CompiledAlerting alerting = AlertmanagerCompiler.Compile(stack, [.. policies.Select(policy => policy.Resource)]);
        output.Report(alerting.Diagnostics, null, policies);
        output.Add(Contract.AlertmanagerFile, alerting.Text);
        output.Secrets.UnionWith(alerting.Secrets.Select(secret => secret.File));
    }

    private static void Grafana(IReadOnlyList<OptiAgent> agents, Output output)
    {
        output.Add("grafana/provisioning/datasources/prometheus.yml", GrafanaProvisioning.Datasource("http://prometheus:9090"));
        output.Add("grafana/provisioning/dashboards/optiinfra.yml", GrafanaProvisioning.Dashboards("/var/lib/grafana/dashboards"));
        foreach (Dashboard dashboard in DashboardLibrary.For(agents))
        {
            output.Add($"grafana/dashboards/{dashboard.Uid}.json", GrafanaProvisioning.Json(dashboard));
        }
    }

    private sealed class Output
    {
        public List<RenderedFile> Files { get; } = [];

        public List<Diagnostic> Diagnostics { get; } = [];

        public SortedSet<string> Secrets { get; } = new(StringComparer.Ordinal);

        public string Folder { get; set; } = "";

        public void Add(string path, string text)
        {
            if (text.Length > 0)
            {
                Files.Add(new RenderedFile(Folder + path, text));
            }
        }

        public void Report(IEnumerable<Diagnostic> diagnostics, FieldPlace? place) =>
            Diagnostics.AddRange(diagnostics.Select(diagnostic => place?.Locate(diagnostic) ?? diagnostic));

        /// <summary>Diagnostics of several policies: each names its own as source.</summary>
        public void Report(IEnumerable<Diagnostic> diagnostics, FieldPlace? fallback, IReadOnlyList<Located<AlertPolicy>> policies) =>
            Diagnostics.AddRange(diagnostics.Select(diagnostic =>
                (policies.FirstOrDefault(policy => diagnostic.Source == $"AlertPolicy {policy.Resource.Metadata.Namespace ?? "default"}/{policy.Resource.Metadata.Name}")?.Place ?? fallback)?.Locate(diagnostic) ?? diagnostic));
    }
}
