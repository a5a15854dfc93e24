using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace OptiInfra.Cli.Dev;

/// <summary>One process of the demo fleet, and where the cluster believes it runs.</summary>
internal sealed record FleetMember(string Name, string Role, string Address, int Port)
{
    public Uri Url => new($"http://{Address}:{Port}/");
}

/// <summary>
/// The fleet of config/samples/optiinfra.yaml as real processes. Every member has a loopback address of its own, as every
/// Pod has one in a cluster, so that all of them can listen on the ports that the samples name.
/// </summary>
internal sealed partial class DemoFleet : IAsyncDisposable
{
    public const string Namespace = "optiinfra";

    private static readonly FleetMember[] All =
    [
        new("cost-agent", "cost", "127.0.1.2", 8001),
        new("performance-agent", "performance", "127.0.1.3", 8002),
        new("resource-agent", "resource", "127.0.1.4", 8003),
        new("application-agent", "application", "127.0.1.5", 8004),
        new("orchestrator", "orchestrator", "127.0.1.1", 8080),
    ];

    private readonly List<ChildProcess> processes = [];

    public IReadOnlyList<FleetMember> Members { get; } = All;

    /// <summary>The program that plays the members; null when it is not there.</summary>
    public static string? Program()
    {
        string[] places =
        [
            Path.Combine(AppContext.BaseDirectory, "agents", "OptiInfra.Agents.dll"),
            Path.Combine(AppContext.BaseDirectory, "..", "..", "Agents", new DirectoryInfo(AppContext.BaseDirectory).Name, "OptiInfra.Agents.dll"),
        ];
        return places.Select(Path.GetFullPath).FirstOrDefault(File.Exists);
    }

    public static async Task<DemoFleet> StartAsync(string program, string logFolder, CancellationToken stop)
    {
        DemoFleet fleet = new();
        try
        {
            Task[] starts = [.. All.Select(member => fleet.StartAsync(member, program, logFolder, stop))];
            await Task.WhenAll(starts);
            return fleet;
        }
        catch
        {
            await fleet.DisposeAsync();
            throw;
        }
    }

    /// <summary>The Services and EndpointSlices that a cluster would have for these processes.</summary>
    public static IEnumerable<JsonObject> Objects() => All.SelectMany(member => new[]
    {
        new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Service",
            ["metadata"] = Metadata(member, member.Name),
            // No selector: there are no Pods, the EndpointSlice is ours.
            ["spec"] = new JsonObject { ["ports"] = new JsonArray(Port(member)) },
        },
        new JsonObject
        {
            ["apiVersion"] = "discovery.k8s.io/v1",
            ["kind"] = "EndpointSlice",
            ["metadata"] = Metadata(member, $"{member.Name}-dev"),
            ["addressType"] = "IPv4",
            ["ports"] = new JsonArray(Port(member)),
            ["endpoints"] = new JsonArray(new JsonObject
            {
                ["addresses"] = new JsonArray(member.Address),
                ["conditions"] = new JsonObject { ["ready"] = true },
                ["nodeName"] = "laptop",
            }),
        },
    });

    public async ValueTask DisposeAsync() => await Task.WhenAll(processes.Select(process => process.DisposeAsync().AsTask()));

    private async Task StartAsync(FleetMember member, string program, string logFolder, CancellationToken stop)
    {
        List<string> arguments = [program, "--role", member.Role, "--host", member.Address, "--port", $"{member.Port}"];
        if (member.Role == "orchestrator")
        {
            arguments.AddRange(["--rate", "4"]);
            foreach (FleetMember agent in All.Where(agent => agent != member))
            {
                arguments.AddRange(["--agent", $"{agent.Role}={agent.Url}"]);
            }
        }

        Directory.CreateDirectory(logFolder);
        ChildProcess process = ChildProcess.Start(member.Name, Environment.ProcessPath is { } host && Path.GetFileName(host) == "dotnet" ? host : "dotnet", arguments, Path.Combine(logFolder, $"{member.Name}.log"));
        lock (processes)
        {
            processes.Add(process);
        }

        await process.WaitForAsync(line => Listening().IsMatch(line) ? line : null, stop);
    }

    private static JsonObject Metadata(FleetMember member, string name) => new()
    {
        ["name"] = name,
        ["namespace"] = Namespace,
        ["labels"] = new JsonObject
        {
            ["kubernetes.io/service-name"] = member.Name,
            ["app.kubernetes.io/name"] = member.Name,
            ["app.kubernetes.io/version"] = "1.0.0",
        },
    };

    private static JsonObject Port(FleetMember member) => new() { ["name"] = "metrics", ["port"] = member.Port, ["protocol"] = "TCP" };

    [GeneratedRegex("listens on http")]
    private static partial Regex Listening();
}
