using System.Text.Json.Nodes;

namespace OptiInfra.ApiServer.Schema;

/// <summary>
/// Reads an OpenAPI v3 schema as it stands in a CustomResourceDefinition. It never complains: members of the wrong shape
/// are skipped, because the definition was checked before (CrdValidation) or is about to be.
/// </summary>
internal static class SchemaReader
{
    public static StructuralSchema Read(JsonObject schema)
    {
        (StructuralSchema? values, bool free) = AdditionalProperties(schema);
        return new StructuralSchema
        {
            Type = Text(schema, "type"),
            Format = Text(schema, "format"),
            Title = Text(schema, "title"),
            Description = Text(schema, "description"),
            Nullable = Flag(schema, "nullable"),
            IntOrString = Flag(schema, "x-kubernetes-int-or-string"),
            PreserveUnknown = Flag(schema, "x-kubernetes-preserve-unknown-fields") || free,
            EmbeddedResource = Flag(schema, "x-kubernetes-embedded-resource"),
            Properties = ReadProperties(schema),
            Values = values,
            Items = schema["items"] is JsonObject items ? Read(items) : null,
            ListType = Text(schema, "x-kubernetes-list-type"),
            ListMapKeys = Strings(schema, "x-kubernetes-list-map-keys"),
            MapType = Text(schema, "x-kubernetes-map-type"),
            HasDefault = schema.ContainsKey("default"),
            Default = schema["default"]?.DeepClone(),
            Rules = ReadRules(schema),
            Validations = ReadValidations(schema),
        };
    }

    /// <summary>The schema of a whole custom object: what the definition says plus the fields that every object has.</summary>
    public static StructuralSchema ReadRoot(JsonObject schema, StructuralSchema objectMeta)
    {
        StructuralSchema read = Read(schema);
        var properties = new OrderedDictionary<string, StructuralSchema>
        {
            ["apiVersion"] = new() { Type = "string" },
            ["kind"] = new() { Type = "string" },
            ["metadata"] = Metadata(read.Field("metadata"), objectMeta),
        };
        foreach ((string name, StructuralSchema field) in read.Properties ?? [])
        {
            if (!properties.ContainsKey(name))
            {
                properties[name] = field;
            }
        }

        return read with { Type = "object", Properties = properties };
    }

    // A definition may bound metadata.name and metadata.generateName, and say nothing else about metadata.
    private static StructuralSchema Metadata(StructuralSchema? declared, StructuralSchema objectMeta)
    {
        if (declared?.Properties is not { Count: > 0 } bounded)
        {
            return objectMeta with { Rules = declared?.Rules ?? ValueRules.None };
        }

        var properties = new OrderedDictionary<string, StructuralSchema>(objectMeta.Properties!);
        foreach ((string name, StructuralSchema field) in bounded)
        {
            if (properties.TryGetValue(name, out StructuralSchema? known))
            {
                properties[name] = known with { Rules = field.Rules, Validations = field.Validations };
            }
        }

        return objectMeta with { Properties = properties, Rules = declared.Rules };
    }

    private static (StructuralSchema? Values, bool Free) AdditionalProperties(JsonObject schema) => schema["additionalProperties"] switch
    {
        JsonObject values => (Read(values), false),
        JsonValue flag when flag.TryGetValue(out bool free) => (null, free),
        _ => (null, false),
    };

    private static OrderedDictionary<string, StructuralSchema>? ReadProperties(JsonObject schema)
    {
        if (schema["properties"] is not JsonObject declared)
        {
            return null;
        }

        var properties = new OrderedDictionary<string, StructuralSchema>();
        foreach ((string name, JsonNode? field) in declared)
        {
            properties[name] = field is JsonObject node ? Read(node) : StructuralSchema.Anything;
        }

        return properties;
    }

    private static ValueRules ReadRules(JsonObject schema) => new()
    {
        Minimum = Number(schema, "minimum"),
        Maximum = Number(schema, "maximum"),
        ExclusiveMinimum = Flag(schema, "exclusiveMinimum"),
        ExclusiveMaximum = Flag(schema, "exclusiveMaximum"),
        MultipleOf = Number(schema, "multipleOf"),
        MinLength = Count(schema, "minLength"),
        MaxLength = Count(schema, "maxLength"),
        Pattern = schema.ContainsKey("pattern") ? Text(schema, "pattern") : null,
        MinItems = Count(schema, "minItems"),
        MaxItems = Count(schema, "maxItems"),
        MinProperties = Count(schema, "minProperties"),
        MaxProperties = Count(schema, "maxProperties"),
        Required = Strings(schema, "required"),
        Enum = schema["enum"] is JsonArray values ? [.. values.Select(static value => value?.DeepClone())] : null,
        AllOf = Schemas(schema, "allOf"),
        AnyOf = Schemas(schema, "anyOf"),
        OneOf = Schemas(schema, "oneOf"),
        Not = schema["not"] is JsonObject not ? Read(not) : null,
    };

    private static List<CelRule> ReadValidations(JsonObject schema) =>
        schema["x-kubernetes-validations"] is not JsonArray rules ? [] :
        [
            .. rules.OfType<JsonObject>().Select(static rule => new CelRule(Text(rule, "rule"))
            {
                Message = Text(rule, "message"),
                MessageExpression = Text(rule, "messageExpression"),
                Reason = rule["reason"] is null ? null : Text(rule, "reason"),
                FieldPath = Text(rule, "fieldPath"),
                OptionalOldSelf = rule["optionalOldSelf"] is null ? null : Flag(rule, "optionalOldSelf"),
            }),
        ];

    private static IReadOnlyList<StructuralSchema> Schemas(JsonObject schema, string name) =>
        schema[name] is JsonArray list ? [.. list.OfType<JsonObject>().Select(Read)] : [];

    private static string Text(JsonObject node, string name) =>
        node[name] is JsonValue value && value.TryGetValue(out string? text) ? text : "";

    private static bool Flag(JsonObject node, string name) =>
        node[name] is JsonValue value && value.TryGetValue(out bool flag) && flag;

    private static double? Number(JsonObject node, string name) =>
        node[name] is JsonValue value && Json.IsNumber(value) ? Json.ToDouble(value) : null;

    private static long? Count(JsonObject node, string name) =>
        node[name] is JsonValue value && Json.TryInteger(value, out long count) ? count : null;

    private static IReadOnlyList<string> Strings(JsonObject node, string name) =>
        node[name] is JsonArray list ? [.. list.OfType<JsonValue>().Select(static value => value.TryGetValue(out string? text) ? text : "")] : [];
}
