using OptiInfra.PromQL.Lint;
using OptiInfra.PromQL.Rules;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Tests.Lint;

public sealed class LinterTests
{
    [Theory]
    [InlineData("  # optiinfra:ignore alert/severity", "", "alert/runbook alert/summary")]
    [InlineData("  - # optiinfra:ignore alert/severity, alert/summary", "", "alert/runbook")]
    [InlineData("", "    # optiinfra:ignore", "")]
    [InlineData("", "", "alert/runbook alert/severity alert/summary")]
    public void Comments_in_or_above_a_rule_silence_checks_for_it(string above, string inside, string expected)
    {
        string start = above.Contains("- #", StringComparison.Ordinal) ? $"{above}\n    alert: A" : $"{above}\n  - alert: A";
        string yaml = $"groups:\n- name: g\n  rules:\n{start}\n{inside}\n    expr: up == 0\n    for: 5m\n";
        Assert.Equal(expected, Ids(yaml));
    }

    [Fact]
    public void A_comment_before_the_groups_holds_for_the_file_and_never_hides_syntax_errors()
    {
        const string yaml = "# optiinfra:ignore\ngroups:\n- name: g\n  rules:\n  - {alert: A, expr: up == 0}\n  - {alert: B, expr: up ==}\n";
        Assert.Equal("promql/syntax", Ids(yaml));
    }

    [Theory]
    [InlineData("    expr: sum(rate(x)", 4, 22)]
    [InlineData("    expr: 'a{b=''x''} + )'", 4, 25)]
    [InlineData("    expr: \"a{b=\\\"x\\\"} + )\"", 4, 25)]
    [InlineData("    expr: |\n      a +\n        )", 6, 9)]
    [InlineData("    expr: >-\n      a +\n      b c", 6, 9)]
    [InlineData("    expr: a +\n      b c", 5, 9)]
    [InlineData("    expr: é{} + )", 4, 11)]
    [InlineData("    expr: a{b='é'} + )", 4, 23)]
    public void Mistakes_in_expressions_are_placed_in_the_file(string field, int line, int column)
    {
        Diagnostic finding = Assert.Single(RuleFile.Parse($"groups:\n- rules:\n  - record: r\n{field}\n  name: g").Diagnostics);
        Assert.Equal(new TextPosition(line, column), finding.Start);
    }

    [Fact]
    public void Faults_of_real_documentation_are_found()
    {
        // Each of these stood in a monitoring guide.
        const string yaml = """
            groups:
            - name: guide
              rules:
              - alert: SlowAgent
                expr: histogram_quantile(0.95, rate(agent_latency_seconds_bucket[5m])) by (service) > 1
              - alert: ServiceDown
                expr: service_up == 0
              - alert: SpotMigrationsFail
                expr: rate(spot_migration_attempts_total{result="failed"}[5m]) > 0.1
            """;
        MetricCatalog catalog = MetricCatalog.Load([("c", "dialect: d\nfamilies:\n- {name: service_availability, type: gauge}\n- {name: spot_migrations_total, type: counter}\n")]).Catalog;
        string[] findings = [.. Linter.Lint(RuleFile.Parse(yaml), new LintOptions { Catalog = catalog }).Where(d => d.Id.StartsWith("promql/", StringComparison.Ordinal)).Select(d => $"{d.Start} {d.Id}")];
        Assert.Equal(["5:76 promql/syntax", "7:11 promql/unknown-metric", "9:16 promql/unknown-metric"], findings);
    }

    [Fact]
    public void Recording_rules_of_all_files_are_known_to_each_other()
    {
        RuleFile records = RuleFile.Parse("groups:\n- name: a\n  rules:\n  - {record: 'job:up:sum', expr: sum by (job) (up)}\n", source: "a.yml");
        RuleFile uses = RuleFile.Parse("groups:\n- name: b\n  rules:\n  - {record: 'x:y:z', expr: sum by (instance) (job:up:sum)}\n", source: "b.yml");
        Diagnostic finding = Assert.Single(Linter.Lint([records, uses]), d => d.Id == "promql/aggregate-unknown-label");
        Assert.Equal("b.yml", finding.Source);
    }

    [Fact]
    public void Catalogue_mistakes_are_reported_with_their_place()
    {
        (MetricCatalog catalog, var diagnostics) = MetricCatalog.Load([("c.yaml", "dialect: d\nfamilies:\n- {name: a, type: guage}\n- {name: b, type: gauge, lables: [x]}\n")]);
        Assert.Equal(["c.yaml:3:19", "c.yaml:4:26"], diagnostics.Select(d => $"{d.Source}:{d.Start}"));
        Assert.Equal("did you mean \"labels\"?", diagnostics[1].Hint);
        Assert.NotNull(catalog.Find("b"));
    }

    private static string Ids(string yaml) => string.Join(' ', Linter.Lint(RuleFile.Parse(yaml)).Select(d => d.Id).Order(StringComparer.Ordinal));
}
