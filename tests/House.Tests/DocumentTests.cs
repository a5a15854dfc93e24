using System.Text.RegularExpressions;

namespace OptiInfra.House.Tests;

/// <summary>What documents say of the repository must be so.</summary>
public sealed partial class DocumentTests
{
    public static TheoryData<string> Documents =>
        ["README.md", "CONTRIBUTING.md", .. Repository.Files("docs", "*.md").Where(path => !path.Contains("lint", StringComparison.Ordinal) && !path.Contains("runbooks", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Documents))]
    public void Paths_that_are_quoted_exist(string document)
    {
        string[] missing =
        [
            .. QuotedPath().Matches(Repository.Read(document)).Select(match => match.Groups[1].Value.TrimEnd('/'))
                .Where(path => !path.Contains('<', StringComparison.Ordinal) && !path.Contains('*', StringComparison.Ordinal))
                .Where(path => !File.Exists(Repository.PathOf(path)) && !Directory.Exists(Repository.PathOf(path)))
                .Distinct(),
        ];

        Assert.Empty(missing);
    }

    [Fact]
    public void One_version_everywhere()
    {
        string version = Repository.Read("VERSION").Trim();
        string chart = Repository.Read("deploy/helm/optiinfra/Chart.yaml");

        Assert.Contains($"\nversion: {version}\n", chart, StringComparison.Ordinal);
        Assert.Contains($"\nappVersion: {version}\n", chart, StringComparison.Ordinal);
        Assert.Contains($"optiinfra/operator:{version}", Repository.Read("docs/sync.md"), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_make_target_has_its_line_of_help()
    {
        string[] lines = Repository.Read("Makefile").Split('\n');
        string[] targets = [.. lines.First(line => line.StartsWith(".PHONY:", StringComparison.Ordinal))[".PHONY:".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)];

        Assert.InRange(lines.Length, 1, 100);
        Assert.All(targets, target => Assert.Contains(lines, line => line.StartsWith(target + ":", StringComparison.Ordinal) && line.Contains("## ", StringComparison.Ordinal)));
    }

    [Fact]
    public void Lint_rules_and_their_pages_are_one_to_one()
    {
        HashSet<string> ids = [.. Repository.Files("src/PromQL/Lint/Rules", "*.cs").SelectMany(path => RuleId().Matches(Repository.Read(path))).Select(match => match.Groups[1].Value)];
        HashSet<string> pages = [.. Repository.Files("docs/lint", "*.md").Select(path => Path.GetRelativePath("docs/lint", path)[..^3].Replace('\\', '/'))];

        Assert.Empty(ids.Except(pages));
        Assert.NotEmpty(ids);
    }

    [GeneratedRegex("`((?:src|tests|docs|deploy|config|catalog|samples|bench|tools)/[^`\\s]*)`")]
    private static partial Regex QuotedPath();

    [GeneratedRegex("\"((?:promql|alerts|rule|group|labels)/[a-z-]+)\"")]
    private static partial Regex RuleId();
}
