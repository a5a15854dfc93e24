using Microsoft.Extensions.Logging;

namespace OptiInfra.Cli.Dev;

/// <summary>What the parts of a laptop cluster have to say, in one file instead of on the screen.</summary>
internal sealed class FileLog(string path, TimeProvider clock) : ILogger, IDisposable
{
    private readonly Lock gate = new();
    private readonly StreamWriter file = new(path, append: true) { AutoFlush = true };

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
        {
            return;
        }

        lock (gate)
        {
            file.WriteLine($"{clock.GetUtcNow():O} {logLevel} {formatter(state, exception)}{(exception is null ? "" : "\n" + exception)}");
        }
    }

    public void Dispose() => file.Dispose();
}
