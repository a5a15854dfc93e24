using System.Diagnostics;
using System.Text.RegularExpressions;

namespace OptiInfra.Cli.Dev;

/// <summary>A program that is on this machine: where it is and which version it says it has.</summary>
internal sealed record Tool(string Name, string Path, Version Version);

/// <summary>
/// Finds the programs OptiInfra works with. They are looked for, in this order, in the folder OPTIINFRA_TOOLS, in a
/// <c>.tools</c> folder beside or above this program or the working directory (tools/install.sh fills one), and in
/// PATH. A folder may hold several builds in subfolders (<c>prom-3.5</c>, <c>prom-2.53</c>); the newest is taken.
/// </summary>
internal static partial class Toolbox
{
    /// <summary>The first Prometheus that reads <c>scrape_config_files</c>.</summary>
    public static readonly Version OldestPrometheus = new(2, 43);

    private static readonly string[] SystemFolders = ["/usr/lib/postgresql/bin", "/usr/sbin", "/usr/bin"];

    public static string InstallHint => "run tools/install.sh in a checkout, or set OPTIINFRA_TOOLS to a folder that holds it";

    /// <summary>The newest build of a program that can be run, or null.</summary>
    public static async Task<Tool?> FindAsync(string name, CancellationToken stop)
    {
        Tool? best = null;
        foreach (string path in Candidates(name))
        {
            Version? version = await VersionOfAsync(path, stop);
            if (version is not null && (best is null || version > best.Version))
            {
                best = new Tool(name, path, version);
            }
        }

        return best;
    }

    /// <summary>Every file of that name, in order of preference; the first folder that has any decides.</summary>
    private static IEnumerable<string> Candidates(string name)
    {
        foreach (string folder in Folders())
        {
            string[] found = [.. FilesIn(folder, name)];
            if (found.Length > 0)
            {
                return found;
            }
        }

        IEnumerable<string> path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries);
        return path.Concat(SystemFolders).Select(folder => Path.Combine(folder, name)).Where(File.Exists).Take(1);
    }

    private static IEnumerable<string> FilesIn(string folder, string name)
    {
        if (!Directory.Exists(folder))
        {
            return [];
        }

        IEnumerable<string> folders = Directory.EnumerateDirectories(folder).Prepend(folder);
        return folders.Select(sub => Path.Combine(sub, name)).Where(File.Exists);
    }

    private static IEnumerable<string> Folders()
    {
        if (Environment.GetEnvironmentVariable("OPTIINFRA_TOOLS") is { Length: > 0 } named)
        {
            yield return named;
        }

        foreach (string start in (string[])[Environment.CurrentDirectory, AppContext.BaseDirectory])
        {
            for (DirectoryInfo? at = new(start); at is not null; at = at.Parent)
            {
                yield return Path.Combine(at.FullName, ".tools");
            }
        }
    }

    private static async Task<Version?> VersionOfAsync(string path, CancellationToken stop)
    {
        string[] arguments = Path.GetFileName(path) == "kubectl" ? ["version", "--client"] : ["--version"];
        ProcessStartInfo start = new(path, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        try
        {
            using Process process = Process.Start(start)!;
            Task<string> output = process.StandardOutput.ReadToEndAsync(stop);
            Task<string> error = process.StandardError.ReadToEndAsync(stop);
            await process.WaitForExitAsync(stop);
            Match match = VersionNumber().Match(await output + await error);
            return match.Success ? Version.Parse(match.Value) : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // Not a program for this machine: as good as not there.
            return null;
        }
    }

    [GeneratedRegex(@"\d+\.\d+(\.\d+)?")]
    private static partial Regex VersionNumber();
}
