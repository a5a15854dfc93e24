namespace OptiInfra.PromQL.Tests.Support;

/// <summary>Finds the binaries that judge us: in the folder OPTIINFRA_TOOLS names, or in .tools at the root of the checkout.</summary>
internal static class Tools
{
    public static string? Find(string name) =>
        Roots().Select(root => Path.Combine(root, name)).FirstOrDefault(File.Exists);

    private static IEnumerable<string> Roots()
    {
        if (Environment.GetEnvironmentVariable("OPTIINFRA_TOOLS") is { Length: > 0 } named)
        {
            yield return named;
        }
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "OptiInfra.sln")))
            {
                yield return Path.Combine(folder.FullName, ".tools");
            }
        }
    }
}

/// <summary>A fact that is judged by a binary, and skipped where that binary is not installed (tools/install.sh).</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ToolFactAttribute : FactAttribute
{
    public ToolFactAttribute(params string[] tools)
    {
        if (tools.FirstOrDefault(tool => Tools.Find(tool) is null) is { } missing)
        {
            Skip = $"needs {missing} in OPTIINFRA_TOOLS or .tools";
        }
    }
}

/// <summary>A theory that is judged by a binary, and skipped where that binary is not installed (tools/install.sh).</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ToolTheoryAttribute : TheoryAttribute
{
    public ToolTheoryAttribute(params string[] tools)
    {
        if (tools.FirstOrDefault(tool => Tools.Find(tool) is null) is { } missing)
        {
            Skip = $"needs {missing} in OPTIINFRA_TOOLS or .tools";
        }
    }
}
