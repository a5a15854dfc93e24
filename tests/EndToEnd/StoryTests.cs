using OptiInfra.Operator;
using OptiInfra.Operator.Prometheus;

namespace OptiInfra.EndToEnd;

/// <summary>The product's main job, from kubectl to a firing alert and back, with nothing but real parts.</summary>
public sealed class StoryTests
{
    [Fact]
    public async Task From_apply_to_firing_to_broken_to_fixed_to_gone()
    {
        await using MonitoringUnderTest? world = await MonitoringUnderTest.StartAsync();
        if (world is null)
        {
            return;
        }

        Uri agent = await world.StartAgentAsync("cost");
        await world.ApplyAsync(Agent(agent));
        await world.ApplyAsync(Policy("sum by (agent) (rate(requests_total{status=\\\"500\\\"}[10s])) > 0"));

        // Up, as a person sees it.
        await world.KubectlAsync("wait", "--for=condition=Ready", "optiagent/cost", "alertpolicy/failures", "--timeout=60s");
        Assert.Contains("1/1", await world.KubectlAsync("get", "oa", "cost"), StringComparison.Ordinal);
        Assert.Contains("1 LOADED, 0 FIRING", await world.KubectlAsync("get", "ap", "failures"), StringComparison.Ordinal);

        // It misbehaves: the status says so.
        await world.Http.PostAsync(new Uri(agent, "/misbehave?errors=1"), null);
        await Eventually.True(async () =>
        {
            await world.Http.PostAsync(new Uri(agent, "/optimize"), null);
            return await world.FieldAsync("alertpolicy/failures", "{.status.rules.firing}") == "1";
        });

        // A broken edit: the old rule stays, the status names the place.
        await world.ApplyAsync(Policy("sum by (agent) (rate(requests_total[10s])"));
        await world.KubectlAsync("wait", "--for=condition=Accepted=False", "alertpolicy/failures", "--timeout=60s");
        Assert.Matches(@"\b1:\d+", await world.FieldAsync("alertpolicy/failures", "{.status.lastError}"));
        Assert.Contains("spec.groups[0].rules[0].expr", await world.FieldAsync("alertpolicy/failures", "{.status.lastError}"), StringComparison.Ordinal);
        Assert.Equal("1", await world.FieldAsync("alertpolicy/failures", "{.status.rules.loaded}"));
        LoadedRule rule = Assert.Single(Assert.Single((await world.Prometheus.RulesAsync(default)).Groups).Rules);
        Assert.Equal("AgentFails", rule.Name);

        // Fixed.
        await world.Http.PostAsync(new Uri(agent, "/misbehave"), null);
        await world.ApplyAsync(Policy("sum by (agent) (rate(requests_total{status=\\\"500\\\"}[5s])) > 0"));
        await world.KubectlAsync("wait", "--for=condition=Ready", "alertpolicy/failures", "--timeout=60s");
        await Eventually.True(async () => await world.FieldAsync("alertpolicy/failures", "{.status.rules.firing}") == "0");

        // Gone.
        await world.KubectlAsync("delete", "optiagent/cost", "alertpolicy/failures");
        await Eventually.True(async () => (await world.Prometheus.RulesAsync(default)).Groups.Count == 0);
        await Eventually.True(async () => (await world.Prometheus.TargetsAsync(default)).ActiveTargets.All(target => target.Label("agent").Length == 0));
    }

    [Fact]
    public async Task Monitoring_goes_on_while_operator_and_sync_are_away_and_what_changed_meanwhile_arrives_after()
    {
        await using MonitoringUnderTest? world = await MonitoringUnderTest.StartAsync();
        if (world is null)
        {
            return;
        }

        Uri agent = await world.StartAgentAsync("cost");
        await world.ApplyAsync(Agent(agent));
        await world.ApplyAsync(Policy("up == 2"));
        await world.KubectlAsync("wait", "--for=condition=Ready", "optiagent/cost", "alertpolicy/failures", "--timeout=60s");

        await world.Monitoring.PauseAsync();
        await world.KubectlAsync("delete", "alertpolicy/failures");
        await world.ApplyAsync(Agent(agent).Replace("name: cost", "name: second", StringComparison.Ordinal));
        ScrapeTarget target = Assert.Single((await world.Prometheus.TargetsAsync(default)).ActiveTargets, target => target.Label("agent") == "cost");
        Assert.Equal(ScrapeTarget.Up, target.Health);
        Assert.Single((await world.Prometheus.RulesAsync(default)).Groups);

        world.Monitoring.Resume();
        await world.KubectlAsync("wait", "--for=condition=Ready", "optiagent/second", "--timeout=60s");
        await Eventually.True(async () => (await world.Prometheus.RulesAsync(default)).Groups.Count == 0);
        Assert.Contains("1/1", await world.KubectlAsync("get", "oa", "cost"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_broken_policy_stops_nobody_else()
    {
        await using MonitoringUnderTest? world = await MonitoringUnderTest.StartAsync();
        if (world is null)
        {
            return;
        }

        await world.ApplyAsync(Policy("sum("));
        await world.ApplyAsync(Policy("up == 2").Replace("failures", "good", StringComparison.Ordinal));

        await world.KubectlAsync("wait", "--for=condition=Ready", "alertpolicy/good", "--timeout=60s");
        await world.KubectlAsync("wait", "--for=condition=Accepted=False", "alertpolicy/failures", "--timeout=60s");
        string events = string.Empty;
        await Eventually.True(async () => (events = await world.KubectlAsync("get", "events")).Contains("Invalid", StringComparison.Ordinal));
        Assert.Contains("spec.groups[0].rules[0].expr", events, StringComparison.Ordinal);
    }

    private static string Agent(Uri address) => $$"""
        apiVersion: optiinfra.io/v1alpha1
        kind: OptiAgent
        metadata: {name: cost, namespace: NS}
        spec:
          role: cost
          target:
            static: {addresses: ["{{address.Authority}}"]}
        """;

    private static string Policy(string expression) => $$"""
        apiVersion: optiinfra.io/v1alpha1
        kind: AlertPolicy
        metadata: {name: failures, namespace: NS}
        spec:
          groups:
          - name: failures
            rules:
            - alert: AgentFails
              expr: "{{expression}}"
              labels: {severity: critical}
        """;
}
