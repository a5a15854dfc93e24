namespace OptiInfra.Cli.Output;

/// <summary>What the process says to a script when it ends.</summary>
internal static class ExitCode
{
    public const int Done = 0;

    /// <summary>What the user wrote is wrong; nothing was changed.</summary>
    public const int UserError = 1;

    /// <summary>The command line itself is wrong, or a file, a tool or a server that is needed is missing.</summary>
    public const int Environment = 2;
}
