using System.CommandLine;
using OptiInfra.Cli.Output;
using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Types;

namespace OptiInfra.Cli.Commands;

/// <summary>
/// <c>optiinfra promql check</c> and <c>format</c>: for programs that have many expressions to ask about. Both read one JSON string
/// a line from standard input and answer each with one JSON object a line, without waiting for the next.
/// </summary>
internal static class PromqlCommand
{
    public static Command Create(Terminal terminal) => new("promql", "Check, format or run PromQL.")
    {
        Streaming(terminal, "check", "Say of each expression whether Prometheus accepts it, its type, and what is wrong with it.", PromQLCheck.CheckLine),
        Streaming(terminal, "format", "Write each expression as promtool promql format would.", PromQLCheck.FormatLine),
        PromqlScriptCommand.Create(terminal),
    };

    /// <summary>The option that every command has which judges PromQL.</summary>
    public static Option<PrometheusVersion> VersionOption() => new("--prometheus-version")
    {
        Description = "The Prometheus whose verdict is wanted.",
        HelpName = "VERSION",
        DefaultValueFactory = _ => PrometheusVersion.Default,
        CustomParser = argument =>
        {
            if (!PrometheusVersion.TryParse(argument.Tokens[0].Value, out PrometheusVersion version))
            {
                argument.AddError($"'{argument.Tokens[0].Value}' is no Prometheus version; write it as 3.5.");
            }
            return version;
        },
    };

    private static Command Streaming(Terminal terminal, string name, string description, Func<string, ParserOptions, string> answer)
    {
        Option<PrometheusVersion> version = VersionOption();
        Option<bool> experimental = new("--enable-experimental")
        {
            Description = "Allow experimental functions, as --enable-feature=promql-experimental-functions does.",
        };
        Option<bool> durations = new("--enable-duration-expressions")
        {
            Description = "Allow arithmetic in durations, as --enable-feature=promql-duration-expr does.",
        };
        Command command = new(name, description) { version, experimental, durations };
        command.SetAction(async (parsed, stop) =>
        {
            var options = new ParserOptions
            {
                Version = parsed.GetValue(version),
                ExperimentalFunctions = parsed.GetValue(experimental),
                DurationExpressions = parsed.GetValue(durations),
            };
            while (await terminal.In.ReadLineAsync(stop) is { } line)
            {
                await terminal.Out.WriteLineAsync(answer(line, options));
                await terminal.Out.FlushAsync(stop);
            }
            return ExitCode.Done;
        });
        return command;
    }
}
