using OptiInfra.Crds;
using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Types;

namespace OptiInfra.Compiler.Model;

/// <summary>
/// A MonitoringStack with every default filled in: what agents and policies are compiled against. Build it once per
/// change of the stack; compiling an agent must not cost more because the stack says a lot.
/// </summary>
public sealed record StackModel
{
    public const string DefaultVersion = "3.5.3";

    public required string Namespace { get; init; }

    public required string Name { get; init; }

    public required MonitoringStackSpec Spec { get; init; }

    public required StackMode Mode { get; init; }

    public required DiscoveryMode Discovery { get; init; }

    /// <summary>Jobs have fixed addresses, as people without a cluster need them; names of Services are host names then.</summary>
    public bool ForFiles { get; init; }

    /// <summary>With <see cref="ForFiles"/>: the number of a Service's named port (namespace, Service, port), when it is known.</summary>
    public Func<string, string, string, int?>? PortNumber { get; init; }

    public required PrometheusVersion Version { get; init; }

    public required string Interval { get; init; }

    public required string Timeout { get; init; }

    public required string EvaluationInterval { get; init; }

    public bool EnforceTenancy => Spec.Tenancy == TenancyMode.Enforce;

    public static StackModel From(MonitoringStack stack)
    {
        ArgumentNullException.ThrowIfNull(stack);
        MonitoringStackSpec spec = stack.Spec;
        StackMode mode = spec.Mode ?? StackMode.Managed;
        return new StackModel
        {
            Namespace = stack.Metadata.Namespace ?? "default",
            Name = stack.Metadata.Name ?? "default",
            Spec = spec,
            Mode = mode,
            Discovery = mode == StackMode.PrometheusOperator ? DiscoveryMode.Native : spec.Discovery ?? DiscoveryMode.Resolved,
            Version = PrometheusVersion.TryParse(spec.Prometheus?.Version ?? DefaultVersion, out PrometheusVersion version) ? version : PrometheusVersion.Default,
            Interval = spec.Defaults?.Interval ?? "15s",
            Timeout = spec.Defaults?.Timeout ?? "10s",
            EvaluationInterval = spec.Defaults?.EvaluationInterval ?? "15s",
        };
    }

    /// <summary>The stack that applies where nobody declared one: <c>render</c> without a MonitoringStack, and tests.</summary>
    public static StackModel Default { get; } = From(new MonitoringStack
    {
        Metadata = new() { Name = "default", Namespace = "optiinfra-system" },
        Spec = new MonitoringStackSpec(),
    });

    /// <summary>The length of a duration that the schema has already accepted; zero when it is none.</summary>
    internal static PromDuration Length(string? duration) =>
        duration is not null && PromDuration.TryParse(duration, out PromDuration length, out _) ? length : PromDuration.Zero;
}
