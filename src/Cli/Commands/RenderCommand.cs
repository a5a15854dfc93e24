using System.CommandLine;
using OptiInfra.Cli.Output;
using OptiInfra.Compiler.Emit;
using OptiInfra.Compiler.Input;

namespace OptiInfra.Cli.Commands;

/// <summary>
/// <c>optiinfra render DIR -o OUT</c>: the resources in a folder (or file) as plain files. With a mistake anywhere it
/// says where, ends with 1 and writes nothing.
/// </summary>
internal static class RenderCommand
{
    /// <summary>Names what was written, so that the next run knows what to remove.</summary>
    private const string WrittenList = ".optiinfra-files";

    public static Command Create(Terminal terminal)
    {
        Argument<FileSystemInfo[]> input = new("path") { Description = "Folders or files with OptiAgents, AlertPolicies and a MonitoringStack.", Arity = ArgumentArity.OneOrMore };
        Option<DirectoryInfo> output = new("--output", "-o") { Description = "The folder to write.", Required = true };
        Command command = new("render", "Compile resources to files for Prometheus, Alertmanager, Grafana and docker-compose.") { input, output };
        command.SetAction((parsed, stop) => RunAsync(terminal, parsed.GetValue(input) ?? [], parsed.GetValue(output)!, stop));
        return command;
    }

    private static async Task<int> RunAsync(Terminal terminal, FileSystemInfo[] input, DirectoryInfo output, CancellationToken stop)
    {
        foreach (FileSystemInfo missing in input.Where(item => !Path.Exists(item.FullName)))
        {
            return terminal.Fail($"{missing} does not exist", "give a folder or a file with resources");
        }

        List<(string Source, string Text)> texts = [];
        foreach (string file in Files(input))
        {
            texts.Add((Path.GetRelativePath(Environment.CurrentDirectory, file), await File.ReadAllTextAsync(file, stop)));
        }

        RenderedFiles rendered = RenderedFiles.Render(ResourceReader.Read(texts));
        int code = terminal.Report(rendered.Diagnostics);
        if (code != ExitCode.Done)
        {
            return code;
        }

        await RemoveStale(rendered, output, stop);
        foreach (RenderedFile file in rendered.Files)
        {
            string path = Path.Combine(output.FullName, file.Path);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await File.WriteAllTextAsync(path, file.Text, stop);
        }

        terminal.Out.WriteLine($"{rendered.Files.Count} files written to {output}");
        return ExitCode.Done;
    }

    /// <summary>What an earlier run wrote and this one does not is removed: a deleted agent must not be scraped for ever.</summary>
    private static async Task RemoveStale(RenderedFiles rendered, DirectoryInfo output, CancellationToken stop)
    {
        string list = Path.Combine(output.FullName, WrittenList);
        if (File.Exists(list))
        {
            HashSet<string> current = [.. rendered.Files.Select(file => file.Path)];
            foreach (string path in (await File.ReadAllLinesAsync(list, stop)).Where(path => path.Length > 0 && !path.Contains("..", StringComparison.Ordinal) && !current.Contains(path)))
            {
                File.Delete(Path.Combine(output.FullName, path));
            }
        }

        output.Create();
        await File.WriteAllLinesAsync(list, rendered.Files.Select(file => file.Path), stop);
    }

    private static IEnumerable<string> Files(FileSystemInfo[] input) => input
        .SelectMany(item => Directory.Exists(item.FullName)
            ? Directory.EnumerateFiles(item.FullName, "*", SearchOption.AllDirectories).Where(file => Path.GetExtension(file) is ".yaml" or ".yml").Order(StringComparer.Ordinal)
            : (IEnumerable<string>)[item.FullName])
        .Distinct();
}
