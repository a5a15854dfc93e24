using System.Text.Json.Nodes;

namespace OptiInfra.ApiServer.Schema;

/// <summary>
/// The schema inside a CustomResourceDefinition as an object of its own: a recursive type that the built-in notation
/// cannot say. Brings it into the form in which it is stored: keywords that exist, no nulls, nothing empty.
/// </summary>
internal static class JsonSchemaProps
{
    /// <summary>The format by which the built-in notation refers to this type.</summary>
    public const string Format = "json-schema";

    private static readonly string[] Plain =
    [
        "id", "$schema", "$ref", "description", "type", "format", "title", "default", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum",
        "maxLength", "minLength", "pattern", "maxItems", "minItems", "uniqueItems", "multipleOf", "enum", "maxProperties", "minProperties", "required",
        "externalDocs", "example", "nullable", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource", "x-kubernetes-int-or-string",
        "x-kubernetes-list-map-keys", "x-kubernetes-list-type", "x-kubernetes-map-type", "x-kubernetes-validations",
    ];

    /// <summary>Zero values of these say nothing and are not kept; numbers are, because zero is a bound.</summary>
    private static readonly string[] KeptWhenEmpty = ["default", "example", "x-kubernetes-preserve-unknown-fields"];

    public static JsonNode? Normalize(JsonNode? schema, string path, ICollection<string> unknown)
    {
        if (schema is not JsonObject members)
        {
            return schema?.DeepClone();
        }

        var kept = new JsonObject();
        foreach ((string name, JsonNode? member) in members)
        {
            string at = $"{path}.{name}";
            JsonNode? value = name switch
            {
                "properties" or "definitions" or "patternProperties" or "dependencies" => Map(member, at, unknown),
                "items" or "additionalProperties" or "additionalItems" or "not" => member is JsonArray list ? List(list, at, unknown) : Normalize(member, at, unknown),
                "allOf" or "anyOf" or "oneOf" => List(member as JsonArray ?? [], at, unknown),
                _ when Plain.Contains(name) => member?.DeepClone(),
                _ => Unknown(at, unknown),
            };
            if (value is not null && (KeptWhenEmpty.Contains(name) || !IsEmpty(name, value)))
            {
                kept[name] = value;
            }
        }

        return kept;
    }

    private static JsonNode? Unknown(string path, ICollection<string> unknown)
    {
        unknown.Add(path);
        return null;
    }

    private static bool IsEmpty(string name, JsonNode value) => value switch
    {
        JsonArray items => items.Count == 0 && name != "items",
        JsonObject members => members.Count == 0 && name is "properties" or "definitions" or "patternProperties" or "dependencies",
        _ => Json.AsString(value) is "" || (Json.IsBoolean(value) && !value.GetValue<bool>() && name is not ("additionalProperties" or "additionalItems")),
    };

    private static JsonNode? Map(JsonNode? node, string path, ICollection<string> unknown) => node is not JsonObject members ? node?.DeepClone()
        : new JsonObject(members.Select(member => KeyValuePair.Create(member.Key, Normalize(member.Value, $"{path}.{member.Key}", unknown))));

    private static JsonArray List(JsonArray items, string path, ICollection<string> unknown) =>
        new([.. items.Select((item, i) => Normalize(item, $"{path}[{i}]", unknown))]);
}
