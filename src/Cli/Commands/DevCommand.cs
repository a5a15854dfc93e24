using System.CommandLine;
using System.Diagnostics;
using OptiInfra.Cli.Dev;
using OptiInfra.Cli.Output;
using OptiInfra.Kubernetes.Client;

namespace OptiInfra.Cli.Commands;

/// <summary><c>optiinfra dev</c>: the whole product on one machine, without a cluster.</summary>
internal static class DevCommand
{
    public static Command Create(Terminal terminal)
    {
        Option<string?> apply = new("--apply") { Description = "Folder or file with resources to apply. Default: the samples of the demo fleet." };
        Option<string?> folder = new("--folder") { Description = "Keep configuration, data and logs here. Default: a temporary folder, removed at the end." };
        Option<int> apiPort = new("--api-port") { Description = "Port of the API server. Default: a free one." };
        Option<int> prometheusPort = new("--prometheus-port") { Description = "Port of Prometheus. Default: a free one." };
        Option<bool> noFleet = new("--no-fleet") { Description = "Do not run the demo fleet." };
        Option<bool> once = new("--once") { Description = "End as soon as everything is up; for scripts." };
        Command command = new("dev", "Run API server, operator, Prometheus and a demo fleet on this machine.") { apply, folder, apiPort, prometheusPort, noFleet, once };
        command.SetAction((parsed, stop) => RunAsync(terminal, new DevOptions
        {
            Apply = parsed.GetValue(apply),
            Folder = parsed.GetValue(folder),
            ApiPort = parsed.GetValue(apiPort),
            PrometheusPort = parsed.GetValue(prometheusPort),
            Fleet = !parsed.GetValue(noFleet),
        }, parsed.GetValue(once), stop));
        return command;
    }

    private static async Task<int> RunAsync(Terminal terminal, DevOptions options, bool once, CancellationToken stop)
    {
        if (options.Apply is { } path && !Directory.Exists(path) && !File.Exists(path))
        {
            return terminal.Fail($"there is no file or folder {path}");
        }

        long start = Stopwatch.GetTimestamp();
        try
        {
            await using DevCluster cluster = await DevCluster.StartAsync(options, line => terminal.Out.WriteLine($"… {line}"), stop);
            DevScreen screen = new(terminal, cluster, start);
            screen.PrintHead();
            await screen.FollowAsync(once, stop);
            terminal.Out.WriteLine("stopping");
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Ctrl-C is how one stops it.
        }
        catch (Exception failed) when (failed is KubeException or ChildProcessException or IOException)
        {
            return terminal.Fail(failed.Message);
        }

        return ExitCode.Done;
    }
}
