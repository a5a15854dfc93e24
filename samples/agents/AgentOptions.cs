using System.Globalization;

namespace OptiInfra.Samples.Agents;

/// <summary>Who this process plays, from its command line.</summary>
internal sealed record AgentOptions
{
    public const string Orchestrator = "orchestrator";

    public static readonly IReadOnlyList<string> Roles = [Orchestrator, "cost", "performance", "resource", "application"];

    public static readonly IReadOnlyList<string> Dialects = ["optiinfra", "kosmos", "golden-signals", "module", "gen-ai"];

    public string Role { get; init; } = "cost";

    /// <summary>Whose metric names it speaks.</summary>
    public string Dialect { get; init; } = "optiinfra";

    /// <summary>First part of the names in the module dialect; the role with <c>_agent</c> when left out.</summary>
    public string? Module { get; init; }

    public string Host { get; init; } = "127.0.0.1";

    /// <summary>0 takes a free port; the first line of output says which.</summary>
    public int Port { get; init; }

    /// <summary>An orchestrator's agents: name and base address.</summary>
    public IReadOnlyDictionary<string, Uri> Agents { get; init; } = new Dictionary<string, Uri>();

    /// <summary>Requests per second that an orchestrator makes by itself, over all its agents.</summary>
    public double Rate { get; init; } = 1;

    /// <summary>The same seed gives the same answers of the simulated model.</summary>
    public int Seed { get; init; } = 1;

    public static AgentOptions Parse(string[] arguments)
    {
        AgentOptions options = new();
        Dictionary<string, Uri> agents = [];
        for (int i = 0; i + 1 < arguments.Length; i += 2)
        {
            string value = arguments[i + 1];
            options = arguments[i] switch
            {
                "--role" when Roles.Contains(value) => options with { Role = value },
                "--dialect" when Dialects.Contains(value) => options with { Dialect = value },
                "--module" => options with { Module = value },
                "--host" => options with { Host = value },
                "--port" => options with { Port = int.Parse(value, CultureInfo.InvariantCulture) },
                "--rate" => options with { Rate = double.Parse(value, CultureInfo.InvariantCulture) },
                "--seed" => options with { Seed = int.Parse(value, CultureInfo.InvariantCulture) },
                "--agent" => options with { Agents = Add(agents, value) },
                _ => throw new ArgumentException($"'{arguments[i]} {value}' is not understood; roles are {string.Join(", ", Roles)}; dialects are {string.Join(", ", Dialects)}", nameof(arguments)),
            };
        }

        return options;
    }

    private static Dictionary<string, Uri> Add(Dictionary<string, Uri> agents, string pair)
    {
        int equals = pair.IndexOf('=', StringComparison.Ordinal);
        agents[pair[..equals]] = new Uri(pair[(equals + 1)..].TrimEnd('/') + "/");
        return agents;
    }
}
