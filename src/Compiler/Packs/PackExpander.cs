using OptiInfra.Compiler.Compile;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds;
using OptiInfra.PromQL.Syntax;

namespace OptiInfra.Compiler.Packs;

/// <summary>
/// Turns the packs that a policy uses into groups for the agents it watches: chooses the groups whose dialect is spoken,
/// confines every selector on the syntax tree, and applies the overrides.
/// </summary>
internal static class PackExpander
{
    /// <summary>Stands for a module's own prefix in the files of the packs.</summary>
    private const string ModulePrefix = "module_";

    public static IEnumerable<RuleGroup> Expand(AlertPolicy policy, IReadOnlyList<OptiAgent> watched, StackModel stack, Report report)
    {
        IReadOnlyList<PackUse> uses = policy.Spec.Packs ?? [];
        List<RuleGroup> groups = [];
        for (int i = 0; i < uses.Count; i++)
        {
            string field = $"spec.packs[{i}]";
            PackUse use = uses[i];
            CommonChecks.Duration(use.Interval, $"{field}.interval", report);
            if (use.Name == PackCatalog.Slo)
            {
                CheckOverrides(use, ["ErrorBudgetBurn"], field, report);
                groups.AddRange(SloRules.Write(policy, watched, use, report));
            }
            else if (PackCatalog.Find(use.Name) is { } pack)
            {
                CheckOverrides(use, [.. pack.Alerts], field, report);
                groups.AddRange(pack.Groups.SelectMany(group => Copies(group, policy, watched)).Select(copy => Overridden(copy, use, field, report)).Where(group => group.Rules!.Count > 0));
            }
            else
            {
                report.Error("policy/pack", $"{field}.name", $"there is no pack named {use.Name}", $"the packs are {string.Join(", ", PackCatalog.Names)}");
            }
        }

        return groups;
    }

    /// <summary>The matchers that confine a selector to the agents of a policy.</summary>
    internal static LabelMatcher[] Confinement(AlertPolicy policy, IReadOnlyList<OptiAgent> watched)
    {
        List<LabelMatcher> matchers = [Equal("namespace", policy.Metadata.Namespace ?? "default")];
        AgentSelector? selector = policy.Spec.Agents;

        // Roles and names are labels of every target. Labels of the resource are not, so the agents are named one by one.
        if (selector is { MatchLabels: not null } or { MatchExpressions: not null })
        {
            matchers.Add(OneOf("agent", watched.Select(agent => agent.Metadata.Name!)));
            return [.. matchers];
        }

        if (selector?.MatchNames is { Count: > 0 } names)
        {
            matchers.Add(OneOf("agent", names));
        }
        else
        {
            matchers.Add(new LabelMatcher(default, "agent", MatchOp.NotEqual, ""));
        }

        if (selector?.MatchRoles is { Count: > 0 } roles)
        {
            matchers.Add(OneOf("role", roles.Select(role => role.ToString().ToLowerInvariant())));
        }

        return [.. matchers];
    }

    private static IEnumerable<RuleGroup> Copies(PackGroup group, AlertPolicy policy, IReadOnlyList<OptiAgent> watched)
    {
        if (group.Scope == "global")
        {
            return [group.Group with { Name = group.Name }];
        }

        if (watched.Count == 0 || (group.Scope == "exporters" && !watched.Any(agent => agent.Spec.Exporters is { Count: > 0 })))
        {
            return [];
        }

        LabelMatcher[] confinement = Confinement(policy, watched);
        if (group.Scope is null or "exporters")
        {
            return [Confine(group, group.Name, confinement, null)];
        }

        OptiAgent[] speakers = [.. watched.Where(agent => agent.Spec.Target is not null && Dialects.Name(agent.Spec.Dialect) == group.Scope)];
        return group.Scope == Dialects.Module
            ? speakers.Select(Dialects.Prefix).Distinct().Select(prefix => Confine(group, $"{group.Name}:{prefix}", confinement, prefix))
            : speakers.Length == 0 ? [] : [Confine(group, group.Scope == Dialects.OptiInfra || group.Scope == group.Name ? group.Name : $"{group.Name}:{group.Scope}", confinement, null)];
    }

    private static RuleGroup Confine(PackGroup group, string name, LabelMatcher[] confinement, string? prefix) => group.Group with
    {
        Name = name,
        Rules = [.. group.Group.Rules!.Select(rule => rule with { Expr = Rewrite(rule.Expr, confinement, prefix), Labels = WithModule(rule, prefix) })],
    };

    /// <summary>Two modules have the same alerts; the label tells them apart.</summary>
    private static IReadOnlyDictionary<string, string>? WithModule(Rule rule, string? prefix) =>
        prefix is null ? rule.Labels : new Dictionary<string, string>(rule.Labels ?? new Dictionary<string, string>()) { ["module"] = prefix };

    private static string Rewrite(string expr, LabelMatcher[] confinement, string? prefix)
    {
        Expr tree = PromQLParser.Parse(expr).Expr ?? throw new InvalidOperationException($"the pack's expression {expr} does not parse");
        if (prefix is not null)
        {
            tree = SelectorInjection.Rewrite(tree, selector => selector.Name.StartsWith(ModulePrefix, StringComparison.Ordinal)
                ? selector with { Name = $"{prefix}_{selector.Name.AsSpan(ModulePrefix.Length)}" }
                : selector);
        }

        return SelectorInjection.Require(tree, confinement).ToString();
    }

    private static RuleGroup Overridden(RuleGroup group, PackUse use, string field, Report report) => group with
    {
        Interval = use.Interval ?? group.Interval,
        Rules = [.. group.Rules!.Select(rule => Overridden(rule, use, field, report)).OfType<Rule>()],
    };

    /// <summary>The rule with the policy's changes; null when it is switched off.</summary>
    internal static Rule? Overridden(Rule rule, PackUse use, string field, Report report)
    {
        if (rule.Alert is null || use.Overrides?.GetValueOrDefault(rule.Alert) is not { } change)
        {
            return rule;
        }

        if (change.Enabled == false)
        {
            return null;
        }

        string expr = rule.Expr;
        if (change.Threshold is { } threshold)
        {
            if (Threshold.Replace(expr, threshold) is { } changed)
            {
                expr = changed;
            }
            else
            {
                report.Error("policy/pack", $"{field}.overrides.{rule.Alert}.threshold", $"{rule.Alert} has no threshold");
            }
        }

        var labels = new Dictionary<string, string>(rule.Labels ?? new Dictionary<string, string>());
        foreach ((string key, string value) in change.Labels ?? new Dictionary<string, string>())
        {
            labels[key] = value;
        }

        if (change.Severity is not null)
        {
            labels["severity"] = change.Severity;
        }

        var annotations = new Dictionary<string, string>(rule.Annotations ?? new Dictionary<string, string>());
        foreach ((string key, string value) in change.Annotations ?? new Dictionary<string, string>())
        {
            annotations[key] = value;
        }

        return rule with { Expr = expr, For = change.For ?? rule.For, KeepFiringFor = change.KeepFiringFor ?? rule.KeepFiringFor, Labels = labels, Annotations = annotations };
    }

    private static void CheckOverrides(PackUse use, IReadOnlyCollection<string> alerts, string field, Report report)
    {
        foreach ((string alert, PackOverride change) in use.Overrides ?? new Dictionary<string, PackOverride>())
        {
            if (!alerts.Contains(alert))
            {
                report.Error("policy/pack", $"{field}.overrides.{alert}", $"the pack {use.Name} has no alert named {alert}", alerts.Count == 0 ? null : $"its alerts are {string.Join(", ", alerts)}");
            }

            CommonChecks.Duration(change.For, $"{field}.overrides.{alert}.for", report, zero: true);
            CommonChecks.Duration(change.KeepFiringFor, $"{field}.overrides.{alert}.keepFiringFor", report, zero: true);
        }
    }

    internal static LabelMatcher Equal(string name, string value) => new(default, name, MatchOp.Equal, value);

    private static LabelMatcher OneOf(string name, IEnumerable<string> values)
    {
        string[] sorted = [.. values.Order(StringComparer.Ordinal)];
        return sorted.Length == 1 ? Equal(name, sorted[0]) : new LabelMatcher(default, name, MatchOp.Regex, string.Join('|', sorted.Select(Discovery.Escape)));
    }
}

/// <summary>The dialects as packs name them.</summary>
internal static class Dialects
{
    public const string OptiInfra = "optiinfra";
    public const string Kosmos = "kosmos";
    public const string GoldenSignals = "golden-signals";
    public const string Module = "module";
    public const string GenAi = "gen-ai";

    public static string? Name(MetricDialect? dialect) => (dialect ?? MetricDialect.OptiInfra) switch
    {
        MetricDialect.OptiInfra => OptiInfra,
        MetricDialect.Kosmos => Kosmos,
        MetricDialect.GoldenSignals => GoldenSignals,
        MetricDialect.Module => Module,
        MetricDialect.GenAi => GenAi,
        _ => null,
    };

    /// <summary>First part of a module's metric names: what the agent says, else its name in metric form.</summary>
    public static string Prefix(OptiAgent agent) => agent.Spec.MetricPrefix ?? (agent.Metadata.Name ?? "").Replace('-', '_').Replace('.', '_');
}
