using OptiInfra.PromQL.Text;

namespace OptiInfra.Compiler.Model;

/// <summary>One key of one Secret that a compiled text refers to as a file, and that file's name in the directory of secrets.</summary>
public readonly record struct SecretFile(string Namespace, string Name, string Key, string File);

/// <summary>The scrape job that all agents with the same settings share (resolved discovery).</summary>
/// <param name="Id">Hash of the settings.</param>
/// <param name="Yaml">The job, an entry of <c>scrape_configs</c>.</param>
public sealed record ScrapeClass(string Id, string Yaml);

/// <summary>What one OptiAgent compiles to. Without errors it replaces what was; with errors what was stays.</summary>
public sealed record CompiledAgent
{
    /// <summary>Its key in the scrape ConfigMap.</summary>
    public required string Key { get; init; }

    /// <summary>The text under the key: a scrape_configs file (native) or a <see cref="TargetFile"/> (resolved). Empty when there is nothing to scrape.</summary>
    public required string Text { get; init; }

    /// <summary>Hash of all of it, manifests and classes included.</summary>
    public required string Hash { get; init; }

    /// <summary>The classes its jobs belong to (resolved discovery).</summary>
    public IReadOnlyList<ScrapeClass> Classes { get; init; } = [];

    /// <summary>The Secrets its jobs refer to.</summary>
    public IReadOnlyList<SecretFile> Secrets { get; init; } = [];

    /// <summary>Objects of its own, in its namespace, owned by it: exporters, monitors, dashboards.</summary>
    public IReadOnlyList<Manifest> Manifests { get; init; } = [];

    public required IReadOnlyList<Diagnostic> Diagnostics { get; init; }

    /// <summary>Whether it may replace the last good one.</summary>
    public bool IsGood => !Diagnostics.Any(diagnostic => diagnostic.IsError);
}

/// <summary>What one AlertPolicy compiles to.</summary>
public sealed record CompiledPolicy
{
    /// <summary>Its key in the rules ConfigMap.</summary>
    public required string Key { get; init; }

    /// <summary>The rule file. Empty when there are no rules.</summary>
    public required string Text { get; init; }

    public required string Hash { get; init; }

    /// <summary>Names of the groups in the file, in order; feedback finds the rules by file and group.</summary>
    public IReadOnlyList<string> Groups { get; init; } = [];

    /// <summary>How many rules the file has.</summary>
    public int Rules { get; init; }

    /// <summary>How many agents it watches.</summary>
    public int Agents { get; init; }

    public IReadOnlyList<Manifest> Manifests { get; init; } = [];

    public required IReadOnlyList<Diagnostic> Diagnostics { get; init; }

    public bool IsGood => !Diagnostics.Any(diagnostic => diagnostic.IsError);
}

/// <summary>What one MonitoringStack compiles to, apart from what its agents and policies add.</summary>
public sealed record CompiledStack
{
    /// <summary>The root configuration, prometheus.yml.</summary>
    public required string Text { get; init; }

    public required string Hash { get; init; }

    public IReadOnlyList<SecretFile> Secrets { get; init; } = [];

    /// <summary>Objects in the stack's namespace, owned by it; without the ConfigMaps of its agents and policies.</summary>
    public IReadOnlyList<Manifest> Manifests { get; init; } = [];

    public required IReadOnlyList<Diagnostic> Diagnostics { get; init; }

    public bool IsGood => !Diagnostics.Any(diagnostic => diagnostic.IsError);
}
