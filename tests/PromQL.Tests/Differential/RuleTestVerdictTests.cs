using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Testing;
using OptiInfra.PromQL.Tests.Support;
using OptiInfra.PromQL.Types;

namespace OptiInfra.PromQL.Tests.Differential;

/// <summary>Rule test files, right and wrong, and what promtool test rules says of each.</summary>
public sealed class RuleTestVerdictTests
{
    private const string Rules = """
        groups:
        - name: recording
          rules:
          - {record: 'job:up:sum', expr: sum by (job) (up), labels: {team: a}}
          - {record: 'job:up:twice', expr: 'job:up:sum * 2'}
          - {record: scalar, expr: 1 + 1}
        - name: alerts
          rules:
          - alert: Down
            expr: up == 0
            for: 3m
            keep_firing_for: 2m
            labels: {severity: page, where: '{{ $externalLabels.zone }}', empty: ''}
            annotations: {text: '{{ $labels.instance }} of {{ $labels.job }} is down ({{ $value }})', broken: '{{ $value.x }}', empty: ''}
          - alert: Queried
            expr: vector(3)
            annotations: {text: '{{ range query "up" | sortByLabel "instance" }}{{ .Labels.instance }}={{ .Value }};{{ end }}'}
          - {alert: Limited, expr: 'job:up:twice >= 2'}
        """;

    private const string Series = """
          - {series: 'up{job="x", instance="a"}', values: '1 1 0x5 1x3 0x3 _x3 stale'}
          - {series: 'up{job="x", instance="b"}', values: '1x20'}
        """;

    public static TheoryData<string, string> Cases()
    {
        string[] expectations =
        [
            "alert_rule_test: [{eval_time: 5m, alertname: Down, exp_alerts: [{exp_labels: {job: x, instance: a, severity: page}, exp_annotations: {text: 'a of x is down (0)', empty: ''}}]}]",
            "alert_rule_test: [{eval_time: 4m, alertname: Down}]",
            "alert_rule_test: [{eval_time: 5m, alertname: Down}]",
            "alert_rule_test: [{eval_time: 8m, alertname: Down}, {eval_time: 9m, alertname: Down}, {eval_time: 10m, alertname: Down}]",
            "alert_rule_test: [{eval_time: 1m, alertname: Nothing}]",
            "alert_rule_test: [{eval_time: 1m, alertname: Nothing, exp_alerts: [{}]}]",
            "alert_rule_test: [{eval_time: 90s, alertname: Queried, exp_alerts: [{exp_annotations: {text: 'a=1;b=1;'}}]}]",
            "alert_rule_test: [{eval_time: 2m, alertname: Queried, exp_alerts: [{exp_labels: {alertname: other}, exp_annotations: {text: 'a=0;b=1;'}}]}]",
            "alert_rule_test: [{eval_time: 1m, alertname: Limited, exp_alerts: [{exp_labels: {job: x, team: a}}]}]",
            "alert_rule_test: [{eval_time: 1m}]",
            "promql_expr_test: [{expr: 'job:up:sum', eval_time: 1m, exp_samples: [{labels: 'job:up:sum{job=\"x\", team=\"a\"}', value: 2}]}]",
            "promql_expr_test: [{expr: 'job:up:twice', eval_time: 3m, exp_samples: [{labels: '{__name__=\"job:up:twice\", job=\"x\", team=\"a\"}', value: 2}]}]",
            "promql_expr_test: [{expr: 'job:up:sum', eval_time: 1m, exp_samples: [{labels: 'job:up:sum{job=\"x\"}', value: 2}]}]",
            "promql_expr_test: [{expr: scalar, exp_samples: [{labels: scalar, value: 2}]}]",
            "promql_expr_test: [{expr: 'up{instance=\"a\"}', eval_time: 15m}]",
            "promql_expr_test: [{expr: 'ALERTS', eval_time: 3m, exp_samples: []}]",
            "promql_expr_test: [{expr: 'count(ALERTS)', eval_time: 3m, exp_samples: [{value: 3}]}]",
            "promql_expr_test: [{expr: 'ALERTS_FOR_STATE{alertname=\"Down\"} * 1', eval_time: 4m, exp_samples: [{labels: '{alertname=\"Down\", job=\"x\", instance=\"a\", severity=\"page\"}', value: 120}]}]",
            "promql_expr_test: [{expr: '1 + 1', exp_samples: [{value: 2}]}]",
            "promql_expr_test: [{expr: '1 + 1', exp_samples: [{labels: '{}', value: 0x2}]}]",
            "promql_expr_test: [{expr: '\"text\"', exp_samples: [{value: 2}]}]",
            "promql_expr_test: [{expr: 'up[1m]'}]",
            "promql_expr_test: [{expr: 'up +'}]",
            "promql_expr_test: [{expr: '0 / 0', exp_samples: [{value: .nan}]}]",
            "promql_expr_test: [{expr: '1 / 0', exp_samples: [{value: .inf}]}]",
            "promql_expr_test: [{expr: 'vector(0.1) + 0.2', exp_samples: [{value: 0.3}]}]",
            "promql_expr_test: [{expr: 'sum_over_time(vector(1)[5m:])', eval_time: 9m, exp_samples: [{value: 5}]}]",
            "promql_expr_test: [{expr: 'sum_over_time(vector(1)[5m:])', eval_time: 9m, exp_samples: [{value: 6}]}]",
            "promql_expr_test: [{expr: up, eval_time: 1m, exp_samples: [{labels: 'up{job=\"x\", instance=\"b\"}', value: 1}, {labels: 'up{instance=\"a\", job=\"x\"}', value: 1}]}]",
            "promql_expr_test: [{expr: up, eval_time: one, exp_samples: []}]",
            "promql_expr_test: [{expr: 'vector(1)', exp_samples: [{labels: '{', value: 1}]}]",
            "promql_expr_test: [{expr: 'vector(1)', exp_samples: [{value: '1'}]}]",
            "external_labels: {zone: eu}\n  alert_rule_test: [{eval_time: 5m, alertname: Down, exp_alerts: [{exp_labels: {job: x, instance: a, severity: page, where: eu}}]}]",
            "unknown: 1",
        ];
        var cases = new TheoryData<string, string>();
        foreach (string version in new[] { "2.53", "3.5" })
        {
            foreach (string expectation in expectations)
            {
                cases.Add(version, expectation);
            }
        }
        return cases;
    }

    [ToolTheory("prom-2.53/promtool", "prom-3.5/promtool")]
    [MemberData(nameof(Cases))]
    public void The_verdict_is_that_of_promtool(string name, string expectation)
    {
        Assert.True(PrometheusVersion.TryParse(name, out PrometheusVersion version));
        string folder = Directory.CreateTempSubdirectory("optiinfra-rule-test-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "rules.yml"), Rules);
            string path = Path.Combine(folder, "test.yml");
            File.WriteAllText(path, $"rule_files: ['r*.yml']\nevaluation_interval: 1m\ntests:\n- interval: 1m\n  input_series:\n{Series}\n  {expectation}\n");
            (int code, string output) = new Promtool(name).Run(["test", "rules", path]);
            var options = new ParserOptions { Version = version };

            LoadedRuleTests loaded = RuleTestLoader.Load(path, options);
            bool passed = loaded.IsValid && RuleTestRunner.Run(loaded.File, loaded.Rules, options).All(result => result.IsPassed);

            Assert.True(passed == (code == 0), $"promtool: {output}\nours: {string.Join("\n", loaded.Diagnostics)}");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
