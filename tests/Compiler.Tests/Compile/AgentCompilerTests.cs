using System.Text.Json;
using OptiInfra.Compiler.Compile;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds;
using OptiInfra.PromQL.Text;

namespace OptiInfra.Compiler.Tests.Compile;

public sealed class AgentCompilerTests
{
    private static readonly StackModel Native = StackModel.Default with { Discovery = DiscoveryMode.Native };

    private static OptiAgent Agent(OptiAgentSpec spec) => new() { Metadata = new() { Namespace = "shop", Name = "cost" }, Spec = spec };

    private static AgentTarget Service(IntOrString? port = null) => new() { Service = new ServiceTarget { Name = "cost" }, Port = port ?? 8001 };

    [Fact]
    public void A_resolved_agent_is_a_target_specification_and_a_class()
    {
        CompiledAgent compiled = AgentCompiler.Compile(Agent(new() { Role = AgentRole.Cost, Target = Service("metrics"), Labels = new Dictionary<string, string> { ["team"] = "finops" } }), StackModel.Default);

        Assert.Empty(compiled.Diagnostics);
        Assert.Equal("shop.cost.yml", compiled.Key);
        TargetSpec spec = Assert.Single(JsonSerializer.Deserialize(compiled.Text, TargetJson.Default.TargetFile)!.Jobs);
        Assert.Equal("shop/cost", spec.Job);
        Assert.Equal(TargetSourceKind.Service, spec.Source.Kind);
        Assert.Equal("metrics", spec.PortName);
        Assert.Null(spec.PortNumber);
        Assert.Equal(Assert.Single(compiled.Classes).Id, spec.Class);
        Assert.Equal("cost", spec.Labels["agent"]);
        Assert.Equal("cost", spec.Labels["role"]);
        Assert.Equal("shop", spec.Labels["namespace"]);
        Assert.Equal("finops", spec.Labels["team"]);
        Assert.Equal("15s", spec.Labels["__scrape_interval__"]);
    }

    [Fact]
    public void Agents_with_the_same_settings_share_a_class_whatever_their_interval_path_and_labels()
    {
        CompiledAgent one = AgentCompiler.Compile(Agent(new() { Target = Service() }), StackModel.Default);
        CompiledAgent two = AgentCompiler.Compile(Agent(new() { Target = Service(9000), Scrape = new() { Interval = "5s", Path = "/m" }, Labels = new Dictionary<string, string> { ["a"] = "b" } }), StackModel.Default);
        CompiledAgent other = AgentCompiler.Compile(Agent(new() { Target = Service(), Scrape = new() { Limits = new() { Samples = 5 } } }), StackModel.Default);

        Assert.Equal(one.Classes[0].Id, two.Classes[0].Id);
        Assert.NotEqual(one.Classes[0].Id, other.Classes[0].Id);
    }

    [Fact]
    public void A_secret_enters_as_a_file_name_only()
    {
        CompiledAgent compiled = AgentCompiler.Compile(Agent(new() { Target = Service(), Scrape = new() { Auth = new() { Bearer = new() { Name = "tok", Key = "token" } } } }), Native);

        Assert.Contains("credentials_file: ../secrets/shop.tok.token", compiled.Text, StringComparison.Ordinal);
        Assert.Equal(new SecretFile("shop", "tok", "token", "shop.tok.token"), Assert.Single(compiled.Secrets));
    }

    [Fact]
    public void The_same_agent_gives_the_same_bytes_whatever_the_order_of_its_labels()
    {
        CompiledAgent one = AgentCompiler.Compile(Agent(new() { Target = Service(), Labels = new Dictionary<string, string> { ["a"] = "1", ["b"] = "2" } }), Native);
        CompiledAgent two = AgentCompiler.Compile(Agent(new() { Target = Service(), Labels = new Dictionary<string, string> { ["b"] = "2", ["a"] = "1" } }), Native);

        Assert.Equal(one.Text, two.Text);
        Assert.Equal(one.Hash, two.Hash);
    }

    public static TheoryData<OptiAgentSpec, string, string> Mistakes => new()
    {
        { new(), "agent/target", "spec" },
        { new() { Target = new() }, "agent/target", "spec.target" },
        { new() { Target = new() { Service = new() { Name = "a" }, Static = new() { Addresses = ["x:1"] } } }, "agent/target", "spec.target" },
        { new() { Target = Service(70000) }, "agent/port", "spec.target.port" },
        { new() { Target = new() { Static = new() { Addresses = ["host"] } } }, "agent/port", "spec.target.static.addresses[0]" },
        { new() { Target = Service(), Scrape = new() { Interval = "soon" } }, "resource/duration", "spec.scrape.interval" },
        { new() { Target = Service(), Scrape = new() { Interval = "5s", Timeout = "10s" } }, "agent/timeout", "spec.scrape.timeout" },
        { new() { Target = Service(), Labels = new Dictionary<string, string> { ["job"] = "x" } }, "agent/label", "spec.labels.job" },
        { new() { Target = Service(), Scrape = new() { Relabelings = [new() { Action = RelabelAction.HashMod, TargetLabel = "x", SourceLabels = ["a"] }] } }, "resource/relabeling", "spec.scrape.relabelings[0]" },
        { new() { Exporters = [new() { Name = "db", Type = ExporterType.Postgres }] }, "agent/exporter", "spec.exporters[0].connection" },
        { new() { Target = Service(), Slo = new() { Availability = 100 } }, "agent/slo", "spec.slo.availability" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void A_mistake_is_named_with_its_field_and_gives_no_text(OptiAgentSpec spec, string id, string field)
    {
        CompiledAgent compiled = AgentCompiler.Compile(Agent(spec), StackModel.Default);

        Diagnostic diagnostic = Assert.Single(compiled.Diagnostics);
        Assert.Equal((id, field, "OptiAgent shop/cost"), (diagnostic.Id, diagnostic.Field, diagnostic.Source));
        Assert.False(compiled.IsGood);
        Assert.Empty(compiled.Text);
    }

    [Fact]
    public void An_agent_cannot_exceed_what_the_stack_allows()
    {
        StackModel stack = StackModel.From(new MonitoringStack
        {
            Metadata = new() { Name = "default" },
            Spec = new() { Maximum = new() { MinInterval = "10s", Limits = new() { Samples = 1000, BodySize = "1MB" } } },
        });
        CompiledAgent compiled = AgentCompiler.Compile(Agent(new() { Target = Service(), Scrape = new() { Interval = "5s", Timeout = "1s", Limits = new() { Samples = 0, BodySize = "2MiB" } } }), stack);

        Assert.Equal(["spec.scrape.interval", "spec.scrape.limits.samples", "spec.scrape.limits.bodySize"], compiled.Diagnostics.Select(item => item.Field));
    }

    [ToolTheory(Judge.Promtool35, Judge.Promtool253)]
    [InlineData("2.53", DiscoveryMode.Native)]
    [InlineData("3.5", DiscoveryMode.Native)]
    [InlineData("2.53", DiscoveryMode.Resolved)]
    [InlineData("3.5", DiscoveryMode.Resolved)]
    public void Prometheus_accepts_everything_an_agent_and_a_stack_can_say(string version, DiscoveryMode discovery)
    {
        StackModel stack = StackModel.From(Full.Stack(version, discovery));
        using var folder = new TempFolder();
        CompiledStack root = StackCompiler.Compile(stack);
        Assert.DoesNotContain(root.Diagnostics, item => item.IsError);

        // promtool opens the files it is told of; those of a Pod are not here.
        folder.Write("prometheus.yml", root.Text.Replace("/var/run/secrets/kubernetes.io/serviceaccount", "secrets", StringComparison.Ordinal));
        folder.Write("secrets/token", "x");
        folder.Write("secrets/ca.crt", TestCertificates.Pem);
        List<ScrapeClass> classes = [];
        foreach (OptiAgent agent in Full.Agents)
        {
            CompiledAgent compiled = AgentCompiler.Compile(agent, stack);
            Assert.Empty(compiled.Diagnostics);
            classes.AddRange(compiled.Classes);
            if (discovery == DiscoveryMode.Native)
            {
                folder.Write($"scrape/{compiled.Key}", compiled.Text);
            }

            foreach (SecretFile secret in compiled.Secrets.Concat(root.Secrets))
            {
                folder.Write($"secrets/{secret.File}", TestCertificates.Pem);
            }
        }

        if (discovery == DiscoveryMode.Resolved)
        {
            folder.Write("scrape/classes.yml", StackCompiler.Classes(classes));
        }

        Judge.Accepts(version == "3.5" ? Judge.Promtool35 : Judge.Promtool253, folder.Path, "check", "config", "prometheus.yml");
    }
}
