using OptiInfra.PromQL.Alerting;

namespace OptiInfra.PromQL.Tests.Alerting;

public sealed class AlertmanagerConfigTests
{
    [Theory]
    [InlineData("route: {receiver: a}", "1:19 undefined receiver \"a\" used in route")]
    [InlineData("route: {receiver: tema}\nreceivers: [{name: team}]", "1:19 undefined receiver \"tema\" used in route (did you mean \"team\"?)")]
    [InlineData("receivers: []", "1:1 no route provided")]
    [InlineData("route: {receiver: a, matchers: [a=b]}\nreceivers: [{name: a}]", "1:32 the root route must not have matchers")]
    [InlineData("route: {receiver: a}\nreceivers: [{name: a, slack_configs: [{chanel: x, api_url: 'http://x'}]}]", "2:40 field \"chanel\" not found in an item of \"slack_configs\" (did you mean \"channel\"?)")]
    [InlineData("route: {receiver: a}\nreceivers: [{name: a, webhook_configs: [{}]}]", "2:41 one of url or url_file must be configured")]
    [InlineData("route: {receiver: a, group_wait: 5}\nreceivers: [{name: a}]", "1:34 \"group_wait\": not a valid duration string: \"5\"")]
    public void Mistakes_are_named_with_their_place(string yaml, string expected)
    {
        var found = AlertmanagerConfig.Parse(yaml).Diagnostics.Select(d => $"{d.Start} {d.Message}{(d.Hint is null ? "" : $" ({d.Hint})")}");
        Assert.Contains(expected, found);
    }

    [Theory]
    [InlineData("severity=\"critical\"", true)]
    [InlineData("severity=critical", true)]
    [InlineData("{a=~\"x.*\",b!=y}", true)]
    [InlineData("\"a b\"=c", true)]
    [InlineData("é=x", true)]
    [InlineData("a=b c", true)]
    [InlineData("a=~(", false)]
    [InlineData("a", false)]
    [InlineData("=x", false)]
    [InlineData("a=\"b", false)]
    [InlineData("{a=b", true)]
    public void Matchers_are_read_by_either_parser(string text, bool accepted) => Assert.Equal(accepted, AlertMatchers.Parse(text).Error is null);
}
