using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Threading.Channels;

namespace OptiInfra.Cli.Dev;

/// <summary>
/// A program that runs beside us and ends with us: it is asked to stop (SIGTERM), then, after a grace, made to.
/// Its last lines are kept, so that whoever finds it dead can say why.
/// </summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private const int Sigterm = 15;
    private const int KeptLines = 40;

    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    private readonly Process process;
    private readonly TimeProvider clock;
    private readonly Queue<string> tail = new();
    private readonly Channel<string> lines = Channel.CreateUnbounded<string>();
    private readonly StreamWriter? log;

    private ChildProcess(string name, Process process, StreamWriter? log, TimeProvider clock)
    {
        Name = name;
        this.process = process;
        this.log = log;
        this.clock = clock;
    }

    public string Name { get; }

    public int Id => process.Id;

    public bool HasExited => process.HasExited;

    /// <summary>What the program said last; for the message about its end.</summary>
    public string Tail
    {
        get
        {
            lock (tail)
            {
                return string.Join('\n', tail);
            }
        }
    }

    /// <summary>Starts a program; everything it prints also goes to <paramref name="logFile"/> when one is given.</summary>
    public static ChildProcess Start(string name, string path, IEnumerable<string> arguments, string? logFile = null, IReadOnlyDictionary<string, string>? environment = null, TimeProvider? clock = null)
    {
        ProcessStartInfo start = new(path, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach ((string key, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[key] = value;
        }

        StreamWriter? log = logFile is null ? null : new StreamWriter(logFile, append: true) { AutoFlush = true };
        Process process = new() { StartInfo = start, EnableRaisingEvents = true };
        ChildProcess child = new(name, process, log, clock ?? TimeProvider.System);
        process.OutputDataReceived += (_, line) => child.Keep(line.Data);
        process.ErrorDataReceived += (_, line) => child.Keep(line.Data);
        process.Exited += (_, _) => child.lines.Writer.TryComplete();
        process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return child;
    }

    /// <summary>Waits for the first line that <paramref name="find"/> makes something of; fails when the program ends before.</summary>
    public async Task<string> WaitForAsync(Func<string, string?> find, CancellationToken stop)
    {
        await foreach (string line in lines.Reader.ReadAllAsync(stop))
        {
            if (find(line) is { } found)
            {
                return found;
            }
        }

        throw new ChildProcessException($"{Name} ended before it was ready:\n{Tail}");
    }

    public Task WaitForExitAsync(CancellationToken stop) => process.WaitForExitAsync(stop);

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            _ = Kill(process.Id, Sigterm);
            using CancellationTokenSource patience = new(Grace, clock);
            try
            {
                await process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                await process.WaitForExitAsync(CancellationToken.None);
            }
        }

        process.Dispose();
        lock (tail)
        {
            log?.Dispose();
        }
    }

    private void Keep(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (tail)
        {
            tail.Enqueue(line);
            if (tail.Count > KeptLines)
            {
                tail.Dequeue();
            }

            if (log?.BaseStream.CanWrite == true)
            {
                log.WriteLine(line);
            }
        }

        lines.Writer.TryWrite(line);
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int pid, int signal);
}

/// <summary>A program that we need did not start or did not stay.</summary>
internal sealed class ChildProcessException(string message) : Exception(message);
