using System.Diagnostics;

namespace OptiInfra.Metrics.Tests.Exposition;

/// <summary>The real Prometheus and its tools, from OPTIINFRA_TOOLS or .tools at the repository's root.</summary>
internal static class PrometheusTools
{
    public static string? Find(string relative)
    {
        foreach (string? root in new[] { Environment.GetEnvironmentVariable("OPTIINFRA_TOOLS"), RepositoryTools() })
        {
            if (root is not null && File.Exists(Path.Combine(root, relative)))
            {
                return Path.Combine(root, relative);
            }
        }

        return null;
    }

    public static string Require(string relative) => Find(relative)
        ?? throw new InvalidOperationException($"{relative} is missing: run tools/install.sh, or set OPTIINFRA_TOOLS to the folder that has it");

    /// <summary>Runs <c>promtool check metrics</c> and returns what it says; empty means that nothing is wrong.</summary>
    public static async Task<string> CheckMetricsAsync(string text)
    {
        using Process promtool = Process.Start(new ProcessStartInfo(Require("prom-3.5/promtool"), ["check", "metrics"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        await promtool.StandardInput.WriteAsync(text);
        promtool.StandardInput.Close();
        Task<string> output = promtool.StandardOutput.ReadToEndAsync();
        string errors = await promtool.StandardError.ReadToEndAsync();
        await promtool.WaitForExitAsync();
        return errors + await output;
    }

    private static string? RepositoryTools()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "OptiInfra.sln")))
        {
            folder = folder.Parent;
        }

        return folder is null ? null : Path.Combine(folder.FullName, ".tools");
    }
}

/// <summary>A test that needs the Prometheus binaries. Without them it is skipped, except in CI, where it fails and says so.</summary>
internal sealed class PrometheusFactAttribute : FactAttribute
{
    public PrometheusFactAttribute()
    {
        if (PrometheusTools.Find("prom-3.5/promtool") is null && Environment.GetEnvironmentVariable("CI") != "true")
        {
            Skip = "needs prom-2.53 and prom-3.5 in OPTIINFRA_TOOLS or .tools (run tools/install.sh)";
        }
    }
}

/// <inheritdoc cref="PrometheusFactAttribute"/>
internal sealed class PrometheusTheoryAttribute : TheoryAttribute
{
    public PrometheusTheoryAttribute()
    {
        if (PrometheusTools.Find("prom-3.5/promtool") is null && Environment.GetEnvironmentVariable("CI") != "true")
        {
            Skip = "needs prom-2.53 and prom-3.5 in OPTIINFRA_TOOLS or .tools (run tools/install.sh)";
        }
    }
}
