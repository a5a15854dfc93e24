using System.CommandLine;
using OptiInfra.Cli.Dev;
using OptiInfra.Cli.Output;

namespace OptiInfra.Cli.Commands;

/// <summary><c>optiinfra doctor</c>: what this machine has of the programs that <c>dev</c> and the tests use, and what is left out without them.</summary>
internal static class DoctorCommand
{
    private static readonly (string Name, string Without)[] Wanted =
    [
        ("prometheus", "dev runs without targets and rules; the end-to-end tests are left out"),
        ("promtool", "rule files are checked by our own linter only"),
        ("alertmanager", "dev sends no notifications"),
        ("amtool", "routes are checked by our own model only"),
        ("kubectl", "dev still serves its API; any other client works"),
    ];

    public static Command Create(Terminal terminal)
    {
        Command command = new("doctor", "Say which programs this machine has and what is left out without the others.");
        command.SetAction((_, stop) => RunAsync(terminal, stop));
        return command;
    }

    private static async Task<int> RunAsync(Terminal terminal, CancellationToken stop)
    {
        TextTable table = new("PROGRAM", "VERSION", "WHERE");
        List<string> missing = [];
        foreach ((string name, string without) in Wanted)
        {
            Tool? tool = await Toolbox.FindAsync(name, stop);
            bool tooOld = name == "prometheus" && tool is not null && tool.Version < Toolbox.OldestPrometheus;
            table.Add(name, tool?.Version.ToString() ?? "-", tool?.Path ?? "not found");
            if (tool is null || tooOld)
            {
                missing.Add(tooOld ? $"{name} {tool!.Version} is older than {Toolbox.OldestPrometheus}: {without}" : $"no {name}: {without}");
            }
        }

        table.Write(terminal.Out);
        foreach (string line in missing)
        {
            terminal.Out.WriteLine(line);
        }

        if (missing.Count > 0)
        {
            terminal.Out.WriteLine($"To get them, {Toolbox.InstallHint}.");
        }

        return ExitCode.Done;
    }
}
