using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Apply;

/// <summary>What apply sees a value as: something it merges member by member, or one indivisible piece.</summary>
internal enum ShapeKind
{
    Scalar,
    GranularMap,
    AtomicMap,
    AssociativeList,
    AtomicList,
}

/// <summary>
/// How apply treats a value under a schema. Where the schema is silent (below preserved unknown fields) the value itself
/// decides: maps are granular, lists atomic.
/// </summary>
internal readonly record struct TypedShape(ShapeKind Kind, StructuralSchema Schema)
{
    public bool IsMap => Kind is ShapeKind.GranularMap or ShapeKind.AtomicMap;

    public bool IsList => Kind is ShapeKind.AssociativeList or ShapeKind.AtomicList;

    public static TypedShape Of(StructuralSchema? schema, JsonNode? value)
    {
        if (schema is null || IsUntyped(schema))
        {
            StructuralSchema any = schema ?? StructuralSchema.Anything;
            return value switch
            {
                JsonArray => new TypedShape(ShapeKind.AtomicList, any),
                null or JsonObject => new TypedShape(any.IsAtomicMap ? ShapeKind.AtomicMap : ShapeKind.GranularMap, any),
                _ => new TypedShape(ShapeKind.Scalar, any),
            };
        }

        return schema.Type switch
        {
            "object" => new TypedShape(schema.IsAtomicMap ? ShapeKind.AtomicMap : ShapeKind.GranularMap, schema),
            "array" => new TypedShape(schema.IsAssociativeList ? ShapeKind.AssociativeList : ShapeKind.AtomicList, schema),
            _ => new TypedShape(ShapeKind.Scalar, schema),
        };
    }

    private static bool IsUntyped(StructuralSchema schema) =>
        !schema.IntOrString && (schema.Type.Length == 0 || (schema.Type == "object" && schema.PreserveUnknown && schema.Properties is null && schema.Typed is not null));

    /// <summary>Everything wrong with an object that is to be merged, as lines <c>.path: what</c>.</summary>
    public static List<string> Check(StructuralSchema? schema, JsonNode? value, bool allowDuplicates)
    {
        var errors = new List<string>();
        Check(schema, value, "", allowDuplicates, errors);
        return errors;
    }

    private static void Check(StructuralSchema? schema, JsonNode? value, string path, bool allowDuplicates, List<string> errors)
    {
        TypedShape shape = Of(schema, value);
        if (value is null)
        {
            return;
        }

        if (shape.IsMap)
        {
            CheckMap(shape.Schema, value, path, allowDuplicates, errors);
        }
        else if (shape.IsList)
        {
            CheckList(shape, value, path, allowDuplicates, errors);
        }
        else if (ScalarError(shape.Schema, value) is { } error)
        {
            errors.Add(Line(path, error));
        }
    }

    private static void CheckMap(StructuralSchema schema, JsonNode value, string path, bool allowDuplicates, List<string> errors)
    {
        if (value is not JsonObject members)
        {
            errors.Add(Line(path, "expected map, got &{" + Json.GoValue(value) + "}"));
            return;
        }

        foreach ((string name, JsonNode? member) in members.OrderBy(static m => m.Key, StringComparer.Ordinal))
        {
            StructuralSchema? child = schema.Member(name);
            if (child is null && IsClosed(schema))
            {
                errors.Add(Line(path + "." + name, "field not declared in schema"));
                return;
            }

            Check(child, member, path + "." + name, allowDuplicates, errors);
        }
    }

    private static void CheckList(TypedShape shape, JsonNode value, string path, bool allowDuplicates, List<string> errors)
    {
        if (value is not JsonArray items)
        {
            errors.Add(Line(path, "expected list, got &{" + Json.GoValue(value) + "}"));
            return;
        }

        var seen = new HashSet<string>();
        for (int i = 0; i < items.Count; i++)
        {
            string element = PathElement.Index(i);
            if (shape.Kind == ShapeKind.AssociativeList)
            {
                (element, string? error) = PathElement.OfItem(shape.Schema, items[i]);
                if (error is not null)
                {
                    errors.Add(Line(path, $"element {i}: {error}"));
                    return;
                }

                if (!seen.Add(element) && !allowDuplicates)
                {
                    errors.Add(Line(path, "duplicate entries for key " + PathElement.Display(element)));
                }
            }

            Check(shape.Schema.Items, items[i], path + PathElement.Display(element), allowDuplicates, errors);
        }
    }

    private static bool IsClosed(StructuralSchema schema) => schema.Properties is not null && !schema.PreserveUnknown;

    private static string? ScalarError(StructuralSchema schema, JsonNode value)
    {
        bool untyped = schema.IntOrString || schema.Type.Length == 0 || schema.Format is "quantity" or "date-time" or "micro-time" or "duration";
        bool right = untyped && schema.Typed is not null || schema.IntOrString
            ? value is JsonValue
            : schema.Type switch
            {
                "string" => Json.IsString(value),
                "boolean" => Json.IsBoolean(value),
                "integer" or "number" => Json.IsNumber(value),
                _ => value is JsonValue,
            };
        return right ? null : schema.Type switch
        {
            "string" when !untyped || schema.Typed is null => "expected string, got &value.valueUnstructured{Value:" + Json.GoSyntax(value) + "}",
            "boolean" => "expected boolean, got &{" + Json.GoValue(value) + "}",
            "integer" or "number" => "expected numeric (int or float), got " + Json.GoType(value),
            _ => "expected any scalar, got &{" + Json.GoValue(value) + "}",
        };
    }

    private static string Line(string path, string error) => path.Length == 0 ? error : path + ": " + error;
}
