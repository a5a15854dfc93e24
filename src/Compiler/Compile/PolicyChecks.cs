using OptiInfra.Compiler.Model;
using OptiInfra.Crds;
using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Templates;
using OptiInfra.PromQL.Text;

namespace OptiInfra.Compiler.Compile;

/// <summary>What can be wrong with an AlertPolicy, one named check each.</summary>
internal static class PolicyChecks
{
    private static readonly Action<AlertPolicy, StackModel, Report>[] All =
    [
        NameIsALabel,
        SomethingIsSaid,
        RulesAreWhole,           // alert or record, no "for" on recordings
        Expressions,             // parsed and type-checked by our own parser
        RuleLabels,
        Templates,               // Go templates of labels and annotations
        GroupDurations,
        PackNamesAreUnique,
    ];

    public static void Run(AlertPolicy policy, StackModel stack, Report report)
    {
        foreach (Action<AlertPolicy, StackModel, Report> check in All)
        {
            check(policy, stack, report);
        }
    }

    private static void NameIsALabel(AlertPolicy policy, StackModel stack, Report report) => CommonChecks.Name(policy.Metadata.Name, report);

    private static void SomethingIsSaid(AlertPolicy policy, StackModel stack, Report report)
    {
        AlertPolicySpec spec = policy.Spec;
        if (spec is { Packs: not { Count: > 0 }, Groups: not { Count: > 0 }, Notify: not { Count: > 0 }, Inhibit: not { Count: > 0 }, Maintenance: not { Count: > 0 } })
        {
            report.Warning("policy/empty", "spec", "the policy has neither packs nor groups, so there is nothing to watch", "add packs: [{name: service-health}]");
        }
    }

    private static void RulesAreWhole(AlertPolicy policy, StackModel stack, Report report)
    {
        foreach ((Rule rule, string field) in Rules(policy))
        {
            if ((rule.Alert is null) == (rule.Record is null))
            {
                report.Error("policy/rule", field, rule.Alert is null ? "a rule has neither alert nor record" : "a rule has both alert and record", "set exactly one of them");
            }

            if (rule.Record is not null && (rule.For ?? rule.KeepFiringFor) is not null)
            {
                report.Error("policy/rule", $"{field}.{(rule.For is not null ? "for" : "keep_firing_for")}", "only alerts can wait; a recording rule cannot");
            }

            if (rule.Record is not null && rule.Annotations is { Count: > 0 })
            {
                report.Error("policy/rule", $"{field}.annotations", "a recording rule has no annotations");
            }

            if (rule.Record is { } record && !IsMetricName(record))
            {
                report.Error("policy/rule", $"{field}.record", $"\"{record}\" is not a metric name", "use letters, digits, underscores and colons");
            }

            CommonChecks.Duration(rule.For, $"{field}.for", report, zero: true);
            CommonChecks.Duration(rule.KeepFiringFor, $"{field}.keep_firing_for", report, zero: true);
        }
    }

    private static void Expressions(AlertPolicy policy, StackModel stack, Report report)
    {
        ParserOptions options = PolicyCompiler.Options(stack);
        foreach ((Rule rule, string field) in Rules(policy))
        {
            foreach (Diagnostic diagnostic in PromQLParser.Parse(rule.Expr, options).Diagnostics)
            {
                report.Add(diagnostic with { Field = $"{field}.expr" });
            }
        }
    }

    private static void RuleLabels(AlertPolicy policy, StackModel stack, Report report)
    {
        foreach ((Rule rule, string field) in Rules(policy))
        {
            foreach (string name in rule.Labels?.Keys ?? [])
            {
                if (!CommonChecks.IsLabelName(name) || name == "__name__")
                {
                    report.Error("policy/label", $"{field}.labels.{name}", $"\"{name}\" is not a label name", "use letters, digits and underscores");
                }
                else if (name == RuleFileWriter.PolicyLabel)
                {
                    report.Error("policy/label", $"{field}.labels.{name}", $"the label {name} is set by OptiInfra");
                }
            }

            foreach (string name in rule.Annotations?.Keys ?? [])
            {
                if (!CommonChecks.IsLabelName(name))
                {
                    report.Error("policy/label", $"{field}.annotations.{name}", $"\"{name}\" is not an annotation name", "use letters, digits and underscores");
                }
            }
        }
    }

    private static void Templates(AlertPolicy policy, StackModel stack, Report report)
    {
        foreach ((Rule rule, string field) in Rules(policy).Where(item => item.Rule.Alert is not null))
        {
            Check(rule.Labels, $"{field}.labels");
            Check(rule.Annotations, $"{field}.annotations");
        }

        void Check(IReadOnlyDictionary<string, string>? texts, string field)
        {
            foreach ((string name, string text) in texts ?? new Dictionary<string, string>())
            {
                if (TemplateParser.Parse(text, stack.Version).Error is { } error)
                {
                    report.Error("policy/template", $"{field}.{name}", $"the template does not work: {error.Message}");
                }
            }
        }
    }

    private static void GroupDurations(AlertPolicy policy, StackModel stack, Report report)
    {
        IReadOnlyList<RuleGroup> groups = policy.Spec.Groups ?? [];
        for (int i = 0; i < groups.Count; i++)
        {
            CommonChecks.Duration(groups[i].Interval, $"spec.groups[{i}].interval", report);
            CommonChecks.Duration(groups[i].QueryOffset, $"spec.groups[{i}].query_offset", report, zero: true);
            if (groups[i].QueryOffset is not null && stack.Version < Versions.QueryOffset)
            {
                report.Warning("policy/version", $"spec.groups[{i}].query_offset", $"Prometheus {stack.Version} does not know query_offset; it is left out");
            }
        }
    }

    private static void PackNamesAreUnique(AlertPolicy policy, StackModel stack, Report report)
    {
        foreach (IGrouping<string, PackUse> twice in (policy.Spec.Packs ?? []).GroupBy(pack => pack.Name).Where(same => same.Count() > 1))
        {
            report.Error("policy/pack", "spec.packs", $"the pack {twice.Key} is named twice");
        }
    }

    internal static IEnumerable<(Rule Rule, string Field)> Rules(AlertPolicy policy) =>
        from groupIndex in Enumerable.Range(0, policy.Spec.Groups?.Count ?? 0)
        let rules = policy.Spec.Groups![groupIndex].Rules ?? []
        from ruleIndex in Enumerable.Range(0, rules.Count)
        select (rules[ruleIndex], $"spec.groups[{groupIndex}].rules[{ruleIndex}]");

    private static bool IsMetricName(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or ':');
}
