using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Microsoft.Extensions.Logging;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Runtime;
using OptiInfra.Metrics;
using OptiInfra.Operator.Feedback;
using OptiInfra.Operator.Probes;
using OptiInfra.Operator.Sync;

namespace OptiInfra.Operator;

/// <summary>From flags and environment to the options of the two programs. <c>--log-level</c> is <c>OPTIINFRA_LOG_LEVEL</c>, and so on.</summary>
internal static class CommandLineOptions
{
    public static Command Operator()
    {
        Option<string?> kubeconfig = Text("--kubeconfig", "Path of a kubeconfig. Default: KUBECONFIG, the Pod's service account, or ~/.kube/config.");
        Option<string?> namespaces = Text("--namespaces", "Namespaces to look at, separated by commas. Default: all.");
        Option<string?> election = Text("--leader-election", "Whether several copies agree on one that works. Default: true.", "true");
        Option<string?> leaseNamespace = Text("--lease-namespace", "Namespace of the Lease. Default: the Pod's own.");
        Option<string?> identity = Text("--identity", "Name of this copy. Default: the Pod's name.", Environment.GetEnvironmentVariable("POD_NAME") ?? Environment.MachineName);
        Option<string?> listen = Text("--listen", "Address of /healthz, /readyz and /metrics.", "http://0.0.0.0:8080");
        Option<string?> image = Text("--image", "Image of managed stacks' sync: this program's own.");
        Option<string?> feedback = Text("--feedback-seconds", "Seconds between two looks at Prometheus.", "5");
        Option<string?> level = Text("--log-level", "trace, debug, information, warning or error.", "information");
        Command command = new("operator", "Compile agents and policies into the configuration of their stacks, and write back what became of them.")
        {
            kubeconfig, namespaces, election, leaseNamespace, identity, listen, image, feedback, level,
        };
        command.SetAction((parsed, stop) => RunAsync(parsed.GetValue(kubeconfig), parsed.GetValue(level), (client, metrics, logger) =>
        {
            OperatorOptions options = new()
            {
                Namespaces = (parsed.GetValue(namespaces) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
                LeaderElection = parsed.GetValue(election) != "false",
                LeaseNamespace = parsed.GetValue(leaseNamespace) ?? client.Config.Namespace,
                Identity = parsed.GetValue(identity)!,
                Listen = parsed.GetValue(listen) is { Length: > 0 } address ? address : null,
                Image = parsed.GetValue(image),
                Feedback = new FeedbackOptions { Interval = TimeSpan.FromSeconds(double.Parse(parsed.GetValue(feedback)!, CultureInfo.InvariantCulture)) },
            };
            return new OperatorApp(options, client, metrics, TimeProvider.System, logger).RunAsync(stop);
        }));
        return command;
    }

    public static Command Sync()
    {
        Option<string?> kubeconfig = Text("--kubeconfig", "Path of a kubeconfig. Default: KUBECONFIG, the Pod's service account, or ~/.kube/config.");
        Option<string?> stack = Text("--stack", "Name of the MonitoringStack.", "default");
        Option<string?> ns = Text("--namespace", "Namespace of the MonitoringStack. Default: the Pod's own.");
        Option<string?> directory = Text("--directory", "Folder that Prometheus reads; its --config.file is current/prometheus.yml in it.", "/etc/optiinfra");
        Option<string?> prometheus = Text("--prometheus", "Where Prometheus answers.", "http://127.0.0.1:9090");
        Option<string?> replica = Text("--replica", "Which copy of Prometheus this is. Default: the Pod's name.", Environment.GetEnvironmentVariable("POD_NAME") ?? "0");
        Option<string?> listen = Text("--listen", "Address of /healthz, /readyz and /metrics.", "http://0.0.0.0:8081");
        Option<string?> level = Text("--log-level", "trace, debug, information, warning or error.", "information");
        Command command = new("sync", "Carry the configuration of a stack from the API to the Prometheus beside it.")
        {
            kubeconfig, stack, ns, directory, prometheus, replica, listen, level,
        };
        command.SetAction((parsed, stop) => RunAsync(parsed.GetValue(kubeconfig), parsed.GetValue(level), async (client, metrics, logger) =>
        {
            SyncOptions options = new()
            {
                Stack = parsed.GetValue(stack)!,
                Namespace = parsed.GetValue(ns) ?? client.Config.Namespace,
                Directory = parsed.GetValue(directory)!,
                Prometheus = new Uri(parsed.GetValue(prometheus)!),
                Replica = parsed.GetValue(replica)!,
            };
            await using SyncApp app = new(options, client, TimeProvider.System, logger);
            using CancellationTokenSource ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
            Task probes = parsed.GetValue(listen) is { Length: > 0 } address ? ProbeServer.RunAsync(address, () => app.IsReady, metrics.Registry, ending.Token) : Task.CompletedTask;
            await app.RunAsync(stop);
            await ending.CancelAsync();
            await probes;
        }));
        return command;
    }

    /// <summary>An option whose default is its environment variable, and else the given one.</summary>
    private static Option<string?> Text(string name, string description, string? otherwise = null) => new(name)
    {
        Description = otherwise is null ? description : $"{description} Default: {otherwise}.",
        DefaultValueFactory = (ArgumentResult _) => Environment.GetEnvironmentVariable("OPTIINFRA_" + name[2..].ToUpperInvariant().Replace('-', '_')) is { Length: > 0 } set ? set : otherwise,
    };

    private static async Task<int> RunAsync(string? kubeconfig, string? level, Func<KubeClient, KubeMetrics, ILogger, Task> run)
    {
        using ILoggerFactory loggers = LoggerFactory.Create(logging => logging
            .SetMinimumLevel(Enum.TryParse(level, ignoreCase: true, out LogLevel parsed) ? parsed : LogLevel.Information)
            .AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.UseUtcTimestamp = true;
                console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            }));
        ILogger logger = loggers.CreateLogger("optiinfra");
        try
        {
            KubeMetrics metrics = new(new MetricRegistry());
            using KubeClient client = new(KubeConfig.Load(new KubeConfigSource { Path = kubeconfig }), new KubeClientOptions { Metrics = metrics });
            await run(client, metrics, logger);
            return 0;
        }
        catch (Exception error) when (error is KubeException or LeadershipLostException)
        {
            logger.LogCritical("{Reason}", error.Message);
            return 2;
        }
    }
}
