using OptiInfra.Compiler.Compile;
using OptiInfra.Compiler.Emit;
using OptiInfra.Compiler.Input;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds;

namespace OptiInfra.Compiler.Tests;

/// <summary>
/// A case is a folder: in.yaml, and what it must compile to under want/. Resources without mistakes give files (as render
/// writes them; without dashboards) and, under cluster/, the keys of the ConfigMaps; with mistakes just errors.txt. The
/// samples that people copy are cases too. Every text is also judged by promtool and amtool.
/// </summary>
public sealed class GoldenTests
{
    private const string Folder = "tests/Compiler.Tests/Golden";

    public static TheoryData<string> Cases =>
    [
        .. Directory.GetDirectories(Path.Combine(Golden.Root, Folder)).Select(Path.GetFileName).OfType<string>().Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Compiles_to_exactly_what_is_wanted(string name)
    {
        Dictionary<string, string> actual = Compile(name);
        string want = Path.Combine(Golden.Root, Folder, name, "want");
        if (Environment.GetEnvironmentVariable("OPTIINFRA_GOLDEN") == "write" && Directory.Exists(want))
        {
            Directory.Delete(want, recursive: true);
        }

        foreach ((string path, string text) in actual)
        {
            Golden.Verify($"{Folder}/{name}/want/{path}", text);
        }

        Assert.Equal(actual.Keys.Order(StringComparer.Ordinal), Directory.GetFiles(want, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(want, file)).Order(StringComparer.Ordinal));
    }

    [ToolTheory(Judge.Promtool35, Judge.Promtool253, Judge.Amtool)]
    [MemberData(nameof(Cases))]
    public void Prometheus_and_Alertmanager_accept_it(string name)
    {
        Dictionary<string, string> files = Compile(name);
        if (files.ContainsKey("errors.txt"))
        {
            return;
        }

        using var folder = new TempFolder();
        foreach ((string path, string text) in files)
        {
            folder.Write(path, text);
        }

        foreach (string secret in files["docker-compose.yml"].Split('\n').Where(line => line.StartsWith("#   secrets/", StringComparison.Ordinal)))
        {
            folder.Write(secret[4..], TestCertificates.Pem);
            folder.Write("cluster/" + secret[4..], TestCertificates.Pem);
        }

        folder.Write("cluster/prometheus.yml", files["cluster/prometheus.yml"].Replace("/var/run/secrets/kubernetes.io/serviceaccount", "secrets", StringComparison.Ordinal));
        folder.Write("cluster/secrets/token", "x");
        folder.Write("cluster/secrets/ca.crt", TestCertificates.Pem);
        foreach (string judge in (string[])[Judge.Promtool35, Judge.Promtool253])
        {
            Judge.Accepts(judge, folder.Path, "check", "config", "prometheus.yml");
            Judge.Accepts(judge, folder.Path, "check", "config", "cluster/prometheus.yml");
        }

        Judge.Accepts(Judge.Amtool, folder.Path, "check-config", "alertmanager.yml");
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_order_of_the_resources_does_not_matter(string name)
    {
        string text = Input(name);
        string backwards = string.Join("\n---\n", text.Split("\n---\n").Reverse());
        ResourceSet resources = ResourceReader.Read([("in.yaml", text)]);
        if (resources.HasErrors)
        {
            return;
        }

        Assert.Equal(RenderedFiles.Render(resources).Files, RenderedFiles.Render(ResourceReader.Read([("in.yaml", backwards)])).Files);
    }

    private static Dictionary<string, string> Compile(string name)
    {
        ResourceSet resources = ResourceReader.Read([("in.yaml", Input(name))]);
        RenderedFiles rendered = RenderedFiles.Render(resources);
        if (rendered.HasErrors)
        {
            return new() { ["errors.txt"] = string.Concat(rendered.Diagnostics.Select(diagnostic => diagnostic + "\n")) };
        }

        var files = rendered.Files.Where(file => !file.Path.StartsWith("grafana/", StringComparison.Ordinal)).ToDictionary(file => file.Path, file => file.Text);
        if (rendered.Diagnostics.Count > 0)
        {
            files["warnings.txt"] = string.Concat(rendered.Diagnostics.Select(diagnostic => diagnostic + "\n"));
        }

        Cluster(name, resources, files);
        return files;
    }

    private static void Cluster(string name, ResourceSet resources, Dictionary<string, string> files)
    {
        StackModel stack = resources.Stacks.Count == 0 ? StackModel.Default : StackModel.From(resources.Stacks[0].Resource);
        List<ScrapeClass> classes = [];
        CompiledStack root = StackCompiler.Compile(stack, name == "managed" ? "optiinfra/operator:0" : null);
        files["cluster/prometheus.yml"] = root.Text;
        List<Manifest> manifests = [.. root.Manifests];
        foreach (OptiAgent agent in resources.Agents.Select(agent => agent.Resource))
        {
            CompiledAgent compiled = AgentCompiler.Compile(agent, stack);
            classes.AddRange(compiled.Classes);
            manifests.AddRange(compiled.Manifests);
            if (compiled.Text.Length > 0)
            {
                files[$"cluster/{(stack.Discovery == DiscoveryMode.Native ? "scrape" : "targets")}/{compiled.Key}"] = compiled.Text;
            }
        }

        OptiAgent[] all = [.. resources.Agents.Select(agent => agent.Resource)];
        manifests.AddRange(resources.Policies.SelectMany(policy => PolicyCompiler.Compile(policy.Resource, all, stack).Manifests));
        foreach (Manifest manifest in manifests)
        {
            files[$"cluster/objects/{manifest.Namespace ?? "cluster"}/{manifest.Kind.Plural}/{manifest.Name}.yaml"] = Crds.Schema.YamlWriter.Write(manifest.Json);
        }

        if (stack.Discovery == DiscoveryMode.Resolved)
        {
            files["cluster/scrape/classes.yml"] = StackCompiler.Classes(classes);
        }
    }

    private static string Input(string name)
    {
        string folder = Path.Combine(Golden.Root, Folder, name);
        string own = Path.Combine(folder, "in.yaml");
        return File.ReadAllText(File.Exists(own) ? own : Path.Combine(Golden.Root, "config/samples", name + ".yaml"));
    }
}
