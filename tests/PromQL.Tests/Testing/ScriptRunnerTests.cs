using OptiInfra.PromQL.Testing;
using OptiInfra.PromQL.Types;

namespace OptiInfra.PromQL.Tests.Testing;

/// <summary>A test of the tester: what is wrong must be found.</summary>
public sealed class ScriptRunnerTests
{
    [Theory]
    [InlineData("eval instant at 0 x\n  x 2", "expected 2@0s, got 1@0s")]
    [InlineData("eval instant at 0 x", "unexpected series")]
    [InlineData("eval instant at 0 x\n  x 1\n  y 1", "is missing")]
    [InlineData("eval instant at 0 x +", "parse error")]
    [InlineData("eval instant at 0 x\n  expect fail\n  x 1", "expected an error")]
    [InlineData("eval instant at 0 x + on () group_left y\n  expect fail msg: other", "expected the error other")]
    [InlineData("eval instant at 0 x\n  expect warn\n  x 1", "expected warning")]
    [InlineData("eval instant at 0 quantile(2, x)\n  expect no_warn\n  {} +Inf", "unexpected warning")]
    [InlineData("eval instant at 0 y\n  expect ordered\n  y{i=\"2\"} 2\n  y{i=\"1\"} 1", "at position")]
    [InlineData("eval instant at 0 1\n  2", "expected 2, got 1")]
    [InlineData("eval range from 0 to 1m step 1m x\n  x 1 1 1", "2 steps")]
    [InlineData("evaluate x", "invalid")]
    [InlineData("nonsense", "invalid command")]
    [InlineData("load 1m\n  x 1 2x", "is no value")]
    public void What_is_wrong_is_named(string command, string problem)
    {
        string script = "load 1m\n  x 1 1\n  y{i=\"1\"} 1\n  y{i=\"2\"} 2\n\n" + command.Replace("x + on () group_left y", "y + on () group_left y", StringComparison.Ordinal);

        ScriptCase only = Assert.Single(ScriptRunner.Run(script, PrometheusVersion.V35));

        Assert.Equal(ScriptOutcome.Failed, only.Outcome);
        Assert.Contains(problem, only.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Cases_after_a_bad_line_are_still_run()
    {
        IReadOnlyList<ScriptCase> cases = ScriptRunner.Run("bad\n\neval instant at 0 1\n  1\n", PrometheusVersion.V35);

        Assert.Equal([ScriptOutcome.Failed, ScriptOutcome.Passed], cases.Select(one => one.Outcome));
    }
}
