using System.CommandLine;
using OptiInfra.Cli.Output;
using OptiInfra.PromQL.Testing;
using OptiInfra.PromQL.Types;

namespace OptiInfra.Cli.Commands;

/// <summary>
/// <c>optiinfra promql script FILE…</c>: runs test scripts in Prometheus' own format (load, eval instant, eval range, expect) on our
/// engine. What failed goes to standard error as <c>file:line: query: reason</c>, the count per file to standard output.
/// </summary>
internal static class PromqlScriptCommand
{
    public static Command Create(Terminal terminal)
    {
        Argument<FileInfo[]> files = new("file") { Description = "Test scripts.", Arity = ArgumentArity.OneOrMore };
        Option<PrometheusVersion> version = PromqlCommand.VersionOption();
        Command command = new("script", "Run PromQL test scripts on our own engine and count passed, failed and refused evaluations.") { files, version };
        command.SetAction((parsed, stop) => RunAsync(parsed.GetValue(files)!, parsed.GetValue(version), terminal, stop));
        return command;
    }

    private static async Task<int> RunAsync(FileInfo[] files, PrometheusVersion version, Terminal terminal, CancellationToken stop)
    {
        int code = ExitCode.Done;
        foreach (FileInfo file in files)
        {
            string script;
            try
            {
                script = await File.ReadAllTextAsync(file.FullName, stop);
            }
            catch (IOException error)
            {
                terminal.Error.WriteLine($"{file}: {error.Message}");
                return ExitCode.Environment;
            }

            IReadOnlyList<ScriptCase> cases = ScriptRunner.Run(script, version);
            foreach (ScriptCase bad in cases.Where(one => one.Outcome != ScriptOutcome.Passed))
            {
                terminal.Error.WriteLine($"{file}:{bad.Line}: {bad.Text}: {bad.Message}");
            }

            int Count(ScriptOutcome outcome) => cases.Count(one => one.Outcome == outcome);
            terminal.Out.WriteLine($"{file}: {Count(ScriptOutcome.Passed)} passed, {Count(ScriptOutcome.Failed)} failed, {Count(ScriptOutcome.Refused)} refused");
            code = Count(ScriptOutcome.Failed) > 0 ? ExitCode.UserError : code;
        }

        return code;
    }
}
