using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using OptiInfra.Crds.Schema;
using OptiInfra.Kubernetes.Objects;
using OptiInfra.PromQL.Text;

namespace OptiInfra.Compiler.Input;

/// <summary>Checks a YAML tree against a schema, as the API server would, and turns it into JSON on the way.</summary>
internal sealed class SchemaCheck
{
    private static readonly string[] RootFields = ["apiVersion", "kind", "metadata", "spec", "status"];

    private readonly List<Diagnostic> _diagnostics = [];

    public IReadOnlyList<Diagnostic> Diagnostics => _diagnostics;

    /// <summary>A whole resource: apiVersion and kind are known to be right.</summary>
    public JsonObject? Resource(YamlMapping mapping, SchemaNode schema)
    {
        var json = new JsonObject();
        foreach (YamlEntry entry in mapping.Entries)
        {
            string key = entry.Key.Value;
            if (!RootFields.Contains(key))
            {
                Unknown(key, entry.Key, RootFields, "");
            }
            else if (key is "metadata")
            {
                json[key] = Metadata(entry.Value);
            }
            else if (key is "spec")
            {
                json[key] = Value(entry.Value, schema.Field(key)!.Node, key);
            }
        }

        if (mapping.Find("metadata") is null || mapping.Find("spec") is null)
        {
            string missing = mapping.Find("metadata") is null ? "metadata" : "spec";
            Error("resource/required", mapping, missing, $"{missing} is missing");
            return null;
        }

        return json["spec"] is null || json["metadata"] is null ? null : json;
    }

    private JsonObject? Metadata(YamlNode node)
    {
        if (node is not YamlMapping mapping)
        {
            Error("resource/type", node, "metadata", "metadata must be a mapping");
            return null;
        }

        var json = new JsonObject();
        foreach (YamlEntry entry in mapping.Entries)
        {
            switch (entry.Key.Value)
            {
                case "name" or "namespace" when entry.Value is YamlScalar scalar:
                    json[entry.Key.Value] = scalar.Value;
                    break;
                case "labels" or "annotations" when entry.Value is YamlMapping map:
                    var texts = new JsonObject();
                    foreach (YamlEntry label in map.Entries)
                    {
                        if (Text(label.Value, new SchemaNode { Type = SchemaType.Text }, $"metadata.{entry.Key.Value}.{label.Key.Value}") is { } text)
                        {
                            texts[label.Key.Value] = text;
                        }
                    }

                    json[entry.Key.Value] = texts;
                    break;
                default:
                    break;
            }
        }

        if (json["name"] is null)
        {
            Error("resource/required", node, "metadata.name", "the name is missing");
        }

        return json;
    }

    private JsonNode? Value(YamlNode node, SchemaNode schema, string path)
    {
        if (node is YamlScalar { IsNull: true })
        {
            return null;
        }

        return schema switch
        {
            { Type: SchemaType.Struct, Entry: not null } => Map(node, schema, path),
            { Type: SchemaType.Struct } => Struct(node, schema, path),
            { Type: SchemaType.List } => List(node, schema, path),
            _ => Scalar(node, schema, path),
        };
    }

    private JsonObject? Struct(YamlNode node, SchemaNode schema, string path)
    {
        if (node is not YamlMapping mapping)
        {
            Error("resource/type", node, path, "a mapping is expected here", $"its fields are {string.Join(", ", schema.Fields!.Select(field => field.Name))}");
            return null;
        }

        var json = new JsonObject();
        foreach (YamlEntry entry in mapping.Entries)
        {
            string key = entry.Key.Value;
            if (schema.Field(key) is { } field)
            {
                json[key] = Value(entry.Value, field.Node, $"{path}.{key}");
            }
            else
            {
                Unknown(key, entry.Key, schema.Fields!.Select(known => known.Name), path);
            }
        }

        foreach (SchemaField field in schema.Fields!.Where(field => field.Required && mapping.Find(field.Name) is null))
        {
            Error("resource/required", node, path, $"{field.Name} is missing", field.Node.Description);
        }

        foreach (SchemaUnion union in schema.Unions)
        {
            int set = union.Fields.Count(name => json[name] is not null);
            if (set > 1 || (set == 0 && !union.Optional))
            {
                Error("resource/one-of", node, path, SchemaNode.UnionMessage(union) + (set > 1 ? $", not {string.Join(" and ", union.Fields.Where(name => json[name] is not null))}" : ""));
            }
        }

        return json;
    }

    private JsonObject? Map(YamlNode node, SchemaNode schema, string path)
    {
        if (node is not YamlMapping mapping)
        {
            Error("resource/type", node, path, "a mapping is expected here");
            return null;
        }

        Entries(mapping.Entries.Length, schema, node, path);
        var json = new JsonObject();
        foreach (YamlEntry entry in mapping.Entries)
        {
            json[entry.Key.Value] = Value(entry.Value, schema.Entry!, $"{path}.{entry.Key.Value}");
        }

        return json;
    }

    private JsonArray? List(YamlNode node, SchemaNode schema, string path)
    {
        if (node is not YamlSequence sequence)
        {
            Error("resource/type", node, path, "a list is expected here", "start each entry with a dash, or write [a, b]");
            return null;
        }

        Entries(sequence.Items.Length, schema, node, path);
        var json = new JsonArray();
        var keys = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < sequence.Items.Length; i++)
        {
            JsonNode? item = Value(sequence.Items[i], schema.Entry!, $"{path}[{i}]");
            string? key = schema.ListKey is null ? schema.IsSet ? item?.ToJsonString() : null : item?[schema.ListKey]?.ToJsonString();
            if (key is not null && !keys.Add(key))
            {
                Error("resource/duplicate", sequence.Items[i], $"{path}[{i}]", $"{(schema.ListKey is null ? "" : schema.ListKey + " ")}{key} is given twice");
            }

            json.Add(item);
        }

        return json;
    }

    private JsonNode? Scalar(YamlNode node, SchemaNode schema, string path)
    {
        if (node is not YamlScalar scalar)
        {
            Error("resource/type", node, path, $"{Name(schema.Type)} is expected here");
            return null;
        }

        if (schema.Type == SchemaType.Text)
        {
            return Text(scalar, schema, path);
        }

        JsonNode? value = scalar.Style == YamlStyle.Plain && scalar.Tag.Length == 0 ? YamlJson.PlainScalar(scalar.Value) : JsonValue.Create(scalar.Value);
        JsonValueKind kind = value?.GetValueKind() ?? JsonValueKind.Null;
        bool fits = schema.Type switch
        {
            SchemaType.Flag => kind is JsonValueKind.True or JsonValueKind.False,
            SchemaType.Whole => kind == JsonValueKind.Number && long.TryParse(value!.ToJsonString(), CultureInfo.InvariantCulture, out _),
            SchemaType.Number => kind == JsonValueKind.Number,
            SchemaType.IntOrString => kind is JsonValueKind.String || (kind == JsonValueKind.Number && long.TryParse(value!.ToJsonString(), CultureInfo.InvariantCulture, out _)),
            _ => true,
        };
        if (!fits)
        {
            Error("resource/type", node, path, $"\"{scalar.Value}\" is not {Name(schema.Type)}");
            return null;
        }

        if (kind == JsonValueKind.Number)
        {
            Bounds(double.Parse(value!.ToJsonString(), CultureInfo.InvariantCulture), schema, node, path);
        }
        else if (kind == JsonValueKind.String)
        {
            TextRules(scalar.Value, schema, node, path);
        }

        return value;
    }

    private JsonValue? Text(YamlNode node, SchemaNode schema, string path)
    {
        if (node is not YamlScalar scalar)
        {
            Error("resource/type", node, path, "a text is expected here");
            return null;
        }

        if (scalar.Style == YamlStyle.Plain && scalar.Tag.Length == 0 && YamlJson.PlainScalar(scalar.Value)?.GetValueKind() is not JsonValueKind.String)
        {
            Error("resource/type", node, path, $"{(scalar.IsNull ? "nothing" : scalar.Value)} is not a text", $"put it in quotes: \"{scalar.Value}\"");
            return null;
        }

        TextRules(scalar.Value, schema, node, path);
        return JsonValue.Create(scalar.Value);
    }

    private void TextRules(string value, SchemaNode schema, YamlNode node, string path)
    {
        if (schema.Enum is { } allowed && !allowed.Contains(value))
        {
            Error("resource/value", node, path, $"\"{value}\" is not a value of this field", Suggest.For(value, allowed));
        }
        else if (value.Length < schema.MinLength)
        {
            Error("resource/value", node, path, value.Length == 0 ? "the text is empty" : $"the text is shorter than {schema.MinLength} characters");
        }
        else if (value.Length > schema.MaxLength)
        {
            Error("resource/value", node, path, $"the text is longer than {schema.MaxLength} characters");
        }
        else if (schema.Pattern is { } pattern && !Regex.IsMatch(value, pattern, RegexOptions.CultureInvariant))
        {
            Error("resource/value", node, path, $"\"{value}\" is not {schema.PatternMeaning ?? "of the form " + pattern}");
        }
    }

    private void Bounds(double value, SchemaNode schema, YamlNode node, string path)
    {
        if (value < schema.Minimum || value > schema.Maximum)
        {
            string bound = value < schema.Minimum ? $"below {Print(schema.Minimum.Value)}" : $"above {Print(schema.Maximum!.Value)}";
            Error("resource/value", node, path, $"{Print(value)} is {bound}");
        }
    }

    private void Entries(int count, SchemaNode schema, YamlNode node, string path)
    {
        if (count < schema.MinEntries)
        {
            Error("resource/value", node, path, count == 0 ? "at least one entry is needed" : $"at least {schema.MinEntries} entries are needed");
        }
        else if (count > schema.MaxEntries)
        {
            Error("resource/value", node, path, $"{count} entries are too many; {schema.MaxEntries} are allowed");
        }
    }

    private void Unknown(string key, YamlNode node, IEnumerable<string> known, string path) =>
        Error("resource/unknown-field", node, path.Length == 0 ? key : $"{path}.{key}", $"there is no field {key}", Suggest.For(key, known));

    private void Error(string id, YamlNode node, string path, string message, string? hint = null) =>
        _diagnostics.Add(new Diagnostic(id, Severity.Error, message) { Field = path, Start = node.Start, End = node.End, Hint = hint });

    private static string Print(double value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Name(SchemaType type) => type switch
    {
        SchemaType.Flag => "true or false",
        SchemaType.Whole => "a whole number",
        SchemaType.Number => "a number",
        SchemaType.IntOrString => "a number or a text",
        _ => "a text",
    };
}
