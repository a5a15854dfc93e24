using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using OptiInfra.Metrics.Analyzers;

namespace OptiInfra.Metrics.Tests.Analyzers;

public sealed class MetricDefinitionAnalyzerTests
{
    private static readonly MetadataReference[] Platform =
        [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(path => MetadataReference.CreateFromFile(path))];

    [Theory]
    [InlineData("registry.CreateCounter(\"a_total\", \"A.\", \"agent\", \"user_id\")", "OIM001")]
    [InlineData("registry.CreateGauge(\"a\", \"A.\", new string[] { \"path\" })", "OIM001")]
    [InlineData("registry.CreateHistogram(\"a\", \"A.\", new HistogramOptions(), \"session\")", "OIM001")]
    [InlineData("registry.CreateCounter(\"a_total\", \"A.\", new MetricOptions { PermittedLabels = [\"path\"] }, \"path\")", "")]
    [InlineData("registry.CreateCounter(\"a-total\", \"A.\")", "OIM002")]
    [InlineData("registry.CreateCounter(\"a_total\", \"A.\", \"le:ft\")", "OIM002")]
    [InlineData("registry.CreateCounter(\"a_total\", \"\")", "OIM003")]
    [InlineData("registry.CreateCounter(\"a_total\", \"A.\", \"agent\", \"model\")", "")]
    [InlineData("registry.CreateCounter(Environment.MachineName, \"A.\", Environment.UserName)", "")]
    public async Task Definitions_are_judged_where_they_are_written(string call, string expected)
    {
        Compilation compilation = Compile($"using System; using OptiInfra.Metrics; class C {{ void M(MetricRegistry registry) => {call}; }}");
        ImmutableArray<Diagnostic> found = await compilation.WithAnalyzers([new MetricDefinitionAnalyzer()]).GetAnalyzerDiagnosticsAsync();
        Assert.Equal(expected, string.Join(',', found.Select(diagnostic => diagnostic.Id)));
    }

    [Fact]
    public void Analyzer_and_registry_forbid_the_same_labels()
    {
        Assert.Equal<string>(MetricNames.ForbiddenLabels, MetricDefinitionAnalyzer.ForbiddenLabels);
    }

    [Fact]
    public void A_service_with_tracked_methods_gets_a_decorator_that_compiles()
    {
        Compilation compilation = Compile("""
            using System.Collections.Generic;
            using System.Threading.Tasks;
            using OptiInfra.Metrics.Agents;

            namespace Shop;

            public interface IPlanner
            {
                string Name { get; set; }
                Task<int> PlanAsync(string goal, int? limit);
                Task RunAsync();
                ValueTask<int> CountAsync();
                void Stop();
                T Echo<T>(T value);
                bool TryGet(string key, out int value);
                IAsyncEnumerable<int> Stream();
            }

            public sealed class Planner : IPlanner
            {
                public string Name { get; set; } = "";
                [TrackDuration("plan"), TrackErrors] public Task<int> PlanAsync(string goal, int? limit) => Task.FromResult(1);
                [TrackErrors] public Task RunAsync() => Task.CompletedTask;
                [TrackDuration] public ValueTask<int> CountAsync() => new(1);
                [TrackDuration] public void Stop() { }
                public T Echo<T>(T value) => value;
                public bool TryGet(string key, out int value) { value = 0; return false; }
                [TrackDuration] public async IAsyncEnumerable<int> Stream() { await Task.Yield(); yield return 1; }
            }
            """);
        CSharpGeneratorDriver.Create(new TrackedServiceGenerator()).RunGeneratorsAndUpdateCompilation(compilation, out Compilation generated, out _);
        Assert.Empty(generated.GetDiagnostics().Where(diagnostic => diagnostic.Severity >= DiagnosticSeverity.Warning));
        string code = generated.SyntaxTrees.Last().ToString();
        Assert.Contains("PlanAsync(string @goal, int? @limit) => metrics.Errors.TrackErrorsAsync(() => metrics.RequestDuration.WithLabels(\"plan\").TrackDurationAsync(() => ", code, StringComparison.Ordinal);
        Assert.Contains("AddTrackedPlanner", code, StringComparison.Ordinal);
    }

    private static CSharpCompilation Compile(string source) =>
        CSharpCompilation.Create("test", [CSharpSyntaxTree.ParseText(source)], Platform, new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
}
