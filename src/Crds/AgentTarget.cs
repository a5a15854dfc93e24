using System.ComponentModel;
using OptiInfra.Crds.Schema;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Crds;

/// <summary>Where an agent's metrics are: behind a Service, on Pods, at fixed addresses, or wherever annotations say.</summary>
[OneOf("service", "pods", "static", "annotated")]
public sealed record AgentTarget
{
    [Description("Every ready endpoint of a Service of this namespace.")]
    public ServiceTarget? Service { get; init; }

    [Description("Every Pod of this namespace that the selector matches.")]
    public PodTarget? Pods { get; init; }

    [Description("Fixed addresses, for what does not run in this cluster.")]
    public StaticTarget? Static { get; init; }

    [Description("Every Pod or Service of this namespace annotated with prometheus.io/scrape: \"true\"; prometheus.io/port, /path and /scheme are followed.")]
    public AnnotatedTarget? Annotated { get; init; }

    [Description("Port of the metrics: its name or its number. Default: the only port of the Service or Pod.")]
    [Number(1, 65535)]
    [Text(MinLength = 1, MaxLength = 63, Pattern = Patterns.PortNameOrNumber)]
    public IntOrString? Port { get; init; }
}

[OneOf("name", "selector")]
public sealed record ServiceTarget
{
    [Description("Name of the Service.")]
    [Text(MinLength = 1, MaxLength = 63, Pattern = Patterns.DnsLabel)]
    public string? Name { get; init; }

    [Description("Labels of the Services.")]
    public LabelSelector? Selector { get; init; }
}

public sealed record PodTarget
{
    [Description("Labels of the Pods.")]
    public required LabelSelector Selector { get; init; }
}

public sealed record StaticTarget
{
    [Description("Addresses as host:port.")]
    [Entries(256, Minimum = 1)]
    [Set]
    [Text(MinLength = 1, MaxLength = 262, Pattern = Patterns.HostPort)]
    public required IReadOnlyList<string> Addresses { get; init; }
}

public sealed record AnnotatedTarget
{
    [Description("Look at Pods. Default: true.")]
    public bool? Pods { get; init; }

    [Description("Look at Services. Default: false.")]
    public bool? Services { get; init; }

    [Description("Only objects with these labels.")]
    public LabelSelector? Selector { get; init; }
}
