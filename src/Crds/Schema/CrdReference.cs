using System.Text;

namespace OptiInfra.Crds.Schema;

/// <summary>The page docs/crds.md: every field of every kind, from the same tree as the CRDs.</summary>
public static class CrdReference
{
    public static string Write(IEnumerable<CrdManifest> manifests)
    {
        ArgumentNullException.ThrowIfNull(manifests);
        var page = new StringBuilder();
        page.Append("# Resources\n\nGenerated from the C# types in `src/Crds` by `make golden`; do not edit. `kubectl explain` says the same.\n");
        foreach (CrdManifest manifest in manifests)
        {
            page.Append("\n## ").Append(manifest.Kind.Kind).Append(" (`").Append(manifest.ShortName).Append("`)\n\n");
            page.Append(manifest.Schema.Description).Append("\n\n");
            page.Append("| field | type | meaning |\n|---|---|---|\n");
            foreach (string part in (string[])["spec", "status"])
            {
                if (manifest.Schema.Field(part) is { } field)
                {
                    Fields(page, part, field.Node);
                }
            }
        }

        return page.ToString();
    }

    private static void Fields(StringBuilder page, string path, SchemaNode node)
    {
        if (node.Type == SchemaType.List || node.IsMap)
        {
            Fields(page, path + (node.IsMap ? ".<name>" : "[]"), node.Entry!);
            return;
        }

        foreach (SchemaField field in node.Fields ?? [])
        {
            page.Append("| `").Append(path).Append('.').Append(field.Name).Append("` | ").Append(TypeName(field.Node)).Append(" | ");
            page.Append(field.Node.Description?.Replace("|", "\\|", StringComparison.Ordinal));
            page.Append(field.Required ? " **Required.**" : "");
            foreach (SchemaUnion union in field.Node.Unions)
            {
                page.Append(' ').Append(char.ToUpperInvariant(SchemaNode.UnionMessage(union)[0])).Append(SchemaNode.UnionMessage(union).AsSpan(1)).Append('.');
            }

            page.Append(" |\n");
            Fields(page, $"{path}.{field.Name}", field.Node);
        }
    }

    private static string TypeName(SchemaNode node) => node switch
    {
        { Enum: { } values } => string.Join(", ", values.Select(value => $"`{value}`")),
        { Type: SchemaType.List } => $"list of {TypeName(node.Entry!)}",
        { IsMap: true } => $"map of {TypeName(node.Entry!)}",
        { Type: SchemaType.IntOrString } => "number or text",
        { Type: SchemaType.Text, Format: "date-time" } => "time",
        { Type: SchemaType.Text } => "text",
        { Type: SchemaType.Whole } => "whole number",
        { Type: SchemaType.Struct } => "object",
        { Type: SchemaType.Flag } => "true or false",
        _ => node.Type.ToString().ToLowerInvariant(),
    };
}
