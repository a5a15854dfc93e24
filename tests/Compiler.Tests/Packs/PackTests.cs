using OptiInfra.Compiler.Compile;
using OptiInfra.Compiler.Model;
using OptiInfra.Compiler.Packs;
using OptiInfra.Crds;
using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;

namespace OptiInfra.Compiler.Tests.Packs;

public sealed class PackTests
{
    public static TheoryData<string> Names => [.. PackCatalog.Names];

    /// <summary>One agent of every dialect, with exporters and objectives.</summary>
    internal static IReadOnlyList<OptiAgent> Fleet { get; } =
    [
        .. Enum.GetValues<MetricDialect>().Select(dialect => new OptiAgent
        {
            Metadata = new() { Namespace = "shop", Name = $"a-{(int)dialect}", Labels = new Dictionary<string, string> { ["team"] = "x" } },
            Spec = new()
            {
                Dialect = dialect,
                MetricPrefix = dialect == MetricDialect.Module ? "prompt_manager" : null,
                Target = new() { Service = new() { Name = "x" } },
                Exporters = [new() { Name = "db", Type = ExporterType.Postgres, Connection = new() { SecretKeyRef = new() { Name = "s", Key = "k" } } }],
                Slo = dialect == MetricDialect.None ? null : new() { Availability = 99.9, Latency = new() { Threshold = "1s", Target = 99 } },
            },
        }),
    ];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_selector_of_a_pack_is_confined_to_the_agents_of_the_policy(string pack)
    {
        CompiledPolicy compiled = Compile(pack);

        Assert.Empty(compiled.Diagnostics);
        foreach (Rule rule in Groups(pack).Where(group => group.Name != "meta").SelectMany(group => group.Rules!))
        {
            Assert.All(PromQLParser.Parse(rule.Expr).Expr!.Walk().OfType<VectorSelector>(), selector =>
                Assert.Contains(selector.Matchers, matcher => matcher is { Name: "namespace", Op: MatchOp.Equal, Value: "shop" }));
        }
    }

    [ToolTheory(Judge.Promtool35, Judge.Promtool253)]
    [MemberData(nameof(Names))]
    public void Promtool_finds_nothing_in_a_pack_neither_as_a_file_nor_compiled(string pack)
    {
        using var folder = new TempFolder();
        folder.Write("compiled.yml", Compile(pack).Text);
        string[] files = ["compiled.yml"];
        string source = Path.Combine(Golden.Root, "src/Compiler/Packs", pack + ".yaml");
        if (pack != PackCatalog.Slo)
        {
            folder.Write("pack.yml", File.ReadAllText(source));
            files = ["compiled.yml", "pack.yml"];
        }

        Judge.Accepts(Judge.Promtool35, folder.Path, ["check", "rules", "--lint=all", "--lint-fatal", .. files]);
        Judge.Accepts(Judge.Promtool253, folder.Path, ["check", "rules", "--lint=all", "--lint-fatal", .. files]);
    }

    [ToolTheory(Judge.Promtool35)]
    [MemberData(nameof(Names))]
    public void Every_alert_fires_when_it_should_and_keeps_quiet_when_it_should_not(string pack)
    {
        string tests = File.ReadAllText(Path.Combine(Golden.Root, "tests/Compiler.Tests/Packs/Tests", pack + ".yaml"));
        foreach (string alert in pack == PackCatalog.Slo ? [SloRules.Alert] : PackCatalog.Find(pack)!.Alerts)
        {
            Assert.Contains($"alertname=\"{alert}\"", tests, StringComparison.Ordinal);
        }

        using var folder = new TempFolder();
        folder.Write("compiled.yml", Compile(pack).Text);
        folder.Write("tests.yml", tests);
        Judge.Accepts(Judge.Promtool35, folder.Path, "test", "rules", "tests.yml");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_alert_has_a_severity_texts_and_a_runbook(string pack)
    {
        foreach (Rule rule in Groups(pack).SelectMany(group => group.Rules!).Where(rule => rule.Alert is not null))
        {
            Assert.Contains(rule.Labels!["severity"], (string[])["critical", "warning", "info", "none"]);
            Assert.NotEmpty(rule.Annotations!["summary"]);
            Assert.NotEmpty(rule.Annotations["description"]);
            Assert.Equal($"https://optiinfra.io/runbooks/{rule.Alert}", rule.Annotations["runbook_url"]);
            Assert.True(File.Exists(Path.Combine(Golden.Root, "docs/runbooks", rule.Alert + ".md")), rule.Alert);
        }
    }

    [Fact]
    public void Every_runbook_belongs_to_an_alert()
    {
        HashSet<string> alerts = [.. PackCatalog.All.SelectMany(pack => pack.Alerts), SloRules.Alert];
        Assert.All(Directory.GetFiles(Path.Combine(Golden.Root, "docs/runbooks")), file => Assert.Contains(Path.GetFileNameWithoutExtension(file), (IEnumerable<string>)[.. alerts, "README"]));
    }

    [Fact]
    public void An_override_changes_threshold_severity_and_time_and_can_switch_off()
    {
        var use = new PackUse
        {
            Name = "service-health",
            Overrides = new Dictionary<string, PackOverride>
            {
                ["ServiceFlapping"] = new() { Threshold = 9, Severity = "critical", For = "1h", Labels = new Dictionary<string, string> { ["x"] = "y" } },
                ["ScrapeNearLimit"] = new() { Enabled = false },
            },
        };
        Rule[] rules = [.. Groups(use).SelectMany(group => group.Rules!)];

        Rule flapping = rules.Single(rule => rule.Alert == "ServiceFlapping");
        Assert.Equal("changes(up{agent!=\"\",namespace=\"shop\"}[15m]) > 9", flapping.Expr);
        Assert.Equal(("critical", "1h", "y"), (flapping.Labels!["severity"], flapping.For, flapping.Labels["x"]));
        Assert.DoesNotContain(rules, rule => rule.Alert == "ScrapeNearLimit");
    }

    [Theory]
    [InlineData("no-such-pack", null, "spec.packs[0].name")]
    [InlineData("cost", "NoSuchAlert", "spec.packs[0].overrides.NoSuchAlert")]
    public void What_does_not_exist_is_named(string pack, string? alert, string field)
    {
        var use = new PackUse { Name = pack, Overrides = alert is null ? null : new Dictionary<string, PackOverride> { [alert] = new() { Enabled = false } } };
        Diagnostic diagnostic = Assert.Single(PolicyCompiler.Compile(Policy(use), Fleet, StackModel.Default).Diagnostics);

        Assert.Equal(("policy/pack", field), (diagnostic.Id, diagnostic.Field));
        Assert.NotNull(diagnostic.Hint);
    }

    [Fact]
    public void A_policy_for_roles_does_not_change_when_an_agent_is_added()
    {
        AlertPolicy policy = Policy(new PackUse { Name = "service-health" }) with { };
        policy = policy with { Spec = policy.Spec with { Agents = new() { MatchRoles = [AgentRole.Custom] } } };

        Assert.Equal(PolicyCompiler.Compile(policy, Fleet.Take(1), StackModel.Default).Text, PolicyCompiler.Compile(policy, Fleet, StackModel.Default).Text);
    }

    [Fact]
    public void A_policy_that_selects_by_labels_of_the_resource_names_its_agents()
    {
        AlertPolicy policy = Policy(new PackUse { Name = "gpu" });
        policy = policy with { Spec = policy.Spec with { Agents = new() { MatchLabels = new Dictionary<string, string> { ["team"] = "x" } } } };

        Assert.Contains("gpu_utilization{agent=~\"a-0|a-1|a-2|a-3|a-4|a-5\",namespace=\"shop\"} > 0.95", PolicyCompiler.Compile(policy, Fleet, StackModel.Default).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_module_s_metrics_carry_its_own_prefix() =>
        Assert.Contains("rate(prompt_manager_errors_total{agent!=\"\",namespace=\"shop\"}[5m])", Compile("module").Text, StringComparison.Ordinal);

    internal static CompiledPolicy Compile(string pack) => PolicyCompiler.Compile(Policy(new PackUse { Name = pack }), Fleet, StackModel.Default);

    private static IReadOnlyList<RuleGroup> Groups(string pack) => Groups(new PackUse { Name = pack });

    private static IReadOnlyList<RuleGroup> Groups(PackUse use) =>
        PolicyCompiler.Groups(Policy(use), [.. AgentMatch.Select(Policy(use), Fleet)], StackModel.Default, new Report("test"));

    private static AlertPolicy Policy(PackUse use) => new() { Metadata = new() { Namespace = "shop", Name = "p" }, Spec = new() { Packs = [use] } };
}
