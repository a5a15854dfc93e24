using OptiInfra.Compiler.Model;
using OptiInfra.Crds;
using OptiInfra.Crds.Schema;
using OptiInfra.PromQL.Types;

namespace OptiInfra.Compiler.Compile;

/// <summary>Writes rule groups as a Prometheus rule file, leaving out or rewriting what the version at hand does not know.</summary>
internal static class RuleFileWriter
{
    /// <summary>On every alert: the policy it comes from, as namespace/name. Alertmanager's routes go by it.</summary>
    public const string PolicyLabel = "optiinfra_policy";

    /// <param name="groups">The groups, in order.</param>
    /// <param name="version">Who will read the file.</param>
    /// <param name="alertLabels">Labels that every alert gets; null to write the rules as the user did, for unit tests.</param>
    public static string Write(IReadOnlyList<RuleGroup> groups, PrometheusVersion version, IReadOnlyDictionary<string, string>? alertLabels)
    {
        var yaml = new YamlWriter();
        yaml.Begin("groups");
        foreach (RuleGroup group in groups)
        {
            yaml.BeginItem().Pair("name", group.Name).PairIf("interval", group.Interval);
            yaml.PairIf("query_offset", version >= Versions.QueryOffset ? group.QueryOffset : null);
            yaml.PairIf("limit", group.Limit is > 0 ? group.Limit : null);
            if (group.Rules is not { Count: > 0 } rules)
            {
                yaml.Flow("rules", []).EndItem();
                continue;
            }

            yaml.Begin("rules");
            foreach (Rule rule in rules)
            {
                Write(yaml, rule, group.Labels, alertLabels);
            }

            yaml.End().EndItem();
        }

        return yaml.End().ToString();
    }

    private static void Write(YamlWriter yaml, Rule rule, IReadOnlyDictionary<string, string>? groupLabels, IReadOnlyDictionary<string, string>? alertLabels)
    {
        yaml.BeginItem().PairIf("alert", rule.Alert).PairIf("record", rule.Record).Pair("expr", rule.Expr);
        yaml.PairIf("for", rule.For).PairIf("keep_firing_for", rule.KeepFiringFor);

        // Labels of the group are written to each rule: the same in effect, and understood by every version.
        var labels = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (IReadOnlyDictionary<string, string>? source in (IReadOnlyDictionary<string, string>?[])[groupLabels, rule.Labels, rule.Alert is null ? null : alertLabels])
        {
            foreach ((string key, string value) in source ?? new Dictionary<string, string>())
            {
                labels[key] = value;
            }
        }

        Map(yaml, "labels", labels);
        Map(yaml, "annotations", rule.Annotations);
        yaml.EndItem();
    }

    private static void Map(YamlWriter yaml, string key, IReadOnlyDictionary<string, string>? map)
    {
        if (map is { Count: > 0 })
        {
            yaml.Begin(key);
            ScrapeYaml.Sorted(yaml, map);
            yaml.End();
        }
    }
}
