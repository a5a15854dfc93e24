using System.Text.RegularExpressions;
using OptiInfra.Compiler.Dashboards;
using OptiInfra.PromQL.Syntax;

namespace OptiInfra.House.Tests;

public sealed class DashboardCatalogueTests
{
    /// <summary>Recording rules of the kosmos pack, which its dashboards read.</summary>
    private static readonly Regex Recorded = new("^kosmos:[a-z]+:[a-z0-9_]+$", RegexOptions.NonBacktracking);

    public static TheoryData<string> Uids => [.. Dashboards.Keys];

    private static Dictionary<string, Dashboard> Dashboards { get; } = DashboardLibrary.Fixed.ToDictionary(dashboard => dashboard.Uid);

    [Theory]
    [MemberData(nameof(Uids))]
    public void Panels_ask_only_for_metrics_of_the_catalogue(string uid)
    {
        HashSet<string> known = [.. Catalogue.All.SelectMany(family => family.SeriesNames)];

        string[] unknown =
        [
            .. Dashboards[uid].Panels.SelectMany(panel => panel.Queries)
                .SelectMany(query => PanelScope.Parse(query).Walk().OfType<VectorSelector>())
                .Select(selector => selector.MetricName)
                .OfType<string>()
                .Where(name => !known.Contains(name) && !Recorded.IsMatch(name))
                .Distinct(),
        ];

        Assert.Empty(unknown);
    }
}
