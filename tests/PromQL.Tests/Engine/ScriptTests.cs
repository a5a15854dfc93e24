using OptiInfra.PromQL.Testing;
using OptiInfra.PromQL.Types;

namespace OptiInfra.PromQL.Tests.Engine;

/// <summary>The scripts next to this file say what the engine answers; every case in them is a test.</summary>
public sealed class ScriptTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Engine", "Scripts");

    public static TheoryData<string> Scripts => [.. Directory.GetFiles(Folder, "*.test").Select(path => Path.GetFileName(path)!).Order()];

    [Theory]
    [MemberData(nameof(Scripts))]
    public void Every_case_of_the_script_holds(string file)
    {
        PrometheusVersion version = file.Contains("2_53", StringComparison.Ordinal) ? PrometheusVersion.V253 : PrometheusVersion.V35;
        IReadOnlyList<ScriptCase> cases = ScriptRunner.Run(File.ReadAllText(Path.Combine(Folder, file)), version);

        Assert.NotEmpty(cases);
        Assert.Empty(cases.Where(one => one.Outcome != ScriptOutcome.Passed).Select(one => $"{file}:{one.Line}: {one.Text}: {one.Message}"));
    }
}
