using System.Text.Json.Nodes;

namespace OptiInfra.ApiServer.Schema;

/// <summary>
/// Writes schemas as OpenAPI: types of built-in kinds become named components that refer to each other, schemas of custom
/// resources stand where they are used. One writer makes one document, version 3 or version 2.
/// </summary>
internal sealed class OpenApiWriter(string referencePrefix)
{
    public const string Version2 = "#/definitions/";
    public const string Version3 = "#/components/schemas/";

    private const string MetaPackage = "io.k8s.apimachinery.pkg.apis.meta.v1.";

    /// <summary>The named schemas written so far.</summary>
    public JsonObject Components { get; } = [];

    private bool IsVersion3 => referencePrefix == Version3;

    /// <summary>The name of a kind's component: the domain reversed, then version and kind.</summary>
    public static string NameOf(string group, string version, string kind, bool custom) => custom
        ? $"{string.Join('.', group.Split('.').Reverse())}.{version}.{kind}"
        : Package(group.Length == 0 ? version : $"{group}/{version}") + kind;

    private static string Package(string typeGroup) => typeGroup switch
    {
        "meta/v1" => MetaPackage,
        "v1" => "io.k8s.api.core.v1.",
        "apiextensions.k8s.io/v1" => "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.",
        _ => $"io.k8s.api.{typeGroup.Split('/')[0].Split('.')[0]}.{typeGroup.Split('/')[1]}.",
    };

    /// <summary>Adds a kind and its list.</summary>
    public void AddKind(string group, string version, string kind, string listKind, StructuralSchema schema, bool custom)
    {
        string name = NameOf(group, version, kind, custom);
        JsonObject written = Inline(schema, custom);
        written["x-kubernetes-group-version-kind"] = new JsonArray(GroupVersionKind(group, version, kind));
        Components[name] = written;
        if (listKind.Length > 0)
        {
            Components[NameOf(group, version, listKind, custom)] = new JsonObject
            {
                ["description"] = $"{listKind} is a list of {kind}",
                ["type"] = "object",
                ["required"] = new JsonArray("items"),
                ["properties"] = new JsonObject
                {
                    ["apiVersion"] = new JsonObject { ["type"] = "string" },
                    ["items"] = new JsonObject { ["type"] = "array", ["items"] = Reference(name) },
                    ["kind"] = new JsonObject { ["type"] = "string" },
                    ["metadata"] = Wrapped(ListMeta()),
                },
                ["x-kubernetes-group-version-kind"] = new JsonArray(GroupVersionKind(group, version, listKind)),
            };
        }
    }

    public static JsonObject GroupVersionKind(string group, string version, string kind) => new() { ["group"] = group, ["kind"] = kind, ["version"] = version };

    private string ListMeta()
    {
        const string name = MetaPackage + "ListMeta";
        Components[name] ??= new JsonObject
        {
            ["type"] = "object",
            ["properties"] = new JsonObject
            {
                ["continue"] = new JsonObject { ["type"] = "string" },
                ["remainingItemCount"] = new JsonObject { ["type"] = "integer", ["format"] = "int64" },
                ["resourceVersion"] = new JsonObject { ["type"] = "string" },
                ["selfLink"] = new JsonObject { ["type"] = "string" },
            },
        };
        return name;
    }

    public JsonObject Reference(string name) => new() { ["$ref"] = referencePrefix + name };

    // In version 3 nothing may stand beside a reference.
    private JsonObject Wrapped(string name) => IsVersion3 ? new JsonObject { ["allOf"] = new JsonArray(Reference(name)) } : Reference(name);

    private JsonObject Write(StructuralSchema schema)
    {
        if (schema.TypeGroup.Length == 0)
        {
            return Inline(schema, custom: schema.Typed is null);
        }

        string name = Package(schema.TypeGroup) + schema.Title;
        if (!Components.ContainsKey(name))
        {
            Components[name] = null;   // a type may contain itself
            Components[name] = Inline(schema with { HasDefault = false }, custom: false);
        }

        JsonObject reference = Wrapped(name);
        if (IsVersion3 && schema.Typed is { Pointer: false })
        {
            reference["default"] = new JsonObject();
        }

        return reference;
    }

    private JsonObject Inline(StructuralSchema schema, bool custom)
    {
        var written = new JsonObject();
        Set(written, "description", schema.Description);
        if (custom)
        {
            Set(written, "title", schema.Title);
        }

        WriteType(written, schema);
        if (schema.HasDefault)
        {
            written["default"] = Json.Clone(schema.Default);
        }

        if (schema.Nullable)
        {
            written["nullable"] = true;
        }

        WriteRules(written, schema.Rules);
        if (schema.Properties is { Count: > 0 } properties)
        {
            written["properties"] = new JsonObject(properties.OrderBy(static p => p.Key, StringComparer.Ordinal).Select(p => KeyValuePair.Create<string, JsonNode?>(p.Key, Write(p.Value))));
        }

        if (schema.Values is not null)
        {
            written["additionalProperties"] = Write(schema.Values);
        }

        if (schema.Items is not null)
        {
            written["items"] = Write(schema.Items);
        }

        WriteExtensions(written, schema);
        return written;
    }

    private static void WriteType(JsonObject written, StructuralSchema schema)
    {
        if (schema.IntOrString && schema.Typed is null)
        {
            written["anyOf"] = new JsonArray(new JsonObject { ["type"] = "integer" }, new JsonObject { ["type"] = "string" });
            return;
        }

        Set(written, "type", schema.IntOrString ? "string" : schema.Type);
        string format = schema.Format switch
        {
            "micro-time" => "date-time",
            "quantity" or "duration" or JsonSchemaProps.Format when schema.Typed is not null => "",
            _ => schema.Format,
        };
        Set(written, "format", format);
    }

    private static void Set(JsonObject written, string name, string text)
    {
        if (text.Length > 0)
        {
            written[name] = text;
        }
    }

    private static void Set(JsonObject written, string name, double? number)
    {
        if (number is { } value)
        {
            written[name] = Math.Floor(value) == value && Math.Abs(value) < 1e15 ? JsonValue.Create((long)value) : JsonValue.Create(value);
        }
    }

    private void WriteRules(JsonObject written, ValueRules rules)
    {
        if (rules.Required.Count > 0)
        {
            written["required"] = new JsonArray([.. rules.Required.Select(static name => JsonValue.Create(name))]);
        }

        if (rules.Enum is { } options)
        {
            written["enum"] = new JsonArray([.. options.Select(Json.Clone)]);
        }

        Set(written, "minimum", rules.Minimum);
        Set(written, "maximum", rules.Maximum);
        Set(written, "multipleOf", rules.MultipleOf);
        Set(written, "minLength", rules.MinLength);
        Set(written, "maxLength", rules.MaxLength);
        Set(written, "minItems", rules.MinItems);
        Set(written, "maxItems", rules.MaxItems);
        Set(written, "minProperties", rules.MinProperties);
        Set(written, "maxProperties", rules.MaxProperties);
        Set(written, "pattern", rules.Pattern ?? "");
        foreach ((string name, bool flag) in (ReadOnlySpan<(string, bool)>)[("exclusiveMinimum", rules.ExclusiveMinimum), ("exclusiveMaximum", rules.ExclusiveMaximum)])
        {
            if (flag)
            {
                written[name] = true;
            }
        }

        foreach ((string name, IReadOnlyList<StructuralSchema> schemas) in (ReadOnlySpan<(string, IReadOnlyList<StructuralSchema>)>)[("allOf", rules.AllOf), ("anyOf", rules.AnyOf), ("oneOf", rules.OneOf)])
        {
            if (schemas.Count > 0)
            {
                written[name] = new JsonArray([.. schemas.Select(schema => Inline(schema, custom: true))]);
            }
        }

        if (rules.Not is not null)
        {
            written["not"] = Inline(rules.Not, custom: true);
        }
    }

    private static void WriteExtensions(JsonObject written, StructuralSchema schema)
    {
        Set(written, "x-kubernetes-list-type", schema.Type == "array" && schema.Typed is not null && schema.ListType.Length == 0 ? "atomic" : schema.ListType);
        if (schema.ListMapKeys.Count > 0)
        {
            written["x-kubernetes-list-map-keys"] = new JsonArray([.. schema.ListMapKeys.Select(static key => JsonValue.Create(key))]);
        }

        Set(written, "x-kubernetes-map-type", schema.MapType);
        if (schema.Typed is { } typed)
        {
            Set(written, "x-kubernetes-patch-strategy", typed.Patch);
            Set(written, "x-kubernetes-patch-merge-key", typed.PatchMergeKey);
            return;
        }

        foreach ((string name, bool flag) in (ReadOnlySpan<(string, bool)>)[("x-kubernetes-int-or-string", schema.IntOrString), ("x-kubernetes-preserve-unknown-fields", schema.PreserveUnknown && schema.TypeGroup.Length == 0), ("x-kubernetes-embedded-resource", schema.EmbeddedResource)])
        {
            if (flag)
            {
                written[name] = true;
            }
        }

        if (schema.Validations.Count > 0)
        {
            written["x-kubernetes-validations"] = new JsonArray([.. schema.Validations.Select(WriteRule)]);
        }
    }

    private static JsonObject WriteRule(CelRule rule)
    {
        var written = new JsonObject { ["rule"] = rule.Rule };
        Set(written, "message", rule.Message);
        Set(written, "messageExpression", rule.MessageExpression);
        Set(written, "reason", rule.Reason ?? "");
        Set(written, "fieldPath", rule.FieldPath);
        if (rule.OptionalOldSelf is { } optional)
        {
            written["optionalOldSelf"] = optional;
        }

        return written;
    }
}
