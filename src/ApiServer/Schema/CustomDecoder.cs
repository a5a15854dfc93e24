using System.Text.Json.Nodes;

namespace OptiInfra.ApiServer.Schema;

/// <summary>
/// Brings a custom resource into its stored form: unknown fields pruned (and named), metadata read strictly, nulls that
/// may not be null dropped, defaults filled in, members in order of their names. Runs on every decode and after every
/// patch, so that what is stored always satisfies it.
/// </summary>
internal sealed class CustomDecoder
{
    private readonly StructuralSchema objectMeta;
    private readonly SortedSet<string> unknown = new(StringComparer.Ordinal);

    private CustomDecoder(StructuralSchema objectMeta) => this.objectMeta = objectMeta;

    /// <param name="schema">The root schema of the version, as <see cref="SchemaReader.ReadRoot"/> makes it.</param>
    /// <param name="objectMeta">The schema of metadata, of the object and of embedded resources.</param>
    /// <param name="body">The object as it was sent or patched; it is not changed.</param>
    public static DecodedObject Decode(StructuralSchema schema, StructuralSchema objectMeta, JsonObject body)
    {
        var decoder = new CustomDecoder(objectMeta);
        IReadOnlyList<string> unknownMeta = [];
        JsonObject bare = body.DeepClone().AsObject();
        JsonNode? metadata = bare["metadata"];
        bare.Remove("metadata");
        JsonObject? decodedMeta = null;
        if (metadata is not null)
        {
            if (metadata is not JsonObject members)
            {
                return new DecodedObject { Error = $"json: cannot unmarshal {TypeName(metadata)} into Go value of type v1.ObjectMeta" };
            }

            DecodedObject meta = TypedDecoder.Decode(objectMeta, members);
            if (meta.Error is not null)
            {
                return new DecodedObject { Error = meta.Error };
            }

            decodedMeta = Sorted(meta.Object)!.AsObject();
            unknownMeta = [.. meta.UnknownFields.Select(static field => "metadata." + field)];
        }

        JsonObject pruned;
        try
        {
            pruned = decoder.Prune(schema, bare, "")!.AsObject();
        }
        catch (EmbeddedException error)
        {
            return new DecodedObject { Error = error.Message };
        }

        if (decodedMeta is not null)
        {
            pruned["metadata"] = decodedMeta;
        }

        Default(schema, pruned);
        return new DecodedObject { Object = Sorted(pruned)!.AsObject(), UnknownFields = [.. unknownMeta, .. decoder.unknown] };
    }

    private JsonNode? Prune(StructuralSchema? schema, JsonNode? value, string path)
    {
        switch (value)
        {
            case JsonObject members:
                return PruneMembers(schema, members, path);
            case JsonArray items:
                return new JsonArray([.. items.Select((item, i) => Prune(schema?.Items, item, $"{path}[{i}]"))]);
            default:
                // 2.0 is stored as 2.
                return Json.IsNumber(value) && !Json.TryInteger(value, out _) ? JsonValue.Create(Json.ToDouble(value!)) : value?.DeepClone();
        }
    }

    private JsonObject PruneMembers(StructuralSchema? schema, JsonObject members, string path)
    {
        var kept = new JsonObject();
        bool open = schema is null || schema.PreserveUnknown;
        foreach ((string name, JsonNode? member) in members)
        {
            string memberPath = path.Length == 0 ? name : path + "." + name;
            if (schema is { EmbeddedResource: true } && name is "apiVersion" or "kind" && path.Length > 0 && schema?.Field(name) is null)
            {
                kept[name] = member?.DeepClone();
            }
            else if (schema is { EmbeddedResource: true } && name == "metadata")
            {
                kept[name] = EmbeddedMetadata(member, memberPath);
            }
            else if ((schema?.Field(name) ?? schema?.Values) is { } child)
            {
                kept[name] = Prune(child, member, memberPath);
            }
            else if (open)
            {
                kept[name] = Prune(null, member, memberPath);
            }
            else
            {
                unknown.Add(memberPath);
            }
        }

        return kept;
    }

    private JsonNode? EmbeddedMetadata(JsonNode? metadata, string path)
    {
        if (metadata is not JsonObject members)
        {
            return metadata?.DeepClone();
        }

        DecodedObject decoded = TypedDecoder.Decode(objectMeta, members, path);
        if (decoded.Error is not null)
        {
            throw new EmbeddedException($"{path}: Invalid value: {Json.Compact(members)}: {decoded.Error}");
        }

        unknown.UnionWith(decoded.UnknownFields);
        return decoded.Object;
    }

    /// <summary>Fills in defaults, in place; a null that the schema does not allow counts as missing.</summary>
    public static void Default(StructuralSchema? schema, JsonNode? value)
    {
        switch (value)
        {
            case JsonObject members:
                foreach ((string name, StructuralSchema field) in schema?.Properties ?? [])
                {
                    bool missing = !members.TryGetPropertyValue(name, out JsonNode? member) || (member is null && !AllowsNull(field));
                    if (missing && field.HasDefault)
                    {
                        members[name] = field.Default?.DeepClone();
                    }
                    else if (missing)
                    {
                        members.Remove(name);
                    }
                }

                foreach ((string name, JsonNode? member) in members.ToList())
                {
                    StructuralSchema? child = schema?.Field(name) ?? schema?.Values;
                    if (member is null && schema?.Values is { HasDefault: true } values && !AllowsNull(values) && schema.Field(name) is null)
                    {
                        members[name] = values.Default?.DeepClone();
                    }

                    Default(child, members[name]);
                }

                break;
            case JsonArray items:
                for (int i = 0; i < items.Count; i++)
                {
                    if (items[i] is null && schema?.Items is { HasDefault: true } element && !AllowsNull(element))
                    {
                        items[i] = element.Default?.DeepClone();
                    }

                    Default(schema?.Items, items[i]);
                }

                break;
        }
    }

    private static bool AllowsNull(StructuralSchema schema) => schema.Nullable || (schema.Type.Length == 0 && !schema.IntOrString);

    private static JsonNode? Sorted(JsonNode? value) => value switch
    {
        JsonObject members => new JsonObject(members.OrderBy(static m => m.Key, StringComparer.Ordinal).Select(static m => KeyValuePair.Create(m.Key, Sorted(m.Value)))),
        JsonArray items => new JsonArray([.. items.Select(Sorted)]),
        _ => value?.DeepClone(),
    };

    private static string TypeName(JsonNode value) => value is JsonArray ? "array" : Json.IsString(value) ? "string" : Json.IsBoolean(value) ? "bool" : "number";

    private sealed class EmbeddedException(string message) : Exception(message);
}
