using System.Text.Json;
using OptiInfra.Crds.Schema;

namespace OptiInfra.Crds.Tests.Schema;

public sealed class CrdManifestTests
{
    public static TheoryData<string> Kinds => [.. CrdManifest.All.Select(manifest => manifest.Kind.Kind)];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void The_manifest_in_config_is_what_the_types_say(string kind)
    {
        CrdManifest manifest = Find(kind);
        Golden.Verify($"config/crd/{manifest.Kind.Group}_{manifest.Kind.Plural}.yaml", manifest.ToYaml());
        Golden.Verify($"deploy/helm/optiinfra/crds/{manifest.Kind.Group}_{manifest.Kind.Plural}.yaml", manifest.ToYaml());
    }

    [Fact]
    public void The_reference_page_is_what_the_types_say() => Golden.Verify("docs/crds.md", CrdReference.Write(CrdManifest.All));

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_text_list_and_map_has_a_bound(string kind)
    {
        List<string> unbounded = [];
        Walk("", Find(kind).Schema, (path, node) =>
        {
            bool bounded = node.Type switch
            {
                SchemaType.Text => node.MaxLength is not null || node.Enum is not null || node.Format is not null,
                SchemaType.List => node.MaxEntries is not null,
                SchemaType.Struct => node.Entry is null || node.MaxEntries is not null,
                _ => true,
            };
            if (!bounded)
            {
                unbounded.Add(path);
            }
        });
        Assert.DoesNotContain(unbounded, path => !path.StartsWith(".metadata", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_field_of_ours_is_described(string kind)
    {
        List<string> silent = [];
        Walk("", Find(kind).Schema, (path, node) =>
        {
            if (node.Description is null && !path.EndsWith("[]", StringComparison.Ordinal) && !path.EndsWith(".*", StringComparison.Ordinal) && path.Length > 0)
            {
                silent.Add(path);
            }
        });

        // Selectors, conditions and metadata are Kubernetes' own types.
        string[] foreign = ["elector", "match", "conditions", ".metadata"];
        Assert.DoesNotContain(silent, path => !foreign.Any(part => path.Contains(part, StringComparison.Ordinal)));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void The_manifest_stays_far_below_what_client_side_apply_can_carry(string kind) =>
        Assert.True(Find(kind).ToJson().ToJsonString().Length < 131_072);

    [Fact]
    public void Fields_come_from_the_json_contract()
    {
        SchemaNode spec = Find("OptiAgent").Schema.Field("spec")!.Node;

        Assert.Equal(["custom", "orchestrator", "cost", "performance", "resource", "application"], spec.Field("role")!.Node.Enum);
        Assert.Equal(SchemaType.IntOrString, spec.Field("target")!.Node.Field("port")!.Node.Type);
        Assert.Equal(65535, spec.Field("target")!.Node.Field("port")!.Node.Maximum);
        Assert.Equal("name", spec.Field("exporters")!.Node.ListKey);
        Assert.True(spec.Field("exporters")!.Node.Entry!.Field("name")!.Required);
        Assert.Equal(["service", "pods", "static", "annotated"], Assert.Single(spec.Field("target")!.Node.Unions).Fields);
    }

    [Fact]
    public void A_resource_survives_the_way_through_json()
    {
        const string text = """{"metadata":{"name":"cost","namespace":"shop"},"spec":{"role":"cost","target":{"service":{"name":"cost"},"port":8001},"scrape":{"interval":"15s","limits":{"samples":20000}},"slo":{"availability":99.9,"latency":{"threshold":"1s","target":99}}}}""";
        OptiAgent agent = JsonSerializer.Deserialize(text, OptiJson.Default.OptiAgent)!;

        Assert.Equal(AgentRole.Cost, agent.Spec.Role);
        Assert.Equal(8001, agent.Spec.Target!.Port!.Value.Port);
        Assert.Equal(text, JsonSerializer.Serialize(agent, OptiJson.Default.OptiAgent));
    }

    private static CrdManifest Find(string kind) => CrdManifest.All.Single(manifest => manifest.Kind.Kind == kind);

    private static void Walk(string path, SchemaNode node, Action<string, SchemaNode> visit)
    {
        visit(path, node);
        if (node.Entry is not null)
        {
            Walk(path + (node.Type == SchemaType.List ? "[]" : ".*"), node.Entry, visit);
        }

        foreach (SchemaField field in node.Fields ?? [])
        {
            Walk($"{path}.{field.Name}", field.Node, visit);
        }
    }
}
