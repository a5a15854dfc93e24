using OptiInfra.Compiler.Alerting;
using OptiInfra.Compiler.Emit;
using OptiInfra.Compiler.Model;
using OptiInfra.Compiler.Packs;
using OptiInfra.Crds;
using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;

namespace OptiInfra.Compiler.Compile;

/// <summary>
/// Compiles one AlertPolicy and the agents it watches to one rule file. Packs select by the labels that every target of
/// an agent carries (namespace, role, agent), so that a policy for "all cost agents" does not change when one is added.
/// </summary>
public static class PolicyCompiler
{
    /// <param name="policy">The policy.</param>
    /// <param name="agents">The agents of the policy's namespace; those that it does not choose are left out here.</param>
    /// <param name="stack">The stack that serves the policy.</param>
    public static CompiledPolicy Compile(AlertPolicy policy, IEnumerable<OptiAgent> agents, StackModel stack)
    {
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentNullException.ThrowIfNull(stack);
        string ns = policy.Metadata.Namespace ?? "default";
        string name = policy.Metadata.Name ?? "";
        string key = Naming.Key(ns, name);
        OptiAgent[] watched = [.. AgentMatch.Select(policy, agents)];

        var report = new Report($"AlertPolicy {ns}/{name}");
        PolicyChecks.Run(policy, stack, report);
        if (watched.Length == 0 && policy.Spec.Packs is { Count: > 0 })
        {
            report.Warning("policy/agents", "spec.agents", "the policy watches no agent, so its packs have nothing to say", "compare spec.agents with kubectl get oa --show-labels");
        }

        IReadOnlyList<RuleGroup> groups = Groups(policy, watched, stack, report);
        if (stack.Mode == StackMode.PrometheusOperator && !stack.ForFiles)
        {
            // Elsewhere the routes of all policies make one configuration, which checks them.
            NotificationChecks.Run(policy, stack, report);
        }

        if (report.HasErrors)
        {
            return new CompiledPolicy { Key = key, Text = "", Hash = "", Agents = watched.Length, Diagnostics = report.Diagnostics };
        }

        bool foreign = stack.Mode == StackMode.PrometheusOperator && !stack.ForFiles;
        Manifest[] manifests = foreign ? [.. Foreign(policy, groups, stack)] : [];
        string text = groups.Count == 0 || foreign ? "" : RuleFileWriter.Write(groups, stack.Version, new Dictionary<string, string> { [RuleFileWriter.PolicyLabel] = $"{ns}/{name}" });
        return new CompiledPolicy
        {
            Key = key,
            Text = text,
            Hash = Naming.Hash(string.Concat([text, .. manifests.Select(manifest => manifest.Hash)])),
            Manifests = manifests,
            Groups = [.. groups.Select(group => group.Name)],
            Rules = groups.Sum(group => group.Rules?.Count ?? 0),
            Agents = watched.Length,
            Diagnostics = report.Diagnostics,
        };
    }

    private static IEnumerable<Manifest> Foreign(AlertPolicy policy, IReadOnlyList<RuleGroup> groups, StackModel stack)
    {
        if (groups.Count > 0)
        {
            yield return PrometheusOperatorObjects.Rules(policy, groups, stack);
        }

        if (PrometheusOperatorObjects.Routes(policy, stack) is { } routes)
        {
            yield return routes;
        }
    }

    /// <summary>The policy's rules as a rule file for its unit tests: without the label that routes alerts, which no test should have to name.</summary>
    /// <param name="policy">The policy.</param>
    /// <param name="agents">The agents of the policy's namespace.</param>
    /// <param name="stack">The stack that serves the policy.</param>
    public static (string Text, IReadOnlyList<Diagnostic> Diagnostics) RulesForTests(AlertPolicy policy, IEnumerable<OptiAgent> agents, StackModel stack)
    {
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentNullException.ThrowIfNull(stack);
        var report = new Report($"AlertPolicy {policy.Metadata.Namespace ?? "default"}/{policy.Metadata.Name}");
        IReadOnlyList<RuleGroup> groups = Groups(policy, [.. AgentMatch.Select(policy, agents)], stack, report);
        return (RuleFileWriter.Write(groups, stack.Version, alertLabels: null), report.Diagnostics);
    }

    /// <summary>All groups of the policy, before they are written: packs first, own groups after them.</summary>
    internal static IReadOnlyList<RuleGroup> Groups(AlertPolicy policy, IReadOnlyList<OptiAgent> watched, StackModel stack, Report report)
    {
        ParserOptions options = Options(stack);
        List<RuleGroup> groups = [];
        groups.AddRange(PackExpander.Expand(policy, watched, stack, report));
        groups.AddRange(OwnGroups(policy, stack, options));
        foreach (IGrouping<string, RuleGroup> twice in groups.GroupBy(group => group.Name).Where(same => same.Count() > 1))
        {
            report.Error("policy/group", "spec.groups", $"two groups are named {twice.Key}");
        }

        return groups;
    }

    /// <summary>The dialect of PromQL that the stack's Prometheus speaks.</summary>
    internal static ParserOptions Options(StackModel stack) => new()
    {
        Version = stack.Version,
        ExperimentalFunctions = stack.Spec.Prometheus?.Features?.Contains("promql-experimental-functions") == true,
        DurationExpressions = stack.Spec.Prometheus?.Features?.Contains("promql-duration-expr") == true,
    };

    private static IEnumerable<RuleGroup> OwnGroups(AlertPolicy policy, StackModel stack, ParserOptions options)
    {
        IReadOnlyList<RuleGroup> groups = policy.Spec.Groups ?? [];
        if (!stack.EnforceTenancy)
        {
            return groups;
        }

        LabelMatcher[] confined = [new LabelMatcher(default, "namespace", MatchOp.Equal, policy.Metadata.Namespace ?? "default")];
        return groups.Select(group => group with { Rules = [.. (group.Rules ?? []).Select(rule => rule with { Expr = Confine(rule.Expr) })] });

        // An expression that does not parse has been reported by the checks.
        string Confine(string expr) => PromQLParser.Parse(expr, options).Expr is { } tree ? SelectorInjection.Require(tree, confined).ToString() : expr;
    }
}
