using System.Collections.Immutable;
using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Rules;

/// <summary>
/// Finds rule groups wherever people keep them: plain rule files, and Kubernetes resources that carry groups in their spec
/// (AlertPolicy, prometheus-operator's PrometheusRule), also several in one stream, as Helm renders them.
/// </summary>
public static class RuleDocuments
{
    /// <summary>One <see cref="RuleFile"/> for each document with rules. Resources of other kinds and rule tests are passed over.</summary>
    public static ImmutableArray<RuleFile> Read(string text, string source, ParserOptions? options = null)
    {
        YamlTree? tree = text.Contains("apiVersion", StringComparison.Ordinal) ? YamlTree.Parse(text) : null;
        if (tree is null || !tree.Documents.Any(IsResource))
        {
            var file = RuleFile.Parse(text, options, source);
            bool isTest = file.Tree.Documents is [YamlMapping mapping, ..] && (mapping.Find("tests") ?? mapping.Find("rule_files")) is not null;
            return isTest ? [] : [file];
        }
        var files = ImmutableArray.CreateBuilder<RuleFile>();
        foreach (YamlNode? document in tree.Documents)
        {
            foreach (YamlMapping resource in Resources(document))
            {
                if (IsRuleKind(resource) && resource.Find("spec") is YamlMapping spec && spec.Entries.FirstOrDefault(entry => entry.Key.Value == "groups") is { Key: not null } groups)
                {
                    var root = new YamlMapping([groups]) { Start = spec.Start, End = spec.End };
                    files.Add(RuleFile.Read(tree, root, options, source));
                }
            }
        }
        return files.DrainToImmutable();
    }

    private static bool IsResource(YamlNode? document) => document is YamlMapping mapping && mapping.Find("apiVersion") is not null && mapping.Find("kind") is not null;

    private static IEnumerable<YamlMapping> Resources(YamlNode? document) =>
        document is not YamlMapping mapping ? []
        : mapping.Find("kind") is YamlScalar { Value: "List" or "AlertPolicyList" or "PrometheusRuleList" } && mapping.Find("items") is YamlSequence items
            ? items.Items.OfType<YamlMapping>()
        : [mapping];

    private static bool IsRuleKind(YamlMapping resource) => resource.Find("kind") is YamlScalar { Value: "AlertPolicy" or "PrometheusRule" };
}
