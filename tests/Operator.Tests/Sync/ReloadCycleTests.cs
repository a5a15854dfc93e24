using OptiInfra.Operator.Prometheus;
using FileSet = System.Collections.Immutable.ImmutableSortedDictionary<string, string>;

namespace OptiInfra.Operator.Sync;

/// <summary>Against a real Prometheus: what it refuses decides, not what we think it refuses.</summary>
public sealed class ReloadCycleTests
{
    private const string Root = "global: {scrape_interval: 1s}\nscrape_config_files: [scrape/*.yml]\nrule_files: [rules/*.yml]\n";

    private static readonly FileSet Start = GenerationDirectory.NoFiles
        .Add("prometheus.yml", Root)
        .Add("rules/shop.a.yml", Rule("a", "vector(1)"))
        .Add("rules/shop.b.yml", Rule("b", "vector(1)"));

    [Fact]
    public async Task What_is_wanted_is_what_Prometheus_runs()
    {
        await using Fixture? fixture = await Fixture.StartAsync();
        if (fixture is null)
        {
            return;
        }

        Assert.Equal(LoadState.Loaded, await fixture.Cycle.LoadAsync(Start.Add("rules/shop.c.yml", Rule("c", "vector(1)")).Remove("rules/shop.a.yml"), default));

        Assert.Equal(["b", "c"], await fixture.LoadedGroupsAsync());
        Assert.Empty(fixture.Cycle.Quarantine);
    }

    [Fact]
    public async Task Nothing_changed_means_no_reload()
    {
        await using Fixture? fixture = await Fixture.StartAsync();
        if (fixture is null)
        {
            return;
        }

        await fixture.Cycle.LoadAsync(Start, default);
        int before = fixture.Cycle.Reloads;
        await fixture.Cycle.LoadAsync(Start, default);

        Assert.Equal(before, fixture.Cycle.Reloads);
    }

    [Fact]
    public async Task A_bad_file_is_quarantined_its_last_good_text_stays_and_the_others_go_on()
    {
        await using Fixture? fixture = await Fixture.StartAsync();
        if (fixture is null)
        {
            return;
        }

        await fixture.Cycle.LoadAsync(Start, default);
        FileSet broken = Start
            .SetItem("rules/shop.a.yml", Rule("a2", "sum("))
            .SetItem("rules/shop.b.yml", Rule("b2", "vector(1)"))
            .Add("rules/shop.c.yml", Rule("c", "vector(1)"));

        Assert.Equal(LoadState.Loaded, await fixture.Cycle.LoadAsync(broken, default));

        Assert.Equal(["a", "b2", "c"], await fixture.LoadedGroupsAsync());
        Assert.Equal(["rules/shop.a.yml"], fixture.Cycle.Quarantine.Keys);
        Assert.NotEmpty(fixture.Cycle.Quarantine["rules/shop.a.yml"].Reason);

        await fixture.Cycle.LoadAsync(broken.SetItem("rules/shop.a.yml", Rule("a3", "vector(1)")), default);
        Assert.Equal(["a3", "b2", "c"], await fixture.LoadedGroupsAsync());
        Assert.Empty(fixture.Cycle.Quarantine);
    }

    [Fact]
    public async Task A_restarted_Prometheus_finds_a_good_configuration_after_a_bad_one_was_refused()
    {
        await using Fixture? fixture = await Fixture.StartAsync();
        if (fixture is null)
        {
            return;
        }

        await fixture.Cycle.LoadAsync(Start, default);
        await fixture.Cycle.LoadAsync(Start.SetItem("prometheus.yml", "global: {nonsense: 1}"), default);

        Assert.Equal(Root, new GenerationDirectory(fixture.Server.Folder).Current["prometheus.yml"]);
        Assert.Contains("prometheus.yml", fixture.Cycle.Quarantine.Keys);
        using PrometheusApi api = new(fixture.Server.Address);
        Assert.True((await api.RuntimeInfoAsync(default)).ReloadConfigSuccess);
    }

    [Fact]
    public async Task Without_an_answer_the_files_are_written_and_confirmed_later()
    {
        string folder = Directory.CreateTempSubdirectory("optiinfra-test-").FullName;
        using PrometheusApi nobody = new(new Uri("http://127.0.0.1:1"));
        GenerationDirectory directory = new(folder);

        Assert.Equal(LoadState.Unconfirmed, await new ReloadCycle(directory, nobody).LoadAsync(Start, default));

        Assert.Equal(Root, await File.ReadAllTextAsync(directory.ConfigFile));
        Directory.Delete(folder, recursive: true);
    }

    private static string Rule(string group, string expression) =>
        $"groups: [{{name: {group}, rules: [{{record: r, expr: '{expression}'}}]}}]\n";

    private sealed class Fixture(RealPrometheus server) : IAsyncDisposable
    {
        private readonly PrometheusApi api = new(server.Address);

        public RealPrometheus Server => server;

        public ReloadCycle Cycle { get; private set; } = null!;

        public static async Task<Fixture?> StartAsync()
        {
            RealPrometheus? server = await RealPrometheus.StartAsync(folder => new GenerationDirectory(folder).Write(Start), "current/prometheus.yml");
            if (server is null)
            {
                return null;
            }

            Fixture fixture = new(server);
            await Eventually.True(() => fixture.api.IsReadyAsync(default));
            fixture.Cycle = new ReloadCycle(new GenerationDirectory(server.Folder), fixture.api);
            return fixture;
        }

        public async Task<IEnumerable<string>> LoadedGroupsAsync() =>
            (await api.RulesAsync(default)).Groups.Select(group => group.Name).Order();

        public async ValueTask DisposeAsync()
        {
            api.Dispose();
            await server.DisposeAsync();
        }
    }
}
