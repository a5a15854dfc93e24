using OptiInfra.Cli.Dev;

namespace OptiInfra.Operator;

/// <summary>
/// A real Prometheus with a folder of its own for one test. Where the machine has no Prometheus
/// (<c>optiinfra doctor</c> says so), the tests that need one do nothing.
/// </summary>
internal sealed class RealPrometheus : IAsyncDisposable
{
    private readonly PrometheusProcess process;

    private RealPrometheus(PrometheusProcess process, string folder)
    {
        this.process = process;
        Folder = folder;
    }

    public string Folder { get; }

    public Uri Address => process.Address;

    /// <summary>Starts a server on <c>prometheus.yml</c> of a new folder, which <paramref name="prepare"/> fills first.</summary>
    public static async Task<RealPrometheus?> StartAsync(Action<string> prepare, string configFile = "prometheus.yml")
    {
        Tool? tool = await Toolbox.FindAsync("prometheus", CancellationToken.None);
        if (tool is null || tool.Version < Toolbox.OldestPrometheus)
        {
            return null;
        }

        string folder = Directory.CreateTempSubdirectory("optiinfra-test-").FullName;
        prepare(folder);
        PrometheusProcess process = await PrometheusProcess.StartAsync(tool, Path.Combine(folder, configFile), Path.Combine(folder, "data"), 0, CancellationToken.None);
        return new RealPrometheus(process, folder);
    }

    public async ValueTask DisposeAsync()
    {
        await process.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
