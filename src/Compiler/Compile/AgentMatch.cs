using OptiInfra.Crds;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Compiler.Compile;

/// <summary>Which agents a policy watches.</summary>
public static class AgentMatch
{
    /// <summary>The chosen agents of the policy's namespace, by name.</summary>
    public static IEnumerable<OptiAgent> Select(AlertPolicy policy, IEnumerable<OptiAgent> agents)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return agents.Where(agent => Watches(policy, agent)).OrderBy(agent => agent.Metadata.Name, StringComparer.Ordinal);
    }

    /// <summary>Whether a policy watches an agent: same namespace, and chosen by every part of the selector that is set.</summary>
    public static bool Watches(AlertPolicy policy, OptiAgent agent)
    {
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentNullException.ThrowIfNull(agent);
        return (policy.Metadata.Namespace ?? "default") == (agent.Metadata.Namespace ?? "default")
            && (policy.Spec.Agents is not { } selector || Chooses(selector, agent));
    }

    private static bool Chooses(AgentSelector selector, OptiAgent agent) =>
        (selector.MatchRoles is not { Count: > 0 } roles || roles.Contains(agent.Spec.Role ?? AgentRole.Custom))
        && (selector.MatchNames is not { Count: > 0 } names || names.Contains(agent.Metadata.Name!))
        && ((selector.MatchLabels is null && selector.MatchExpressions is null)
            || new LabelSelector { MatchLabels = selector.MatchLabels, MatchExpressions = selector.MatchExpressions }.Matches(agent.Metadata.Labels));
}
