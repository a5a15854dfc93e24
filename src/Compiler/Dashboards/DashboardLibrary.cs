using OptiInfra.Crds;

namespace OptiInfra.Compiler.Dashboards;

/// <summary>All dashboards there are, and which of them a set of agents calls for.</summary>
public static class DashboardLibrary
{
    /// <summary>Those that do not depend on a module's prefix.</summary>
    public static IReadOnlyList<Dashboard> Fixed { get; } =
    [
        .. OptiInfraDashboards.All, GoldenSignalsDashboard.GoldenSignals, GenAiDashboard.Agents, .. KosmosDashboards.All,
        ModuleDashboards.Overview, OperatorDashboard.Operator,
    ];

    /// <summary>
    /// The dashboards for these agents, ordered by uid: one per dialect and role in use, the module dashboards by prefix,
    /// and always alerts and the operator's own. Agents that switch dashboards off call for none.
    /// </summary>
    public static IReadOnlyList<Dashboard> For(IEnumerable<OptiAgent> agents)
    {
        SortedDictionary<string, Dashboard> chosen = new(StringComparer.Ordinal);
        void Choose(params IEnumerable<Dashboard> dashboards)
        {
            foreach (Dashboard dashboard in dashboards)
            {
                chosen[dashboard.Uid] = dashboard;
            }
        }

        Choose(OptiInfraDashboards.Alerts, OperatorDashboard.Operator);
        foreach (OptiAgent agent in agents)
        {
            if (agent.Spec.Dashboards?.Enabled != false)
            {
                Choose(OfDialect(agent));
                if (agent.Spec.Exporters is { Count: > 0 })
                {
                    Choose(agent.Spec.Dialect == MetricDialect.Kosmos ? KosmosDashboards.Infrastructure : OptiInfraDashboards.Infrastructure);
                }
            }
        }

        return [.. chosen.Values];
    }

    /// <summary>First part of the metric names of a module: what the agent says, else its name in metric form.</summary>
    internal static string ModulePrefix(OptiAgent agent) => agent.Spec.MetricPrefix ?? (agent.Metadata.Name ?? "").Replace('-', '_').Replace('.', '_');

    private static IEnumerable<Dashboard> OfDialect(OptiAgent agent) => (agent.Spec.Dialect ?? MetricDialect.OptiInfra) switch
    {
        MetricDialect.OptiInfra => [OptiInfraDashboards.SystemOverview, .. OfRole(agent.Spec.Role ?? AgentRole.Custom)],
        MetricDialect.Kosmos => [KosmosDashboards.Agents, KosmosDashboards.Models],
        MetricDialect.GoldenSignals => [GoldenSignalsDashboard.GoldenSignals],
        MetricDialect.GenAi => [GenAiDashboard.Agents],
        MetricDialect.Module => [ModuleDashboards.Overview, OfModule(ModulePrefix(agent))],
        _ => [],
    };

    private static IEnumerable<Dashboard> OfRole(AgentRole role) => role switch
    {
        AgentRole.Cost => [OptiInfraDashboards.CostAgent],
        AgentRole.Performance => [OptiInfraDashboards.PerformanceAgent],
        AgentRole.Resource => [OptiInfraDashboards.ResourceAgent],
        AgentRole.Application => [OptiInfraDashboards.ApplicationAgent],
        _ => [],
    };

    /// <summary>Two kinds of module have questions of their own, told by their names; all others get the common dashboard.</summary>
    private static Dashboard OfModule(string prefix)
    {
        string title = string.Join(' ', prefix.Split('_', StringSplitOptions.RemoveEmptyEntries).Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
        return prefix switch
        {
            _ when prefix.EndsWith("_security", StringComparison.Ordinal) => ModuleDashboards.Security(prefix, title),
            _ when prefix.EndsWith("_provider", StringComparison.Ordinal) => ModuleDashboards.Provider(prefix, title),
            _ => ModuleDashboards.Operations(prefix, title),
        };
    }
}
