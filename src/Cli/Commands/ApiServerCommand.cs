using System.CommandLine;
using OptiInfra.ApiServer;
using OptiInfra.ApiServer.Faults;
using OptiInfra.Cli.Output;

namespace OptiInfra.Cli.Commands;

/// <summary><c>optiinfra apiserver</c>: the embedded API server alone, for anybody's tests.</summary>
internal static class ApiServerCommand
{
    public static Command Create(Terminal terminal)
    {
        Option<string> listen = new("--listen") { Description = "Address to listen on; port 0 takes a free one.", DefaultValueFactory = _ => "127.0.0.1:0" };
        Option<bool> http = new("--http") { Description = "Plain HTTP; requests without credentials are the administrator's." };
        Option<string?> kubeconfig = new("--kubeconfig") { Description = "Write a kubeconfig to this file." };
        Option<string?> data = new("--data") { Description = "Keep objects in this folder; without it they are gone at the end." };
        Option<bool> authorization = new("--rbac") { Description = "Allow only what RBAC objects allow (and everything to system:masters)." };
        Option<string[]> tokens = new("--token") { Description = "Accept a bearer token: TOKEN=USER or TOKEN=USER,GROUP,... (repeatable)." };
        Option<bool> noControllers = new("--no-controllers") { Description = "Run no controllers: no garbage collection, no endpoints, no workloads." };
        Option<string[]> chaos = new("--chaos") { Description = "Faults to inject, for example 'latency=50ms', 'error=500:0.01', 'drop-watch=30s' (repeatable)." };
        Command command = new("apiserver", "Run the embedded Kubernetes API server alone.")
        {
            listen, http, kubeconfig, data, authorization, tokens, noControllers, chaos,
        };
        command.SetAction((parsed, cancellation) =>
        {
            List<Fault> faults = [];
            foreach (string text in parsed.GetValue(chaos) ?? [])
            {
                (Fault? fault, string? error) = ChaosText.Parse(text);
                if (fault is null)
                {
                    return Task.FromResult(terminal.Fail(error!));
                }

                faults.Add(fault);
            }

            return RunAsync(
                new DevApiServerOptions
                {
                    Listen = parsed.GetValue(listen)!,
                    Http = parsed.GetValue(http),
                    KubeconfigPath = parsed.GetValue(kubeconfig),
                    DataFolder = parsed.GetValue(data),
                    Authorization = parsed.GetValue(authorization),
                    Controllers = !parsed.GetValue(noControllers),
                    Tokens = (parsed.GetValue(tokens) ?? []).Select(token => token.Split('=', 2)).Where(parts => parts.Length == 2).ToDictionary(parts => parts[0], parts => parts[1]),
                    Faults = faults,
                },
                terminal,
                cancellation);
        });
        return command;
    }

    private static async Task<int> RunAsync(DevApiServerOptions options, Terminal terminal, CancellationToken cancellation)
    {
        await using DevApiServer server = await DevApiServer.StartAsync(options, cancellation);
        terminal.Out.WriteLine($"listening on {server.Url.GetLeftPart(UriPartial.Authority)}");
        terminal.Out.WriteLine($"token {server.Token}");
        if (options.KubeconfigPath is { } path)
        {
            terminal.Out.WriteLine($"kubeconfig {Path.GetFullPath(path)}");
        }

        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellation);
        }
        catch (OperationCanceledException)
        {
            // Ctrl-C is how one stops it.
        }

        return ExitCode.Done;
    }
}
