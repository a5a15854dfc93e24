using System.Diagnostics;

namespace OptiInfra.Compiler.Tests;

/// <summary>A test that needs a tool which is not part of .NET; without it the test is skipped and says how to get it.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ToolFactAttribute : FactAttribute
{
    public ToolFactAttribute(params string[] tools) => Skip = Judge.Missing(tools);
}

[AttributeUsage(AttributeTargets.Method)]
internal sealed class ToolTheoryAttribute : TheoryAttribute
{
    public ToolTheoryAttribute(params string[] tools) => Skip = Judge.Missing(tools);
}

/// <summary>Prometheus' and Alertmanager's own checkers, the independent judges of what we write.</summary>
internal static class Judge
{
    public const string Promtool35 = "prom-3.5/promtool";
    public const string Promtool253 = "prom-2.53/promtool";
    public const string Amtool = "amtool";

    public static string? Missing(string[] tools) =>
        tools.FirstOrDefault(tool => Find(tool) is null) is { } missing ? $"{missing} is not there; run make tools" : null;

    /// <summary>Runs a tool in a folder; the exit code and all it said.</summary>
    public static (int Code, string Output) Run(string tool, string folder, params string[] args)
    {
        var start = new ProcessStartInfo(Find(tool)!, args) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.GetAwaiter().GetResult());
    }

    /// <summary>Asserts that a tool finds nothing wrong.</summary>
    public static void Accepts(string tool, string folder, params string[] args)
    {
        (int code, string output) = Run(tool, folder, args);
        Assert.True(code == 0, $"{tool} {string.Join(' ', args)}: exit code {code}\n{output}");
    }

    private static string? Find(string tool)
    {
        string? directory = Environment.GetEnvironmentVariable("OPTIINFRA_TOOLS") ?? Path.Combine(Golden.Root, ".tools");
        string path = Path.Combine(directory, tool);
        return File.Exists(path) ? path : null;
    }
}

/// <summary>A folder that is gone after the test.</summary>
internal sealed class TempFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("optiinfra-").FullName;

    public void Write(string file, string text)
    {
        string path = System.IO.Path.Combine(Path, file);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
