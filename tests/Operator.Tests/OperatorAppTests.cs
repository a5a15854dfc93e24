using System.Text.Json.Nodes;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;
using OptiInfra.Kubernetes.Runtime;

namespace OptiInfra.Operator;

public sealed class OperatorAppTests
{
    private const string Agent = "{apiVersion: optiinfra.io/v1alpha1, kind: OptiAgent, metadata: {name: cost, namespace: shop}, spec: {role: cost, target: {service: {name: cost}, port: metrics}}}";

    [Fact]
    public async Task An_agent_becomes_a_key_of_its_stack_and_its_status_says_so()
    {
        await using OperatorUnderTest world = await OperatorUnderTest.StartAsync();

        await world.ApplyAsync(Agent);

        string text = (await Eventually.Get(() => world.KeysAsync(Artifacts.Scrape), keys => keys.ContainsKey("shop.cost.yml")))["shop.cost.yml"];
        Assert.Contains("\"job\": \"shop/cost\"", text, StringComparison.Ordinal);
        OptiAgent agent = await Eventually.Get(() => world.AgentAsync("cost"), agent => Conditions.IsTrue(agent.Status?.Conditions, ConditionTypes.Rendered));
        Assert.True(Conditions.IsTrue(agent.Status!.Conditions, ConditionTypes.Accepted));
        Assert.Equal("optiinfra-system/default", agent.Status.Stack);
        Assert.Equal(agent.Metadata.Generation, agent.Status.ObservedGeneration);
        ConfigMap map = (await world.MapsAsync(Artifacts.Scrape)).Items.Single(map => map.Data?.ContainsKey("shop.cost.yml") == true);
        Assert.Equal("MonitoringStack", Assert.Single(map.Metadata.OwnerReferences!).Kind);
        Assert.Contains(Contract.HashAnnotation, map.Metadata.Annotations!.Keys);
    }

    [Fact]
    public async Task The_stack_gets_its_root_configuration_and_the_classes_of_its_agents()
    {
        await using OperatorUnderTest world = await OperatorUnderTest.StartAsync();
        await world.ApplyAsync(Agent);

        Dictionary<string, string> root = await Eventually.Get(() => world.KeysAsync(Artifacts.Config), keys => keys.ContainsKey("prometheus.yml"));
        Dictionary<string, string> scrape = await Eventually.Get(() => world.KeysAsync(Artifacts.Scrape), keys => keys.TryGetValue("classes.yml", out string? classes) && classes.Contains("job_name", StringComparison.Ordinal));

        Assert.Contains("scrape_config_files", root["prometheus.yml"], StringComparison.Ordinal);
        string id = JsonNode.Parse(scrape["shop.cost.yml"])!["jobs"]![0]!["class"]!.ToString();
        Assert.Contains($"job_name: optiinfra-{id}", scrape["classes.yml"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broken_edit_keeps_the_last_good_rules_and_the_status_names_the_place()
    {
        await using OperatorUnderTest world = await OperatorUnderTest.StartAsync();
        await world.ApplyAsync(Policy("up == 0"));
        await Eventually.Get(() => world.KeysAsync(Artifacts.Rules), keys => keys.ContainsKey("shop.basics.yml"));

        await world.ApplyAsync(Policy("sum(rate(up[5m])"));

        AlertPolicy broken = await Eventually.Get(() => world.PolicyAsync("basics"), policy => Conditions.Find(policy.Status?.Conditions, ConditionTypes.Accepted)?.Status == Condition.False);
        Assert.Matches(@"spec\.groups\[0\]\.rules\[0\]\.expr.*\b1:\d+|1:\d+.*spec\.groups\[0\]\.rules\[0\]\.expr", broken.Status!.LastError!);
        Assert.Equal(1, broken.Status.LastGoodGeneration);
        Assert.Equal("LastGoodKept", Conditions.Find(broken.Status.Conditions, ConditionTypes.Rendered)!.Reason);
        Assert.Contains("up == 0", (await world.KeysAsync(Artifacts.Rules))["shop.basics.yml"], StringComparison.Ordinal);

        await world.ApplyAsync(Policy("up == 1"));
        await Eventually.Get(() => world.PolicyAsync("basics"), policy => Conditions.IsTrue(policy.Status?.Conditions, ConditionTypes.Rendered) && policy.Status!.LastGoodGeneration == 3);
        await Eventually.Get(() => world.KeysAsync(Artifacts.Rules), keys => keys["shop.basics.yml"].Contains("up == 1", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_deleted_while_the_operator_is_away_is_gone_when_it_is_back()
    {
        await using OperatorUnderTest world = await OperatorUnderTest.StartAsync();
        await world.ApplyAsync(Agent);
        await world.ApplyAsync(Agent.Replace("cost", "perf", StringComparison.Ordinal).Replace("role: perf", "role: performance", StringComparison.Ordinal));
        await Eventually.Get(() => world.KeysAsync(Artifacts.Scrape), keys => keys.ContainsKey("shop.cost.yml") && keys.ContainsKey("shop.perf.yml"));

        await world.StopAsync();
        await world.DeleteAgentAsync("cost");
        world.Start();

        Dictionary<string, string> left = await Eventually.Get(() => world.KeysAsync(Artifacts.Scrape), keys => !keys.ContainsKey("shop.cost.yml"));
        Assert.Contains("shop.perf.yml", left.Keys);
        await world.DeleteAgentAsync("perf");
        await Eventually.Get(() => world.KeysAsync(Artifacts.Scrape), keys => !keys.ContainsKey("shop.perf.yml"));
    }

    [Fact]
    public async Task Somebody_elses_edit_of_our_key_is_put_back_and_his_own_key_is_left_alone()
    {
        await using OperatorUnderTest world = await OperatorUnderTest.StartAsync();
        await world.ApplyAsync(Agent);
        string before = (await Eventually.Get(() => world.KeysAsync(Artifacts.Scrape), keys => keys.ContainsKey("shop.cost.yml")))["shop.cost.yml"];
        ConfigMap map = (await world.MapsAsync(Artifacts.Scrape)).Items.Single(map => map.Data?.ContainsKey("shop.cost.yml") == true);

        JsonObject edit = new() { ["data"] = new JsonObject { ["shop.cost.yml"] = "nonsense", ["mine.txt"] = "mine" } };
        await world.Client.PatchAsync(KubeTypes.ConfigMaps.Kind, ObjectKey.Of(map), KubePatch.Merge(edit), default);

        await Eventually.Get(() => world.KeysAsync(Artifacts.Scrape), keys => keys["shop.cost.yml"] == before && keys["mine.txt"] == "mine");
        await world.Client.DeleteAsync(KubeTypes.ConfigMaps.Kind, ObjectKey.Of(map), null, default);
        await Eventually.Get(() => world.KeysAsync(Artifacts.Scrape), keys => keys.GetValueOrDefault("shop.cost.yml") == before);
    }

    [Fact]
    public async Task A_quiet_cluster_is_not_written_to()
    {
        await using OperatorUnderTest world = await OperatorUnderTest.StartAsync();
        await world.ApplyAsync(Agent);
        await world.ApplyAsync(Policy("up == 0"));
        await Eventually.Get(() => world.PolicyAsync("basics"), policy => Conditions.IsTrue(policy.Status?.Conditions, ConditionTypes.Rendered));
        await Eventually.Get(() => world.AgentAsync("cost"), agent => Conditions.IsTrue(agent.Status?.Conditions, ConditionTypes.Rendered));
        string settled = await Eventually.Settled(VersionsAsync);

        await world.StopAsync();
        world.Start();
        await Eventually.True(() => Task.FromResult(world.App.IsReady));
        await Task.Delay(1000);

        Assert.Equal(settled, await VersionsAsync());

        async Task<string> VersionsAsync()
        {
            KubeList<ConfigMap> maps = await world.Client.ListAsync(KubeTypes.ConfigMaps, "optiinfra-system", null, default);
            return string.Join(' ', maps.Items.Select(map => $"{map.Metadata.Name}@{map.Metadata.ResourceVersion}").Append((await world.AgentAsync("cost")).Metadata.ResourceVersion).Append((await world.PolicyAsync("basics")).Metadata.ResourceVersion));
        }
    }

    [Fact]
    public async Task Without_a_stack_that_accepts_its_namespace_an_agent_says_so_and_one_that_comes_takes_it()
    {
        await using OperatorUnderTest world = await OperatorUnderTest.StartAsync("{mode: external, namespaces: {matchNames: [elsewhere]}, prometheus: {url: \"http://127.0.0.1:1\"}}");
        await world.ApplyAsync(Agent);

        OptiAgent refused = await Eventually.Get(() => world.AgentAsync("cost"), agent => agent.Status is not null);
        Assert.Equal("NoStack", Conditions.Find(refused.Status!.Conditions, ConditionTypes.Accepted)!.Reason);

        await world.ApplyAsync("{apiVersion: optiinfra.io/v1alpha1, kind: MonitoringStack, metadata: {name: default, namespace: optiinfra-system}, spec: {mode: external, prometheus: {url: \"http://127.0.0.1:1\"}, namespaces: {matchNames: [shop]}}}");
        await Eventually.Get(() => world.AgentAsync("cost"), agent => Conditions.IsTrue(agent.Status?.Conditions, ConditionTypes.Rendered));
    }

    private static string Policy(string expression) =>
        $"{{apiVersion: optiinfra.io/v1alpha1, kind: AlertPolicy, metadata: {{name: basics, namespace: shop}}, spec: {{groups: [{{name: basics, rules: [{{alert: Down, expr: \"{expression}\", for: 1m, labels: {{severity: critical}}}}]}}]}}}}";
}
