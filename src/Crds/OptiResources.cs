using System.Text.Json.Serialization;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Crds;

// The resources of OptiInfra: one record per kind (spec, status and all nested fields), the JSON contract, and from these
// two, in Schema/, the CustomResourceDefinitions and the reference page.
//
// A field is declared once, as a C# property: its name, whether it is required and its enum values come from the JSON
// contract, its bounds and its description from attributes. No field has a default in the schema: the effective value
// often depends on the stack, and a better default in a later version should reach resources that were stored before it.
// Checks that need more than one field, or PromQL, are the compiler's.

/// <summary>The handles that clients, informers and controllers take.</summary>
public static class OptiResources
{
    public const string Group = "optiinfra.io";
    public const string Version = "v1alpha1";

    public static ResourceType<OptiAgent> Agents { get; } =
        new(new ResourceKind(Group, Version, "OptiAgent", "optiagents"), OptiJson.Default.OptiAgent);

    public static ResourceType<AlertPolicy> Policies { get; } =
        new(new ResourceKind(Group, Version, "AlertPolicy", "alertpolicies"), OptiJson.Default.AlertPolicy);

    public static ResourceType<MonitoringStack> Stacks { get; } =
        new(new ResourceKind(Group, Version, "MonitoringStack", "monitoringstacks"), OptiJson.Default.MonitoringStack);
}

/// <summary>The JSON contract of the resources: camelCase, enums as texts, nothing written for what is not set.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(OptiAgent))]
[JsonSerializable(typeof(AlertPolicy))]
[JsonSerializable(typeof(MonitoringStack))]
[JsonSerializable(typeof(OptiAgentStatus))]
[JsonSerializable(typeof(AlertPolicyStatus))]
[JsonSerializable(typeof(MonitoringStackStatus))]
public sealed partial class OptiJson : JsonSerializerContext;

/// <summary>The condition types of our resources, in the order in which they become true.</summary>
public static class ConditionTypes
{
    /// <summary>The spec is right, and a stack serves it.</summary>
    public const string Accepted = "Accepted";

    /// <summary>It is written to the ConfigMaps of the stack.</summary>
    public const string Rendered = "Rendered";

    /// <summary>Prometheus runs it.</summary>
    public const string Loaded = "Loaded";

    /// <summary>Agents: every target answers.</summary>
    public const string TargetsUp = "TargetsUp";

    /// <summary>Policies: every rule evaluates.</summary>
    public const string RulesHealthy = "RulesHealthy";

    /// <summary>Stacks: what the operator runs is running.</summary>
    public const string Available = "Available";

    /// <summary>All of the above.</summary>
    public const string Ready = "Ready";
}
