using System.CommandLine;
using OptiInfra.PromQL.Text;
using Spectre.Console;

namespace OptiInfra.Cli.Output;

/// <summary>
/// Where a command prints. Results go to <see cref="Out"/>, findings and problems to <see cref="Error"/>; colours and
/// moving progress only where a person watches (a terminal, no NO_COLOR, TERM not dumb), so that pipes get plain text.
/// </summary>
internal sealed class Terminal
{
    private Terminal(IAnsiConsole screen, TextReader input, TextWriter output, TextWriter error, bool interactive)
    {
        Screen = screen;
        In = input;
        Out = output;
        Error = error;
        Interactive = interactive;
        Invocation = new InvocationConfiguration
        {
            Output = output,
            Error = error,
            // The first Ctrl-C asks; whoever does not answer within this time is ended.
            ProcessTerminationTimeout = TimeSpan.FromSeconds(20),
        };
    }

    /// <summary>For tables and progress; writes to the same place as <see cref="Out"/>.</summary>
    public IAnsiConsole Screen { get; }

    public TextReader In { get; }

    public TextWriter Out { get; }

    public TextWriter Error { get; }

    /// <summary>A person is watching: live progress is welcome.</summary>
    public bool Interactive { get; }

    public InvocationConfiguration Invocation { get; }

    public static Terminal Detect()
    {
        bool interactive = !Console.IsOutputRedirected
            && Environment.GetEnvironmentVariable("NO_COLOR") is null or ""
            && Environment.GetEnvironmentVariable("TERM") != "dumb";
        return Create(Console.In, Console.Out, Console.Error, interactive);
    }

    /// <summary>A terminal without colours that writes into the given writers; for pipes and tests.</summary>
    public static Terminal Plain(TextWriter output, TextWriter error, TextReader? input = null) =>
        Create(input ?? TextReader.Null, output, error, interactive: false);

    /// <summary>Prints findings, one line each, and returns the exit code they call for.</summary>
    public int Report(IEnumerable<Diagnostic> findings)
    {
        bool failed = false;
        foreach (Diagnostic finding in findings)
        {
            failed |= finding.IsError;
            Error.WriteLine(finding.ToString());
        }

        return failed ? ExitCode.UserError : ExitCode.Done;
    }

    /// <summary>Says what is missing and what to do about it; returns the exit code for it.</summary>
    public int Fail(string message, string? hint = null)
    {
        Error.WriteLine($"optiinfra: {message}");
        if (hint is not null)
        {
            Error.WriteLine($"  {hint}");
        }

        return ExitCode.Environment;
    }

    private static Terminal Create(TextReader input, TextWriter output, TextWriter error, bool interactive)
    {
        IAnsiConsole screen = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = interactive ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = interactive ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = interactive ? InteractionSupport.Detect : InteractionSupport.No,
            Out = new AnsiConsoleOutput(output),
        });
        return new Terminal(screen, input, output, error, interactive);
    }
}
