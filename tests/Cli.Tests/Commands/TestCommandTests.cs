using OptiInfra.Cli.Output;

namespace OptiInfra.Cli.Commands;

public sealed class TestCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("optiinfra-test-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Both_sides_are_shown_and_rules_without_tests_are_named()
    {
        Write("rules.yml", """
            groups:
            - name: g
              rules:
              - {alert: Down, expr: up == 0, labels: {severity: page}}
              - {alert: Other, expr: vector(1)}
            """);
        Write("rules_test.yml", """
            rule_files: ['rule*.yml']
            tests:
            - name: down
              input_series: [{series: 'up{job="a"}', values: 0}]
              alert_rule_test: [{alertname: Down, exp_alerts: [{exp_labels: {job: b, severity: page}}]}]
            """);

        (int code, string output, string error) = await Run("test", Path.Combine(folder, "rules_test.yml"));

        // The pattern catches the test file, too, which is no rule file.
        Assert.Equal(1, code);
        Assert.Contains("tests", error, StringComparison.Ordinal);
        Assert.DoesNotContain("FAIL", output, StringComparison.Ordinal);

        Write("rules_test.yml", File.ReadAllText(Path.Combine(folder, "rules_test.yml")).Replace("rule*.yml", "rules.yml", StringComparison.Ordinal));
        (code, output, _) = await Run("test", folder);

        Assert.Equal(1, code);
        Assert.Contains("FAIL", output, StringComparison.Ordinal);
        Assert.Contains("job=\"b\"", output, StringComparison.Ordinal);
        Assert.Contains("job=\"a\"", output, StringComparison.Ordinal);
        Assert.Contains("untested  Other", output, StringComparison.Ordinal);
        Assert.Contains("0 passed, 1 failed; 1 of 2 rules tested", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tests_inside_a_policy_run_on_its_own_rules()
    {
        Write("policy.yaml", """
            apiVersion: optiinfra.io/v1alpha1
            kind: AlertPolicy
            metadata: {name: p, namespace: n}
            spec:
              groups:
              - name: g
                rules: [{alert: Down, expr: up == 0}]
              tests:
              - name: down
                input_series: [{series: 'up{job="a"}', values: 0}]
                alert_rule_test: [{eval_time: 0s, alertname: Down, exp_alerts: [{exp_labels: {job: a}}]}]
            """);

        (int code, string output, string error) = await Run("test", folder);

        Assert.Equal(0, code);
        Assert.Empty(error);
        Assert.Contains("AlertPolicy n/p: down", output, StringComparison.Ordinal);
        Assert.Contains("1 passed, 0 failed; 1 of 1 rules tested", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_file_is_a_problem_of_the_environment()
    {
        (int code, _, string error) = await Run("test", Path.Combine(folder, "none.yml"));

        Assert.Equal(2, code);
        Assert.Contains("none.yml", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_script_is_counted_per_file()
    {
        Write("a.test", "eval instant at 0 1 + 1\n  2\n\neval instant at 0 1 + 1\n  3\n");

        (int code, string output, string error) = await Run("promql", "script", Path.Combine(folder, "a.test"));

        Assert.Equal(1, code);
        Assert.Contains("a.test: 1 passed, 1 failed, 0 refused", output, StringComparison.Ordinal);
        Assert.Contains("a.test:4: 1 + 1: expected 3, got 2", error, StringComparison.Ordinal);
    }

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(folder, name), text);

    private static async Task<(int Code, string Output, string Error)> Run(params string[] args)
    {
        StringWriter output = new();
        StringWriter error = new();
        int code = await Program.RunAsync(args, Terminal.Plain(output, error));
        return (code, output.ToString(), error.ToString());
    }
}
