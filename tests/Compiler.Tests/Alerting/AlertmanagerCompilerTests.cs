using OptiInfra.Compiler.Alerting;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds;

namespace OptiInfra.Compiler.Tests.Alerting;

public sealed class AlertmanagerCompilerTests
{
    private static readonly SecretKey Secret = new() { Name = "slack", Key = "url" };

    [Fact]
    public void A_broken_receiver_quarantines_its_policy_and_nobody_else()
    {
        AlertPolicy good = Policy("good", new Notification { Receiver = ReceiverType.Slack, UrlSecret = Secret });
        AlertPolicy broken = Policy("broken", new Notification { Receiver = ReceiverType.Slack });

        CompiledAlerting compiled = AlertmanagerCompiler.Compile(StackModel.Default, [broken, good]);

        Assert.Equal(["shop/broken"], compiled.Quarantined);
        Assert.Contains("shop/good/0-slack", compiled.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("shop/broken", compiled.Text, StringComparison.Ordinal);
        Assert.Equal(AlertmanagerCompiler.Compile(StackModel.Default, [good]).Text, compiled.Text);
    }

    [Fact]
    public void No_value_of_a_secret_and_every_file_of_one_is_named()
    {
        CompiledAlerting compiled = AlertmanagerCompiler.Compile(StackModel.Default, [Policy("p", new Notification { Receiver = ReceiverType.Slack, UrlSecret = Secret })]);

        Assert.Contains("api_url_file: secrets/shop.slack.url", compiled.Text, StringComparison.Ordinal);
        Assert.Equal(new SecretFile("shop", "slack", "url", "shop.slack.url"), Assert.Single(compiled.Secrets));
    }

    [Fact]
    public void The_mail_server_s_password_is_the_stack_s_own_secret()
    {
        StackModel stack = StackModel.From(new MonitoringStack
        {
            Metadata = new() { Name = "default", Namespace = "monitoring" },
            Spec = new() { Alertmanager = new() { Mail = new() { Smarthost = "mail:25", From = "a@b.example", Auth = new() { Username = "u", Password = new() { Name = "mail", Key = "password" } } } } },
        });

        CompiledAlerting compiled = AlertmanagerCompiler.Compile(stack, [Policy("p", new Notification { Receiver = ReceiverType.Email, To = ["x@y.example"] })]);

        Assert.Equal("monitoring", Assert.Single(compiled.Secrets).Namespace);
    }

    [Fact]
    public void An_alert_goes_to_every_receiver_that_matches_and_never_through_another_policy()
    {
        AlertPolicy mine = Policy("mine",
            new Notification { Receiver = ReceiverType.Slack, UrlSecret = Secret, Channel = "#all" },
            new Notification { Receiver = ReceiverType.Slack, UrlSecret = Secret, Channel = "#critical", Match = new Dictionary<string, string> { ["severity"] = "critical" } },
            new Notification { Receiver = ReceiverType.Slack, UrlSecret = Secret, Channel = "#cost", Matchers = ["agent=~\"cost.*\""] });
        AlertPolicy other = Policy("other", new Notification { Receiver = ReceiverType.Slack, UrlSecret = Secret, Channel = "#other" });

        Assert.Equal(["#all", "#critical"], Targets("critical", "web"));
        Assert.Equal(["#all", "#cost"], Targets("warning", "cost-agent"));

        IEnumerable<string> Targets(string severity, string agent) => AlertRouting.Explain(StackModel.Default, [other, mine], new Dictionary<string, string>
        {
            ["optiinfra_policy"] = "shop/mine",
            ["severity"] = severity,
            ["agent"] = agent,
        }).Select(to => to.Target);
    }

    [Fact]
    public void What_no_policy_routes_goes_to_the_fallback()
    {
        StackModel stack = StackModel.From(new MonitoringStack
        {
            Metadata = new() { Name = "default" },
            Spec = new() { Alertmanager = new() { Fallback = [new() { Receiver = ReceiverType.Webhook, Url = "http://x.example" }] } },
        });

        Assert.Equal("http://x.example", Assert.Single(AlertRouting.Explain(stack, [Policy("quiet")], new Dictionary<string, string> { ["optiinfra_policy"] = "shop/quiet" })).Target);
    }

    [Fact]
    public void A_silence_is_confined_to_its_policy()
    {
        AlertPolicy policy = Policy("p") with { };
        policy = policy with { Spec = policy.Spec with { Maintenance = [new() { Name = "move", Start = "2026-03-01T22:00:00Z", End = "2026-03-02T02:00:00+01:00", Matchers = ["agent=cost"] }] } };

        SilencePlan silence = Assert.Single(SilencePlan.Of(policy));

        Assert.Equal("shop/p/move", silence.Key);
        Assert.Equal(["optiinfra_policy=\"shop/p\"", "agent=\"cost\""], silence.Matchers.Select(matcher => matcher.ToString()));
        Assert.Equal(TimeSpan.FromHours(3), silence.End - silence.Start);
    }

    [Theory]
    [InlineData("severity=\"critical\"", "severity=\"critical\"")]
    [InlineData("severity = critical", "severity=\"critical\"")]
    [InlineData("agent=~\"a|b\"", "agent=~\"a|b\"")]
    [InlineData("agent!~x.*", "agent!~\"x.*\"")]
    [InlineData("text=\"a \\\"quoted\\\" word\"", "text=\"a \\\"quoted\\\" word\"")]
    [InlineData("severity is critical", null)]
    [InlineData("=x", null)]
    [InlineData("a=~\"(\"", null)]
    public void Matchers_are_read_as_Alertmanager_does(string text, string? expected) => Assert.Equal(expected, AlertMatcher.Parse(text)?.ToString());

    private static AlertPolicy Policy(string name, params Notification[] notify) =>
        new() { Metadata = new() { Namespace = "shop", Name = name }, Spec = new() { Notify = notify } };
}
