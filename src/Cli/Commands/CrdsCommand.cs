using System.CommandLine;
using OptiInfra.Cli.Output;
using OptiInfra.Crds.Schema;

namespace OptiInfra.Cli.Commands;

/// <summary><c>optiinfra crds</c>: the CustomResourceDefinitions, to the output or as one file each into a folder.</summary>
internal static class CrdsCommand
{
    public static Command Create(Terminal terminal)
    {
        Option<DirectoryInfo?> output = new("--output", "-o") { Description = "Write one file per kind into this folder instead." };
        Command command = new("crds", "Print the CustomResourceDefinitions.") { output };
        command.SetAction((parsed, stop) => RunAsync(terminal, parsed.GetValue(output), stop));
        return command;
    }

    private static async Task<int> RunAsync(Terminal terminal, DirectoryInfo? output, CancellationToken stop)
    {
        if (output is null)
        {
            await terminal.Out.WriteAsync(string.Join("---\n", CrdManifest.All.Select(manifest => manifest.ToYaml())));
            return ExitCode.Done;
        }

        output.Create();
        foreach (CrdManifest manifest in CrdManifest.All)
        {
            string path = Path.Combine(output.FullName, $"{manifest.Kind.Group}_{manifest.Kind.Plural}.yaml");
            await File.WriteAllTextAsync(path, manifest.ToYaml(), stop);
        }

        return ExitCode.Done;
    }
}
