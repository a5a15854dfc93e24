using System.CommandLine;
using OptiInfra.Cli.Output;
using OptiInfra.PromQL.Rules;
using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Types;

namespace OptiInfra.Cli.Commands;

/// <summary>
/// <c>optiinfra fmt PATH…</c>: the expressions in rule files and resources in Prometheus' own form. Files are rewritten; standard input goes
/// to standard output. With <c>--check</c> nothing is written, and unformatted files end it with 1.
/// </summary>
internal static class FmtCommand
{
    public static Command Create(Terminal terminal)
    {
        Argument<string[]> paths = new("path") { Description = "Files or folders with rules; - reads standard input and writes standard output.", Arity = ArgumentArity.OneOrMore };
        Option<bool> check = new("--check") { Description = "Only say which files are not formatted." };
        Option<PrometheusVersion> version = PromqlCommand.VersionOption();
        Command command = new("fmt", "Format the expressions of alerting and recording rules.") { paths, check, version };
        command.SetAction((parsed, stop) => RunAsync(terminal, parsed.GetValue(paths)!, parsed.GetValue(check), parsed.GetValue(version), stop));
        return command;
    }

    private static async Task<int> RunAsync(Terminal terminal, string[] paths, bool check, PrometheusVersion version, CancellationToken stop)
    {
        if (await LintCommand.ReadAsync(terminal, paths, stop) is not { } sources)
        {
            return ExitCode.Environment;
        }
        var options = new ParserOptions { Version = version, ExperimentalFunctions = true };
        int code = ExitCode.Done;
        foreach ((string source, string text) in sources)
        {
            var files = RuleDocuments.Read(text, source, options);
            int wrong = terminal.Report(files.SelectMany(file => file.Diagnostics));
            (string formatted, int changed) = RuleFormatter.Format(text, files);
            code = Math.Max(code, wrong);
            if (check)
            {
                if (changed > 0)
                {
                    terminal.Out.WriteLine(source);
                    code = ExitCode.UserError;
                }
            }
            else if (source == "<stdin>")
            {
                await terminal.Out.WriteAsync(formatted);
            }
            else if (changed > 0)
            {
                await File.WriteAllTextAsync(source, formatted, stop);
                terminal.Error.WriteLine($"{source}: {changed} formatted");
            }
        }
        return code;
    }
}
