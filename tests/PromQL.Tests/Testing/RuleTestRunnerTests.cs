using OptiInfra.PromQL.Rules;
using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Testing;
using OptiInfra.PromQL.Types;

namespace OptiInfra.PromQL.Tests.Testing;

public sealed class RuleTestRunnerTests
{
    private const string Rules = """
        groups:
        - name: cost
          rules:
          - record: agent:cost:rate5m
            expr: sum by (agent) (rate(cost_dollars_total[5m]))
            labels: {team: finops}
          - alert: CostTooHigh
            expr: agent:cost:rate5m > 0.5
            for: 5m
            keep_firing_for: 3m
            labels: {severity: warning, zone: "{{ $externalLabels.zone }}"}
            annotations: {summary: "{{ $labels.agent }} costs {{ $value | humanize }} a second in {{ $externalLabels.zone }}"}
        """;

    [Fact]
    public void An_alert_fires_after_its_time_and_keeps_firing()
    {
        const string tests = """
            - interval: 1m
              input_series: [{series: 'cost_dollars_total{agent="a"}', values: '0+60x10 600x20'}]
              external_labels: {zone: eu}
              alert_rule_test:
              - {eval_time: 7m, alertname: CostTooHigh}
              - eval_time: 8m
                alertname: CostTooHigh
                exp_alerts:
                - exp_labels: {agent: a, severity: warning, team: finops, zone: eu}
                  exp_annotations: {summary: a costs 1 a second in eu}
              - eval_time: 14m
                alertname: CostTooHigh
                exp_alerts:
                - exp_labels: {agent: a, severity: warning, team: finops, zone: eu}
                  exp_annotations: {summary: a costs 750m a second in eu}
              - {eval_time: 15m, alertname: CostTooHigh}
              promql_expr_test:
              - expr: agent:cost:rate5m
                eval_time: 5m
                exp_samples: [{labels: 'agent:cost:rate5m{agent="a", team="finops"}', value: 1}]
              - expr: ALERTS
                eval_time: 3m
                exp_samples: [{labels: 'ALERTS{alertname="CostTooHigh", alertstate="pending", agent="a", severity="warning", team="finops", zone="eu"}', value: 1}]
              - expr: count(ALERTS_FOR_STATE) + scalar(count(agent:cost:rate5m))
                eval_time: 10m
                exp_samples: [{value: 2}]
              - expr: count(ALERTS_FOR_STATE)
                eval_time: 25m
            """;
        Assert.Empty(Failures(tests).Select(failure => $"{failure.What}: {failure.Error} expected {string.Join("|", failure.Expected)} got {string.Join("|", failure.Actual)}"));
    }

    [Theory]
    [InlineData("- promql_expr_test: [{expr: vector(1), exp_samples: [{value: 2}]}]", "expr: \"vector(1)\", time: 0s", "{} 2E+00", "{} 1E+00")]
    [InlineData("- promql_expr_test: [{expr: vector(1)}]", "expr: \"vector(1)\", time: 0s", "", "{} 1E+00")]
    [InlineData("- alert_rule_test: [{alertname: CostTooHigh, exp_alerts: [{}]}]", "alertname: CostTooHigh, time: 0s", "{alertname=\"CostTooHigh\"} {}", "")]
    public void Both_sides_are_given_when_they_differ(string tests, string what, string expected, string actual)
    {
        RuleTestFailure failure = Assert.Single(Failures(tests));

        Assert.Equal(what, failure.What);
        Assert.Equal(expected, string.Join("|", failure.Expected));
        Assert.Equal(actual, string.Join("|", failure.Actual));
        Assert.Equal(2, failure.Position.Line);
    }

    [Theory]
    [InlineData("- promql_expr_test: [{expr: 'sum('}]", "parse error")]
    [InlineData("- promql_expr_test: [{expr: 'up[5m]'}]", "not a vector or scalar")]
    [InlineData("- promql_expr_test: [{expr: vector(1), exp_samples: [{labels: '{a', value: 1}]}]", "expected")]
    [InlineData("- input_series: [{series: up, values: 1x}]", "is no value")]
    [InlineData("- input_series: [{series: 'agent:cost:rate5m{agent=\"a\", team=\"finops\"}', values: 5x9}, {series: 'cost_dollars_total{agent=\"a\"}', values: 0+1x9}]\n  promql_expr_test: [{expr: vector(1), eval_time: 5m, exp_samples: [{value: 1}]}]", "duplicate sample")]
    public void Errors_are_given_in_place_of_values(string tests, string message) =>
        Assert.Contains(message, Assert.Single(Failures(tests)).Error, StringComparison.Ordinal);

    [Fact]
    public void Groups_are_evaluated_in_the_order_asked_for()
    {
        const string rules = """
            groups:
            - {name: second, rules: [{record: b, expr: a * 2}]}
            - {name: first, rules: [{record: a, expr: vector(1)}]}
            """;
        const string tests = "tests: [{promql_expr_test: [{expr: b, exp_samples: [{labels: b, value: 2}]}]}]\n";

        Assert.NotEmpty(Failures(RuleTestFile.Parse(tests, PrometheusVersion.V35), rules));
        Assert.Empty(Failures(RuleTestFile.Parse(tests + "group_eval_order: [first, second]", PrometheusVersion.V35), rules));
    }

    [Fact]
    public void Fuzzy_comparison_forgives_the_last_bit()
    {
        const string tests = "tests: [{promql_expr_test: [{expr: vector(0.1) + 0.2, exp_samples: [{value: 0.3}]}]}]\n";

        Assert.NotEmpty(Failures(RuleTestFile.Parse(tests, PrometheusVersion.V35), Rules));
        Assert.Empty(Failures(RuleTestFile.Parse(tests + "fuzzy_compare: true", PrometheusVersion.V35), Rules));
    }

    [Fact]
    public void Coverage_follows_recording_rules()
    {
        RuleFile rules = RuleFile.Parse(Rules + "\n  - {alert: Untested, expr: up == 0}", source: "r.yml");
        RuleTestFile tests = RuleTestFile.Parse("tests: [{name: t, alert_rule_test: [{alertname: CostTooHigh}]}]", PrometheusVersion.V35);
        var coverage = new RuleCoverage();

        coverage.Add([rules], tests.Tests, ParserOptions.Default);

        Assert.Equal(["agent:cost:rate5m:t", "CostTooHigh:t", "Untested:"], coverage.Entries.Select(entry => $"{entry.Name}:{string.Join(',', entry.Tests)}"));
    }

    [Theory]
    [InlineData("tests: [{colour: red}]", "colour")]
    [InlineData("tests: [{alert_rule_test: [{eval_time: 1m}]}]", "alertname")]
    [InlineData("tests: [{promql_expr_test: [{expr: up, exp_samples: [{value: x}]}]}]", "must be a number")]
    [InlineData("tests: [{promql_expr_test: [{expr: up, eval_time: soon}]}]", "eval_time")]
    [InlineData("group_eval_order: [a, a]", "repeated")]
    [InlineData("tests: {}", "must be a list")]
    public void Mistakes_in_the_file_are_diagnostics(string text, string message)
    {
        RuleTestFile file = RuleTestFile.Parse(text, PrometheusVersion.V35, "t.yml");

        Assert.False(file.IsValid);
        Assert.Contains(file.Diagnostics, d => d.Message.Contains(message, StringComparison.Ordinal) && d.Source == "t.yml");
    }

    private static RuleTestFailure[] Failures(string tests) => Failures(RuleTestFile.Parse("tests:\n" + tests, PrometheusVersion.V35), Rules);

    private static RuleTestFailure[] Failures(RuleTestFile file, string rules)
    {
        RuleFile ruleFile = RuleFile.Parse(rules);
        Assert.Empty(ruleFile.Diagnostics);
        Assert.Empty(file.Diagnostics);
        return [.. RuleTestRunner.Run(file, [ruleFile]).SelectMany(result => result.Failures)];
    }
}
