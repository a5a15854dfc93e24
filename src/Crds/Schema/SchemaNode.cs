using System.Globalization;
using System.Text.Json.Nodes;

namespace OptiInfra.Crds.Schema;

public enum SchemaType
{
    Struct,
    List,
    Text,
    Whole,
    Number,
    Flag,
    IntOrString,

    /// <summary>Any JSON; not validated.</summary>
    Any,
}

/// <summary>A field of an object schema.</summary>
public sealed record SchemaField(string Name, SchemaNode Node, bool Required);

/// <summary>A group of fields of which exactly one (or, when optional, at most one) is set.</summary>
public sealed record SchemaUnion(IReadOnlyList<string> Fields, bool Optional);

/// <summary>A validation rule in CEL, as the API server runs it.</summary>
public sealed record SchemaRule(string Rule, string Message);

/// <summary>
/// What a value may look like. Read once from the C# types by <see cref="SchemaReader"/>; the CRD manifests, the reference
/// page and the checks of the command line all come from this tree.
/// </summary>
public sealed record SchemaNode
{
    public required SchemaType Type { get; init; }

    public string? Description { get; init; }

    public string? Format { get; init; }

    public string? Pattern { get; init; }

    /// <summary>What a text of this pattern is, for messages; null when the pattern must speak for itself.</summary>
    public string? PatternMeaning => Patterns.Meaning(Pattern);

    public int? MinLength { get; init; }

    public int? MaxLength { get; init; }

    public double? Minimum { get; init; }

    public double? Maximum { get; init; }

    /// <summary>Least and most entries of a list or a map.</summary>
    public int? MinEntries { get; init; }

    public int? MaxEntries { get; init; }

    public IReadOnlyList<string>? Enum { get; init; }

    public IReadOnlyList<SchemaField>? Fields { get; init; }

    /// <summary>The schema of a list's entries or of a map's values.</summary>
    public SchemaNode? Entry { get; init; }

    public string? ListKey { get; init; }

    public bool IsSet { get; init; }

    public IReadOnlyList<SchemaUnion> Unions { get; init; } = [];

    public IReadOnlyList<SchemaRule> Rules { get; init; } = [];

    public bool IsMap => Type == SchemaType.Struct && Entry is not null;

    public SchemaField? Field(string name) => Fields?.FirstOrDefault(field => field.Name == name);

    /// <summary>The structural OpenAPI v3 schema that a CustomResourceDefinition carries.</summary>
    public JsonObject ToJson()
    {
        var json = new JsonObject();
        Put(json, "description", Description);
        WriteType(json);
        Put(json, "format", Format);
        Put(json, "pattern", Pattern);
        Put(json, "minLength", MinLength);
        Put(json, "maxLength", MaxLength);
        Put(json, "minimum", Minimum);
        Put(json, "maximum", Maximum);
        if (Enum is not null)
        {
            json["enum"] = new JsonArray([.. Enum.Select(value => JsonValue.Create(value))]);
        }

        WriteEntries(json);
        WriteFields(json);
        WriteRules(json);
        return json;
    }

    private void WriteType(JsonObject json)
    {
        switch (Type)
        {
            case SchemaType.IntOrString:
                json["anyOf"] = new JsonArray(new JsonObject { ["type"] = "integer" }, new JsonObject { ["type"] = "string" });
                json["x-kubernetes-int-or-string"] = true;
                break;
            case SchemaType.Any:
                json["x-kubernetes-preserve-unknown-fields"] = true;
                break;
            default:
                json["type"] = Type switch
                {
                    SchemaType.Struct => "object",
                    SchemaType.List => "array",
                    SchemaType.Text => "string",
                    SchemaType.Whole => "integer",
                    SchemaType.Number => "number",
                    _ => "boolean",
                };
                break;
        }
    }

    private void WriteEntries(JsonObject json)
    {
        if (Entry is null)
        {
            return;
        }

        if (Type == SchemaType.Struct)
        {
            Put(json, "minProperties", MinEntries);
            Put(json, "maxProperties", MaxEntries);
            json["additionalProperties"] = Entry.ToJson();
            return;
        }

        Put(json, "minItems", MinEntries);
        Put(json, "maxItems", MaxEntries);
        if (ListKey is not null)
        {
            json["x-kubernetes-list-type"] = "map";
            json["x-kubernetes-list-map-keys"] = new JsonArray(ListKey);
        }
        else
        {
            json["x-kubernetes-list-type"] = IsSet ? "set" : "atomic";
        }

        json["items"] = Entry.ToJson();
    }

    private void WriteFields(JsonObject json)
    {
        if (Fields is null)
        {
            return;
        }

        var required = new JsonArray([.. Fields.Where(field => field.Required).Select(field => JsonValue.Create(field.Name))]);
        if (required.Count > 0)
        {
            json["required"] = required;
        }

        var properties = new JsonObject();
        foreach (SchemaField field in Fields)
        {
            properties[field.Name] = field.Node.ToJson();
        }

        json["properties"] = properties;
    }

    private void WriteRules(JsonObject json)
    {
        JsonObject[] rules =
        [
            .. Unions.Select(union => RuleJson(new SchemaRule(UnionRule(union), UnionMessage(union)))),
            .. Rules.Select(RuleJson),
        ];
        if (rules.Length > 0)
        {
            json["x-kubernetes-validations"] = new JsonArray([.. rules]);
        }
    }

    /// <summary>One sentence that fits both the API server's answer and our own diagnostics.</summary>
    public static string UnionMessage(SchemaUnion union)
    {
        ArgumentNullException.ThrowIfNull(union);
        return $"{(union.Optional ? "at most" : "exactly")} one of {string.Join(", ", union.Fields)} must be set";
    }

    private static string UnionRule(SchemaUnion union)
    {
        string count = string.Join(" + ", union.Fields.Select(field => $"(has(self.{CelName(field)}) ? 1 : 0)"));
        return $"{count} {(union.Optional ? "<= 1" : "== 1")}";
    }

    private static string CelName(string field) => field is "namespace" ? "__namespace__" : field;

    private static JsonObject RuleJson(SchemaRule rule) => new() { ["rule"] = rule.Rule, ["message"] = rule.Message };

    private static void Put(JsonObject json, string name, string? value)
    {
        if (value is not null)
        {
            json[name] = value;
        }
    }

    private static void Put(JsonObject json, string name, double? value)
    {
        if (value is not { } number)
        {
            return;
        }

        // A bound is written as an integer where it is one: "maximum: 65535", not "65535.0".
        json[name] = number == Math.Floor(number) ? JsonValue.Create((long)number) : JsonNode.Parse(number.ToString("R", CultureInfo.InvariantCulture));
    }
}
