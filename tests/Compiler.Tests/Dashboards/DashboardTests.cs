using System.Text.Json.Nodes;
using OptiInfra.Compiler.Dashboards;
using OptiInfra.PromQL.Syntax;

namespace OptiInfra.Compiler.Tests.Dashboards;

public sealed class DashboardTests
{
    public static TheoryData<string> Uids => [.. All.Keys.Order(StringComparer.Ordinal)];

    private static Dictionary<string, Dashboard> All { get; } = DashboardLibrary.Fixed
        .Concat([
            ModuleDashboards.Operations("prompt_manager", "Prompt Manager"), ModuleDashboards.Security("prompt_security", "Prompt Security"),
            ModuleDashboards.Provider("llm_provider", "LLM Provider"),
        ])
        .ToDictionary(dashboard => dashboard.Uid);

    [Theory]
    [MemberData(nameof(Uids))]
    public void Every_query_parses_and_is_confined_to_the_chosen_targets(string uid)
    {
        foreach (PanelQuery query in All[uid].Panels.SelectMany(panel => panel.Queries))
        {
            string confined = PanelScope.Confine(query);
            int selectors = PanelScope.Parse(query).Walk().OfType<VectorSelector>().Count();
            Assert.Equal(query.Scoped ? selectors : 0, confined.Split("job=~\"$job\"").Length - 1);
            Assert.Equal(query.Scoped ? selectors : 0, confined.Split("instance=~\"$instance\"").Length - 1);
        }
    }

    [Theory]
    [MemberData(nameof(Uids))]
    public void The_json_is_what_grafana_and_its_linter_expect(string uid)
    {
        JsonObject json = GrafanaJson.Write(All[uid]);

        Assert.InRange(uid.Length, 8, 40);
        Assert.False((bool)json["editable"]!);
        JsonArray variables = json["templating"]!["list"]!.AsArray();
        Assert.Equal(["datasource", "job", "instance"], variables.Select(variable => (string)variable!["name"]!));
        Assert.All(variables.Skip(1), variable =>
        {
            Assert.Equal(".+", (string)variable!["allValue"]!);
            Assert.Equal(2, (int)variable["refresh"]!);
            Assert.True((bool)variable["multi"]!);
        });
        JsonArray panels = json["panels"]!.AsArray();
        Assert.Equal(panels.Count, panels.Select(panel => (int)panel!["id"]!).Distinct().Count());
        Assert.All(panels.Where(panel => (string)panel!["type"]! is not ("row" or "alertlist")), panel =>
        {
            Assert.NotEmpty((string)panel!["title"]!);
            Assert.NotEmpty((string)panel["description"]!);
            Assert.NotEmpty((string)panel["fieldConfig"]!["defaults"]!["unit"]!);
            Assert.NotEmpty(panel["targets"]!.AsArray());
        });
    }

    [Theory]
    [MemberData(nameof(Uids))]
    public void Panels_fill_their_rows_without_overlapping(string uid)
    {
        var places = GrafanaJson.Write(All[uid])["panels"]!.AsArray().Select(panel => panel!["gridPos"]!)
            .Select(place => (X: (int)place["x"]!, Y: (int)place["y"]!, W: (int)place["w"]!, H: (int)place["h"]!)).ToList();

        foreach (var line in places.GroupBy(place => place.Y))
        {
            Assert.Equal(24, line.Sum(place => place.W));
            Assert.Single(line.Select(place => place.H).Distinct());
        }
    }

    [Fact]
    public void Golden_signals_have_their_ten_panels() => Assert.Equal(10, GoldenSignalsDashboard.GoldenSignals.Panels.Count());
}
