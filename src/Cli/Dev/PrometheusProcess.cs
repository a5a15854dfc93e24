using System.Text.RegularExpressions;

namespace OptiInfra.Cli.Dev;

/// <summary>A real Prometheus on a free loopback port, with its data in a folder of ours.</summary>
internal sealed partial class PrometheusProcess : IAsyncDisposable
{
    private readonly ChildProcess child;

    private PrometheusProcess(ChildProcess child, Uri address)
    {
        this.child = child;
        Address = address;
    }

    public Uri Address { get; }

    public int Id => child.Id;

    public bool HasExited => child.HasExited;

    public string Tail => child.Tail;

    /// <summary>Starts the server on a configuration file that exists, and returns once it listens. Port 0 takes a free one.</summary>
    public static async Task<PrometheusProcess> StartAsync(Tool prometheus, string configFile, string dataFolder, int port, CancellationToken stop)
    {
        Directory.CreateDirectory(dataFolder);
        ChildProcess child = ChildProcess.Start("prometheus", prometheus.Path,
        [
            $"--config.file={configFile}",
            $"--storage.tsdb.path={Path.Combine(dataFolder, "tsdb")}",
            "--storage.tsdb.retention.time=1d",
            $"--web.listen-address=127.0.0.1:{port}",
            "--web.enable-lifecycle",
        ], Path.Combine(dataFolder, "prometheus.log"));
        try
        {
            string address = await child.WaitForAsync(ListeningOn, stop);
            return new PrometheusProcess(child, new Uri($"http://{address}/"));
        }
        catch
        {
            await child.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => child.DisposeAsync();

    private static string? ListeningOn(string line)
    {
        Match match = Listening().Match(line);
        return match.Success ? match.Groups[1].Value : null;
    }

    [GeneratedRegex("""msg="Listening on".* address=(127\.0\.0\.1:\d+)""")]
    private static partial Regex Listening();
}
