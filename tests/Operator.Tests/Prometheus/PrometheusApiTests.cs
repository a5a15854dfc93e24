namespace OptiInfra.Operator.Prometheus;

public sealed class PrometheusApiTests
{
    private const string Config = """
        global: {scrape_interval: 1s, evaluation_interval: 1s}
        rule_files: [rules.yml]
        scrape_configs:
        - {job_name: closed, static_configs: [{targets: ["127.0.0.1:1"]}]}
        """;

    private const string Rules = """
        groups:
        - name: demo
          rules:
          - {alert: AlwaysOn, expr: vector(1), labels: {severity: info}}
          - {record: one, expr: vector(1)}
          - {alert: Broken, expr: 'label_replace(vector(1) or vector(2), "a", "b", "", "") / on() group_left() (one or up)'}
        """;

    [Fact]
    public async Task Says_what_a_server_scrapes_and_evaluates()
    {
        await using RealPrometheus? server = await RealPrometheus.StartAsync(Write(Config));
        if (server is null)
        {
            return;
        }

        using PrometheusApi api = new(server.Address);
        ScrapeTarget target = await Eventually.Get(async () => (await api.TargetsAsync(default)).ActiveTargets.Single(), target => target.Health == ScrapeTarget.Down);
        Assert.Equal("closed", target.ScrapePool);
        Assert.Contains("refused", target.LastError, StringComparison.Ordinal);

        LoadedGroup group = await Eventually.Get(async () => (await api.RulesAsync(default)).Groups.Single(), group => group.Rules[0].State == "firing");
        Assert.Equal(("demo", "rules.yml"), (group.Name, Path.GetFileName(group.File)));
        Assert.Equal(["alerting", "recording", "alerting"], group.Rules.Select(rule => rule.Type));
        ActiveAlert alert = Assert.Single((await api.AlertsAsync(default)).Alerts, alert => alert.Labels["alertname"] == "AlwaysOn");
        Assert.Equal("info", alert.Labels["severity"]);
        Assert.Equal(1, Assert.Single(await api.QueryAsync("one", default)).Value);
    }

    [Fact]
    public async Task Says_how_a_server_is()
    {
        await using RealPrometheus? server = await RealPrometheus.StartAsync(Write(Config));
        if (server is null)
        {
            return;
        }

        using PrometheusApi api = new(server.Address);
        await Eventually.True(() => api.IsReadyAsync(default));
        Assert.True((await api.RuntimeInfoAsync(default)).ReloadConfigSuccess);
        Assert.True(Version.Parse((await api.BuildInfoAsync(default)).Version.Split('+')[0]) >= new Version(2, 43));
        Assert.Contains("job_name: closed", await api.ConfigAsync(default), StringComparison.Ordinal);
        Assert.NotNull((await api.TsdbStatusAsync(default)).SeriesCountByMetricName);
    }

    [Fact]
    public async Task A_refused_reload_says_why_and_the_server_stays_as_it_was()
    {
        await using RealPrometheus? server = await RealPrometheus.StartAsync(Write(Config));
        if (server is null)
        {
            return;
        }

        using PrometheusApi api = new(server.Address);
        await Eventually.True(() => api.IsReadyAsync(default));
        await File.WriteAllTextAsync(Path.Combine(server.Folder, "rules.yml"), "groups: [{name: x, rules: [{alert: A, expr: 'sum('}]}]");

        PrometheusRefusedException refused = await Assert.ThrowsAsync<PrometheusRefusedException>(() => api.ReloadAsync(default));

        Assert.NotEmpty(refused.Reason);
        Assert.False((await api.RuntimeInfoAsync(default)).ReloadConfigSuccess);
        Assert.Equal(3, (await api.RulesAsync(default)).Groups.Single().Rules.Count);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_unreachable_and_not_ready()
    {
        using PrometheusApi api = new(new Uri("http://127.0.0.1:1"));

        Assert.False(await api.IsReadyAsync(default));
        PrometheusUnreachableException error = await Assert.ThrowsAsync<PrometheusUnreachableException>(() => api.TargetsAsync(default));
        Assert.Contains("http://127.0.0.1:1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_caller_who_gives_up_is_cancelled_not_told_that_the_server_is_down()
    {
        using PrometheusApi api = new(new Uri("http://127.0.0.1:1"));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => api.TargetsAsync(new CancellationToken(canceled: true)));
    }

    private static Action<string> Write(string config) => folder =>
    {
        File.WriteAllText(Path.Combine(folder, "prometheus.yml"), config);
        File.WriteAllText(Path.Combine(folder, "rules.yml"), Rules);
    };
}
