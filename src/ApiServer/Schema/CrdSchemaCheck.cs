using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Cel;

namespace OptiInfra.ApiServer.Schema;

/// <summary>
/// Checks the schema of a CustomResourceDefinition: that it is structural, that its defaults satisfy it, that list and
/// map types make sense, and that its rules compile and are cheap enough. Works on the schema as written, because what is
/// forbidden is not part of the schema model. Rules are only looked at once nothing else is wrong.
/// </summary>
internal sealed class CrdSchemaCheck
{
    private static readonly string[] Types = ["array", "boolean", "integer", "number", "object", "string"];
    private static readonly string[] ListTypes = ["atomic", "set", "map"];
    private static readonly string[] Reasons = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

    private static readonly (string Member, string Text)[] Unsupported =
    [
        ("id", "id is not supported"), ("additionalItems", "additionalItems is not supported"), ("patternProperties", "patternProperties is not supported"),
        ("definitions", "definitions is not supported"), ("dependencies", "dependencies is not supported"), ("$ref", "$ref is not supported"),
    ];

    private static readonly (string Member, string Text)[] ForbiddenInCombinations =
    [
        ("type", "must be empty to be structural"), ("additionalProperties", "must be undefined to be structural"), ("default", "must be undefined to be structural"),
        ("title", "must be empty to be structural"), ("description", "must be empty to be structural"), ("nullable", "must be false to be structural"),
        ("x-kubernetes-preserve-unknown-fields", "must be false to be structural"), ("x-kubernetes-embedded-resource", "must be false to be structural"),
        ("x-kubernetes-int-or-string", "must be false to be structural"), ("x-kubernetes-list-map-keys", "must be empty to be structural"),
        ("x-kubernetes-list-type", "must be undefined to be structural"), ("x-kubernetes-map-type", "must be undefined to be structural"),
        ("x-kubernetes-validations", "must be empty to be structural"),
    ];

    private readonly List<FieldError> structure = [];
    private readonly List<FieldError> defaults = [];
    private readonly List<FieldError> openApi = [];

    private enum Level
    {
        Root,
        Item,
        Field,
    }

    public static List<FieldError> Check(JsonObject schema, string path)
    {
        var check = new CrdSchemaCheck();
        check.Structural(schema, Level.Root, path);
        if (schema["nullable"] is { } nullable && Json.Compact(nullable) == "true")
        {
            check.openApi.Add(FieldError.Forbidden(path + ".nullable", "nullable cannot be true at the root"));
        }

        check.structure.Sort(static (left, right) => string.CompareOrdinal(left.Field + left.Message, right.Field + right.Message));
        if (check.structure.Count == 0)
        {
            check.Defaults(schema, path, insideMeta: false, root: true);
        }

        check.OpenApi(schema, path, insideMeta: false, root: true, defaultsForbidden: null);

        // With keywords that nobody knows the schema has no structure to speak of.
        bool unreadable = check.openApi.Exists(static error => Unsupported.Any(keyword => error.Detail == keyword.Text));
        List<FieldError> errors = [.. unreadable ? [] : check.structure.Count > 0 ? check.structure : check.defaults, .. check.openApi];
        if (errors.Count == 0)
        {
            errors.AddRange(RuleCompiler.Check(SchemaReader.Read(schema), path));
        }

        return errors;
    }

    private static string Text(JsonObject node, string name) => Json.AsString(node[name]) ?? "";

    private static bool Flag(JsonObject node, string name) => node[name] is JsonValue value && value.TryGetValue(out bool flag) && flag;

    private static IEnumerable<KeyValuePair<string, JsonObject>> Properties(JsonObject schema) =>
        (schema["properties"] as JsonObject ?? []).Where(static p => p.Value is JsonObject).OrderBy(static p => p.Key, StringComparer.Ordinal)
            .Select(static p => KeyValuePair.Create(p.Key, p.Value!.AsObject()));

    private void Structural(JsonObject schema, Level level, string path)
    {
        string type = Text(schema, "type");
        bool intOrString = Flag(schema, "x-kubernetes-int-or-string");
        bool preserve = Flag(schema, "x-kubernetes-preserve-unknown-fields");
        bool embedded = Flag(schema, "x-kubernetes-embedded-resource");
        if (type == "array" && schema["items"] is null)
        {
            structure.Add(FieldError.Required(path + ".items", "must be specified"));
        }

        if (schema["items"] is JsonObject items)
        {
            Structural(items, Level.Item, path + ".items");
        }

        foreach ((string name, JsonObject property) in Properties(schema))
        {
            Structural(property, Level.Field, $"{path}.properties[{name}]");
        }

        StructuralMap(schema, level, path, embedded);
        StructuralType(type, level, path, intOrString || preserve, embedded);
        if (intOrString && preserve)
        {
            structure.Add(FieldError.Invalid(path + ".x-kubernetes-preserve-unknown-fields", "true", "must be false if x-kubernetes-int-or-string is true"));
        }

        if (intOrString && embedded)
        {
            structure.Add(FieldError.Invalid(path + ".x-kubernetes-embedded-resource", "true", "must be false if x-kubernetes-int-or-string is true"));
        }

        Combinations(schema, level, path);
        StructuralMetadata(schema, level, path, embedded);
        if (embedded && !preserve && schema["properties"] is not JsonObject { Count: > 0 })
        {
            structure.Add(FieldError.Required(path + ".properties", "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields"));
        }
    }

    private void StructuralMap(JsonObject schema, Level level, string path, bool embedded)
    {
        if (schema["additionalProperties"] is not { } additional)
        {
            return;
        }

        if (level == Level.Root)
        {
            structure.Add(FieldError.Forbidden(path + ".additionalProperties", "must not be used at the root"));
        }

        if (embedded)
        {
            structure.Add(FieldError.Forbidden(path + ".additionalProperties", "must not be used if x-kubernetes-embedded-resource is set"));
        }

        if (additional is JsonObject values)
        {
            Structural(values, Level.Field, path + ".additionalProperties");
        }
    }

    private void StructuralType(string type, Level level, string path, bool free, bool embedded)
    {
        if (embedded && type != "object")
        {
            const string text = "must be object if x-kubernetes-embedded-resource is true";
            structure.Add(type.Length == 0 ? FieldError.Required(path + ".type", text) : FieldError.Invalid(path + ".type", Json.Quote(type), text));
        }
        else if (type.Length == 0 && !free)
        {
            structure.Add(FieldError.Required(path + ".type", level switch
            {
                Level.Root => "must not be empty at the root",
                Level.Item => "must not be empty for specified array items",
                _ => "must not be empty for specified object fields",
            }));
        }

        if (level == Level.Root && type.Length > 0 && type != "object")
        {
            structure.Add(FieldError.Invalid(path + ".type", Json.Quote(type), "must be object at the root"));
        }
    }

    private void StructuralMetadata(JsonObject schema, Level level, string path, bool embedded)
    {
        bool atObject = level == Level.Root || embedded;
        foreach ((string name, JsonObject property) in Properties(schema).Where(static p => p.Key is "kind" or "apiVersion" or "metadata"))
        {
            string type = Text(property, "type");
            string wanted = name == "metadata" ? "object" : "string";
            if (atObject && type != wanted)
            {
                structure.Add(FieldError.Invalid($"{path}.properties[{name}].type", Json.Quote(type), "must be " + wanted));
            }

            bool restricted = Properties(property).All(static p => p.Key is "name" or "generateName") && property.All(static m => m.Key is "type" or "properties" or "required" or "default");
            if (name == "metadata" && level == Level.Root && !restricted)
            {
                structure.Add(FieldError.Forbidden(path + ".properties[metadata]", "must not specify anything other than name and generateName, but metadata is implicitly specified"));
            }
        }
    }

    private void Combinations(JsonObject schema, Level level, string path)
    {
        bool intOrString = Flag(schema, "x-kubernetes-int-or-string");
        foreach (string junctor in (ReadOnlySpan<string>)["anyOf", "allOf", "oneOf"])
        {
            JsonArray options = schema[junctor] as JsonArray ?? [];
            if (intOrString && (IsIntOrString(options) || (junctor == "allOf" && IsIntOrString((options.FirstOrDefault() as JsonObject)?["anyOf"] as JsonArray ?? []))))
            {
                continue;
            }

            for (int i = 0; i < options.Count; i++)
            {
                if (options[i] is JsonObject option)
                {
                    Nested(option, level, $"{path}.{junctor}[{i}]");
                }
            }
        }

        if (schema["not"] is JsonObject not)
        {
            Nested(not, level, path + ".not");
        }

        if (Text(schema, "pattern") is { Length: > 0 } pattern && !GoRegex.TryCompile(pattern, out _, out string error))
        {
            structure.Add(FieldError.Invalid(path + ".pattern", Json.Quote(pattern), "must be a valid regular expression, but isn't: " + error));
        }
    }

    private static bool IsIntOrString(JsonArray options) =>
        options.Count == 2 && Text(options[0] as JsonObject ?? [], "type") == "integer" && Text(options[1] as JsonObject ?? [], "type") == "string";

    private void Nested(JsonObject schema, Level level, string path)
    {
        Combinations(schema, level, path);
        if (schema["items"] is JsonObject items)
        {
            Nested(items, level, path + ".items");
        }

        foreach ((string name, JsonObject property) in Properties(schema))
        {
            Nested(property, Level.Field, $"{path}.properties[{name}]");
            if (name == "metadata")
            {
                structure.Add(FieldError.Forbidden(path + ".properties[metadata]", "must not be specified in a nested context"));
            }
        }

        foreach ((string member, string text) in ForbiddenInCombinations)
        {
            if (schema[member] is { } value && Json.Compact(value) is not ("false" or "\"\"" or "[]"))
            {
                structure.Add(FieldError.Forbidden(path + "." + member, text));
            }
        }
    }

    private void Defaults(JsonObject schema, string path, bool insideMeta, bool root)
    {
        if (schema["default"] is { } value && !insideMeta)
        {
            StructuralSchema read = SchemaReader.Read(schema);
            string at = path + ".default";
            List<FieldError> errors = SchemaValidator.Validate(read, value);
            if (UnknownIn(read, value))
            {
                defaults.Add(FieldError.Invalid(at, Json.Compact(value), "must not have unknown fields"));
            }

            defaults.AddRange(errors.Select(error => error.Field == SchemaValidator.NoField ? error : error with { Field = error.Field.Length == 0 ? at : at + (error.Field[0] == '[' ? "" : ".") + error.Field }));
        }

        if (schema["items"] is JsonObject items)
        {
            Defaults(items, path + ".items", insideMeta, root: false);
        }

        foreach ((string name, JsonObject property) in Properties(schema))
        {
            bool meta = root && name is "metadata" or "apiVersion" or "kind";
            Defaults(property, $"{path}.properties[{name}]", insideMeta || (root && meta), root: false);
        }
    }

    private static bool UnknownIn(StructuralSchema schema, JsonNode? value) => value switch
    {
        JsonObject members => members.Any(member => (schema.Field(member.Key) ?? schema.Values) is { } child ? UnknownIn(child, member.Value)
            : !schema.PreserveUnknown && !(schema.EmbeddedResource && member.Key is "apiVersion" or "kind" or "metadata")),
        JsonArray items => schema.Items is { } child && items.Any(item => UnknownIn(child, item)),
        _ => false,
    };

    private void OpenApi(JsonObject schema, string path, bool insideMeta, bool root, string? defaultsForbidden)
    {
        string type = Text(schema, "type");
        if (type.Length > 0 && !Types.Contains(type))
        {
            openApi.Add(FieldError.NotSupported(path + ".type", Json.Quote(type), "supported values: " + string.Join(", ", Types.Select(Json.Quote))));
        }

        if (schema["default"] is not null && defaultsForbidden is not null)
        {
            openApi.Add(FieldError.Forbidden(path + ".default", "must not be set " + defaultsForbidden));
        }

        openApi.AddRange(Unsupported.Where(keyword => schema[keyword.Member] is not null).Select(keyword => FieldError.Forbidden(path + "." + keyword.Member, keyword.Text)));
        if (type == "null")
        {
            openApi.Add(FieldError.Forbidden(path + ".type", "type cannot be set to null, use nullable as an alternative"));
        }

        if (schema["items"] is JsonArray)
        {
            openApi.Add(FieldError.Forbidden(path + ".items", "items must be a schema object and not an array"));
        }

        if (insideMeta && Flag(schema, "x-kubernetes-embedded-resource"))
        {
            openApi.Add(FieldError.Forbidden(path + ".x-kubernetes-embedded-resource", "must not be used inside of resource meta"));
        }

        if (Flag(schema, "uniqueItems"))
        {
            openApi.Add(FieldError.Forbidden(path + ".uniqueItems", "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"));
        }

        OpenApiChildren(schema, path, insideMeta, root, defaultsForbidden);
        ListAndMapTypes(schema, type, path);
        Rules(schema, path);
    }

    private void OpenApiChildren(JsonObject schema, string path, bool insideMeta, bool root, string? defaultsForbidden)
    {
        if (schema["additionalProperties"] is { } additional)
        {
            bool free = additional is JsonValue && Json.Compact(additional) == "true";
            if (schema["properties"] is JsonObject { Count: > 0 } && !free)
            {
                openApi.Add(FieldError.Forbidden(path + ".additionalProperties", "additionalProperties and properties are mutual exclusive"));
            }

            if (additional is JsonObject values)
            {
                OpenApi(values, path + ".additionalProperties", insideMeta, root: false, insideMeta ? "inside additionalProperties applying to object metadata" : defaultsForbidden);
            }
        }

        bool atObject = root || Flag(schema, "x-kubernetes-embedded-resource");
        foreach ((string name, JsonObject property) in Properties(schema))
        {
            bool meta = atObject && name is "metadata" or "apiVersion" or "kind";
            bool enters = atObject && meta;
            OpenApi(property, $"{path}.properties[{name}]", insideMeta || enters, root: false, root && enters ? "in top-level " + name : defaultsForbidden);
        }

        foreach (string junctor in (ReadOnlySpan<string>)["allOf", "oneOf", "anyOf"])
        {
            JsonArray options = schema[junctor] as JsonArray ?? [];
            for (int i = 0; i < options.Count; i++)
            {
                OpenApi(options[i] as JsonObject ?? [], $"{path}.{junctor}[{i}]", insideMeta, root: false, defaultsForbidden);
            }
        }

        if (schema["items"] is JsonObject items)
        {
            OpenApi(items, path + ".items", insideMeta, root: false, defaultsForbidden);
        }
    }

    private void ListAndMapTypes(JsonObject schema, string type, string path)
    {
        if (schema["x-kubernetes-preserve-unknown-fields"] is { } preserve && Json.Compact(preserve) == "false")
        {
            openApi.Add(FieldError.Invalid(path + ".x-kubernetes-preserve-unknown-fields", "false", "must be true or undefined"));
        }

        foreach ((string extension, string wanted) in (ReadOnlySpan<(string, string)>)[("x-kubernetes-map-type", "object"), ("x-kubernetes-list-type", "array")])
        {
            if (schema[extension] is null)
            {
                continue;
            }

            string value = Text(schema, extension);
            if (type != wanted)
            {
                string text = $"must be {wanted} if {extension} is specified";
                openApi.Add(type.Length == 0 ? FieldError.Required(path + ".type", text) : FieldError.Invalid(path + ".type", Json.Quote(type), text));
            }

            string[] known = wanted == "object" ? ["atomic", "granular"] : ListTypes;
            if (!known.Contains(value))
            {
                openApi.Add(FieldError.NotSupported($"{path}.{extension}", Json.Quote(value), "supported values: " + string.Join(", ", known.Select(Json.Quote))));
            }
        }

        MapKeys(schema, path);
    }

    private void MapKeys(JsonObject schema, string path)
    {
        string listType = Text(schema, "x-kubernetes-list-type");
        JsonArray keys = schema["x-kubernetes-list-map-keys"] as JsonArray ?? [];
        string[] names = [.. keys.Select(static key => Json.AsString(key) ?? "")];
        if (keys.Count > 0 && listType != "map")
        {
            const string text = "must be map if x-kubernetes-list-map-keys is non-empty";
            openApi.Add(listType.Length == 0 ? FieldError.Required(path + ".x-kubernetes-list-type", text) : FieldError.Invalid(path + ".x-kubernetes-list-type", Json.Quote(listType), text));
        }

        if (listType is not ("map" or "set"))
        {
            return;
        }

        JsonObject? items = schema["items"] as JsonObject;
        if (listType == "map")
        {
            MapItems(items, keys, names, path);
        }
        else if (items is not null && Text(items, "type") == "object" && Text(items, "x-kubernetes-map-type") != "atomic")
        {
            openApi.Add(FieldError.Invalid(path + ".items.x-kubernetes-map-type", "null", "must be atomic as item of a list with x-kubernetes-list-type=set"));
        }
        else if (items is not null && Text(items, "type") == "array" && Text(items, "x-kubernetes-list-type") is not ("" or "atomic"))
        {
            openApi.Add(FieldError.Invalid(path + ".items.x-kubernetes-list-type", Json.Quote(Text(items, "x-kubernetes-list-type")), "must be atomic as item of a list with x-kubernetes-list-type=set"));
        }

        if (items is not null && Flag(items, "nullable"))
        {
            openApi.Add(FieldError.Forbidden(path + ".items.nullable", "cannot be nullable when x-kubernetes-list-type is " + listType));
        }
    }

    private void MapItems(JsonObject? items, JsonArray keys, string[] names, string path)
    {
        if (keys.Count == 0)
        {
            openApi.Add(FieldError.Required(path + ".x-kubernetes-list-map-keys", "must not be empty if x-kubernetes-list-type is map"));
        }

        if (items is null)
        {
            openApi.Add(FieldError.Required(path + ".items", "must have a schema if x-kubernetes-list-type is map"));
            return;
        }

        if (Text(items, "type") != "object")
        {
            openApi.Add(FieldError.Invalid(path + ".items.type", Json.Quote(Text(items, "type")), "must be object if parent array's x-kubernetes-list-type is map"));
            return;
        }

        JsonObject properties = items["properties"] as JsonObject ?? [];
        string[] required = [.. (items["required"] as JsonArray ?? []).Select(static name => Json.AsString(name) ?? "")];
        for (int i = 0; i < names.Length; i++)
        {
            string at = $"{path}.items.properties[{names[i]}]";
            if (names.AsSpan(0, i).Contains(names[i]))
            {
                openApi.Add(FieldError.Invalid(path + ".x-kubernetes-list-map-keys", Json.Compact(keys), "must not contain duplicate entries"));
            }

            if (properties[names[i]] is not JsonObject property)
            {
                openApi.Add(FieldError.Invalid(path + ".x-kubernetes-list-map-keys", Json.Compact(keys), "entries must all be names of item properties"));
                continue;
            }

            if (Text(property, "type") is "array" or "object")
            {
                openApi.Add(FieldError.Invalid(at + ".type", Json.Quote(Text(items, "type")), "must be a scalar type if parent array's x-kubernetes-list-type is map"));
            }

            if (!required.Contains(names[i]) && property["default"] is null)
            {
                openApi.Add(FieldError.Required(at + ".default", "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"));
            }

            if (Flag(property, "nullable"))
            {
                openApi.Add(FieldError.Forbidden(at + ".nullable", "this property is in x-kubernetes-list-map-keys, so it cannot be nullable"));
            }
        }
    }

    private void Rules(JsonObject schema, string path)
    {
        JsonArray rules = schema["x-kubernetes-validations"] as JsonArray ?? [];
        for (int i = 0; i < rules.Count; i++)
        {
            if (rules[i] is JsonObject rule)
            {
                Rule(rule, $"{path}.x-kubernetes-validations[{i}]", SchemaReader.Read(schema));
            }
        }
    }

    private void Rule(JsonObject rule, string path, StructuralSchema schema)
    {
        string text = Text(rule, "rule");
        string message = Text(rule, "message");
        if (text.Trim().Length == 0)
        {
            openApi.Add(FieldError.Required(path + ".rule", "rule is not specified"));
        }
        else if (message.Length > 0 && message.Trim().Length == 0)
        {
            openApi.Add(FieldError.Invalid(path + ".message", Json.Quote(message), "must be non-empty if specified"));
        }
        else if (message.Trim().AsSpan().ContainsAny('\n', '\r'))
        {
            openApi.Add(FieldError.Invalid(path + ".message", Json.Quote(message), "must not contain line breaks"));
        }
        else if (text.Trim().AsSpan().ContainsAny('\n', '\r') && message.Trim().Length == 0)
        {
            openApi.Add(FieldError.Required(path + ".message", "message must be specified if rule contains line breaks"));
        }

        if (Text(rule, "messageExpression") is { Length: > 0 } expression && expression.Trim().Length == 0)
        {
            openApi.Add(FieldError.Required(path + ".messageExpression", "messageExpression must be non-empty if specified"));
        }

        if (rule["reason"] is not null && !Reasons.Contains(Text(rule, "reason")))
        {
            openApi.Add(FieldError.NotSupported(path + ".reason", Json.Quote(Text(rule, "reason")), "supported values: " + string.Join(", ", Reasons.Select(Json.Quote))));
        }

        string fieldPath = Text(rule, "fieldPath");
        if (fieldPath.Length > 0 && fieldPath.Trim().Length == 0)
        {
            openApi.Add(FieldError.Invalid(path + ".fieldPath", Json.Quote(fieldPath), "must be non-empty if specified"));
        }

        if (fieldPath.AsSpan().ContainsAny('\n', '\r'))
        {
            openApi.Add(FieldError.Invalid(path + ".fieldPath", Json.Quote(fieldPath), "must not contain line breaks"));
        }

        if (fieldPath.Length > 0 && !SimplePath.TryResolve(fieldPath, schema, out _, out _, out _))
        {
            openApi.Add(FieldError.Invalid(path + ".fieldPath", Json.Quote(fieldPath), "must be a valid path"));
        }
    }
}
