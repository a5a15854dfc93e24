using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Cel;

namespace OptiInfra.ApiServer.Schema;

/// <summary>
/// Everything that a custom resource must satisfy once it is decoded and defaulted, metadata aside: its schema, embedded
/// resources, lists that are sets or maps, and last the CEL rules, which only run on an object that is otherwise sound.
/// </summary>
internal static class CustomValidation
{
    private static readonly FieldErrorType[] Blocking = [FieldErrorType.Required, FieldErrorType.TooLong, FieldErrorType.TooMany, FieldErrorType.TypeInvalid];

    private static readonly string[] BoundedNames = ["name", "generateName"];

    /// <param name="schema">Root schema of the version.</param>
    /// <param name="value">The new object.</param>
    /// <param name="old">The stored object on update; null on creation.</param>
    /// <param name="statusOnly">A write to the status subresource: only the status is judged by the schema.</param>
    public static List<FieldError> Validate(StructuralSchema schema, JsonObject value, JsonObject? old, bool statusOnly = false)
    {
        var errors = new List<FieldError>();
        if (!statusOnly)
        {
            errors.AddRange(SchemaValidator.Validate(WithoutObjectFields(schema), value, "", old));
            errors.AddRange(MetadataRules(schema, value));
        }
        else if (schema.Field("status") is { } status && value["status"] is { } now)
        {
            errors.AddRange(SchemaValidator.Validate(status, now, "", old?["status"])
                .Select(static error => error.Field == SchemaValidator.NoField ? error : error with { Field = SchemaValidator.Join("status", error.Field) }));
        }

        CheckEmbedded(schema, value, "", errors);
        CheckLists(schema, value, "", old, errors);
        if (!RuleValidator.HasRules(schema))
        {
            return errors;
        }

        if (errors.Any(static error => Blocking.Contains(error.Type)))
        {
            errors.Add(FieldError.Invalid(SchemaValidator.NoField, "null", "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation"));
            return errors;
        }

        errors.AddRange(RuleValidator.Validate(schema, value, old));
        return errors;
    }

    // apiVersion, kind and metadata have their own checks.
    private static StructuralSchema WithoutObjectFields(StructuralSchema schema)
    {
        var properties = new OrderedDictionary<string, StructuralSchema>(schema.Properties!);
        properties.Remove("metadata");
        properties.Remove("apiVersion");
        properties.Remove("kind");
        return schema with { Properties = properties };
    }

    private static IEnumerable<FieldError> MetadataRules(StructuralSchema schema, JsonObject value) =>
        BoundedNames
            .Where(name => value["metadata"]?[name] is not null && schema.Field("metadata")?.Field(name) is { } field && field.Rules != ValueRules.None)
            .SelectMany(name => SchemaValidator.Validate(schema.Field("metadata")!.Field(name)!, value["metadata"]![name], "metadata." + name));

    private static void CheckEmbedded(StructuralSchema? schema, JsonNode? value, string path, List<FieldError> errors)
    {
        if (schema is { EmbeddedResource: true } && value is JsonObject resource)
        {
            CheckResource(resource, path, errors);
        }

        switch (value)
        {
            case JsonObject members:
                foreach ((string name, JsonNode? member) in members)
                {
                    if ((schema?.Field(name) ?? schema?.Values) is { } child && !(path.Length == 0 && name == "metadata"))
                    {
                        CheckEmbedded(child, member, SchemaValidator.Join(path, name), errors);
                    }
                }

                break;
            case JsonArray items when schema?.Items is not null:
                for (int i = 0; i < items.Count; i++)
                {
                    CheckEmbedded(schema.Items, items[i], $"{path}[{i}]", errors);
                }

                break;
        }
    }

    private static void CheckResource(JsonObject resource, string path, List<FieldError> errors)
    {
        foreach (string name in (ReadOnlySpan<string>)["apiVersion", "kind"])
        {
            if (Json.AsString(resource[name]) is null or "")
            {
                errors.Add(FieldError.Required(path + "." + name));
            }
        }

        foreach ((string key, JsonNode? label) in resource["metadata"]?["labels"] as JsonObject ?? [])
        {
            errors.AddRange(NameSyntax.QualifiedName(key).Select(error => FieldError.Invalid(path + ".metadata.labels", Json.Quote(key), error)));
            errors.AddRange(NameSyntax.LabelValue(Json.AsString(label) ?? "").Select(error => FieldError.Invalid(path + ".metadata.labels", Json.Compact(label), error)));
        }

        foreach ((string key, JsonNode? _) in resource["metadata"]?["annotations"] as JsonObject ?? [])
        {
            errors.AddRange(NameSyntax.QualifiedName(key.ToLowerInvariant()).Select(error => FieldError.Invalid(path + ".metadata.annotations", Json.Quote(key), error)));
        }
    }

    private static void CheckLists(StructuralSchema? schema, JsonNode? value, string path, JsonNode? old, List<FieldError> errors)
    {
        if (old is not null && Json.Equal(value, old))
        {
            return;
        }

        switch (value)
        {
            case JsonArray items when schema is not null:
                if (schema.IsAssociativeList)
                {
                    CheckUnique(schema, items, path, errors);
                }

                for (int i = 0; i < items.Count; i++)
                {
                    CheckLists(schema.Items, items[i], $"{path}[{i}]", SchemaValidator.Correlate(schema, items[i], old as JsonArray), errors);
                }

                break;
            case JsonObject members:
                foreach ((string name, JsonNode? member) in members)
                {
                    if ((schema?.Field(name) ?? schema?.Values) is { } child && !(path.Length == 0 && name == "metadata"))
                    {
                        CheckLists(child, member, SchemaValidator.Join(path, name), (old as JsonObject)?[name], errors);
                    }
                }

                break;
        }
    }

    private static void CheckUnique(StructuralSchema list, JsonArray items, string path, List<FieldError> errors)
    {
        var seen = new HashSet<string>();
        for (int i = 0; i < items.Count; i++)
        {
            string identity = list.ListType == "set" ? Json.Compact(items[i])
                : items[i] is JsonObject members ? Json.Compact(new JsonObject(list.ListMapKeys.Where(members.ContainsKey).Select(key => KeyValuePair.Create(key, Json.Clone(members[key])))))
                : i.ToString();
            if (!seen.Add(identity))
            {
                errors.Add(FieldError.Duplicate($"{path}[{i}]", identity));
            }
        }
    }
}
