using System.CommandLine;
using OptiInfra.Cli.Commands;
using OptiInfra.Cli.Output;

namespace OptiInfra.Cli;

/// <summary>
/// The <c>optiinfra</c> command line. One file per command in Commands/, each a <c>Create(Terminal)</c> that returns
/// its <see cref="Command"/>; the list below is all there is. A command parses its arguments, calls the compiler, the
/// linter or the operator, and prints; it holds no knowledge of its own.
/// Exit codes: 0 done, 1 what the user wrote is wrong, 2 wrong usage or the environment failed.
/// </summary>
internal static class Program
{
    public static Task<int> Main(string[] args) => RunAsync(args, Terminal.Detect());

    public static async Task<int> RunAsync(string[] args, Terminal terminal, CancellationToken stop = default)
    {
        RootCommand root = new("Monitoring for fleets of LLM agents, from one set of resources.")
        {
            ApiServerCommand.Create(terminal),
            CrdsCommand.Create(terminal),
            DevCommand.Create(terminal),
            DoctorCommand.Create(terminal),
            FmtCommand.Create(terminal),
            LintCommand.Create(terminal),
            PromqlCommand.Create(terminal),
            RenderCommand.Create(terminal),
            TestCommand.Create(terminal),
        };

        ParseResult parsed = root.Parse(args);
        int code = await parsed.InvokeAsync(terminal.Invocation, stop);
        return parsed.Errors.Count > 0 ? ExitCode.Environment : code;
    }
}
