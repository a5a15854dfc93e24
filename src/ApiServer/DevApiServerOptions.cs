namespace OptiInfra.ApiServer;

/// <summary>How an embedded server is to run; the defaults suit a test.</summary>
public sealed record DevApiServerOptions
{
    /// <summary>Address to listen on; port 0 takes a free one.</summary>
    public string Listen { get; init; } = "127.0.0.1:0";

    /// <summary>Plain HTTP instead of HTTPS; every request without credentials counts as the administrator's.</summary>
    public bool Http { get; init; }

    /// <summary>Where to write a kubeconfig; null writes none.</summary>
    public string? KubeconfigPath { get; init; }

    /// <summary>Folder to keep objects in; null keeps them in memory.</summary>
    public string? DataFolder { get; init; }

    /// <summary>The controllers a cluster has: garbage collection, namespaces, workloads, endpoints, accounts.</summary>
    public bool Controllers { get; init; } = true;

    /// <summary>Pods of the default scheduler run and are ready at once, without anything being executed.</summary>
    public bool SimulatePods { get; init; } = true;

    /// <summary>Ask RBAC objects whether a request is allowed. The administrator always is.</summary>
    public bool Authorization { get; init; }

    /// <summary>Bearer tokens that are accepted beside the generated one, by token: user name and groups.</summary>
    public IReadOnlyDictionary<string, string> Tokens { get; init; } = new Dictionary<string, string>();

    /// <summary>Events kept per resource; older ones are compacted.</summary>
    public int WatchWindow { get; init; } = 20_000;

    /// <summary>Faults that are injected from the start.</summary>
    public IReadOnlyList<Faults.Fault> Faults { get; init; } = [];

    /// <summary>Hears of exceptions that no request should cause.</summary>
    public Action<Exception> ReportBug { get; init; } = static bug => Console.Error.WriteLine(bug);

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    public Random Random { get; init; } = new();
}
