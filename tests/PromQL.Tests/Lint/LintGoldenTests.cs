using OptiInfra.PromQL.Lint;
using OptiInfra.PromQL.Rules;
using OptiInfra.PromQL.Syntax;

namespace OptiInfra.PromQL.Tests.Lint;

/// <summary>
/// One golden file a check, Golden/&lt;id&gt;.yml: rules that it must complain about and rules that it must not, then its findings as
/// comments. <c>OPTIINFRA_GOLDEN=update dotnet test</c> rewrites the comments; the difference is then reviewed.
/// </summary>
public sealed class LintGoldenTests
{
    private const string Marker = "# => ";

    private static readonly string Root = FindRoot();

    private static readonly LintOptions Options = new()
    {
        Retention = PromDuration.FromMilliseconds(15L * 24 * 3600 * 1000),
        ExternalLabels = ["replica"],
        KnowsExternalLabels = true,
        Catalog = MetricCatalog.Load([("catalogue", """
            dialect: test
            families:
            - {name: agent_tokens_total, type: counter, labels: [model]}
            - {name: agent_errors_total, type: counter}
            - {name: agent_queue_length, type: gauge}
            - {name: agent_cost_dollars, type: gauge, unit: dollars}
            - {name: agent_latency_seconds, type: histogram, unit: seconds, buckets: [0.1, 1, 10]}
            - {name: agent_info, type: info, labels: [version]}
            """)]).Catalog,
    };

    public static TheoryData<string> Ids => [.. LintRules.All.Select(rule => rule.Id)];

    [Theory]
    [MemberData(nameof(Ids))]
    public void Each_check_finds_what_its_golden_file_says(string id)
    {
        string path = Path.Combine(Root, "tests", "PromQL.Tests", "Lint", "Golden", id.Replace('/', '-') + ".yml");
        string[] lines = File.ReadAllLines(path);
        string rules = string.Join('\n', lines.Where(line => !line.StartsWith(Marker, StringComparison.Ordinal))) + "\n";
        RuleFile file = RuleFile.Parse(rules);
        Assert.Empty(file.Diagnostics);

        string[] found = [.. Linter.Lint(file, Options).Where(d => d.Id == id).Select(d =>
            $"{Marker}{d.Start} {d.Severity.ToString().ToLowerInvariant()}: {d.Message}{(d.Hint is null ? "" : $" ({d.Hint})")}")];
        if (Environment.GetEnvironmentVariable("OPTIINFRA_GOLDEN") == "update")
        {
            File.WriteAllText(path, rules + string.Join('\n', found) + "\n");
        }
        Assert.NotEmpty(found);
        Assert.Equal(lines.Where(line => line.StartsWith(Marker, StringComparison.Ordinal)), found);
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void Each_check_has_a_page(string id)
    {
        string page = Path.Combine(Root, "docs", "lint", id + ".md");
        Assert.True(File.Exists(page), $"docs/lint/{id}.md is missing");
        Assert.StartsWith($"# {id}\n", File.ReadAllText(page), StringComparison.Ordinal);
    }

    [Fact]
    public void Ids_are_unique() => Assert.Equal(LintRules.All.Count, LintRules.All.Select(rule => rule.Id).Distinct().Count());

    private static string FindRoot()
    {
        DirectoryInfo folder = new(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "OptiInfra.sln")))
        {
            folder = folder.Parent!;
        }
        return folder.FullName;
    }
}
