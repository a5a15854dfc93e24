using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Apply;

/// <summary>
/// The fields in which two versions of an object differ. Indivisible values are compared whole and count as one path;
/// a map or list item that comes or goes counts itself and everything in it.
/// </summary>
internal sealed class TypedComparison
{
    public FieldSet Added { get; private set; } = new();

    public FieldSet Modified { get; private set; } = new();

    public FieldSet Removed { get; private set; } = new();

    public static TypedComparison Compare(StructuralSchema schema, JsonObject old, JsonObject changed)
    {
        var comparison = new TypedComparison();
        comparison.CompareMaps(schema, old, changed, []);
        return comparison;
    }

    /// <summary>The same comparison without what happened at or below the given fields.</summary>
    public TypedComparison Without(FieldSet ignored) => ignored.IsEmpty ? this : new TypedComparison
    {
        Added = Added.DifferenceWithDescendants(ignored),
        Modified = Modified.DifferenceWithDescendants(ignored),
        Removed = Removed.DifferenceWithDescendants(ignored),
    };

    /// <summary>One side of a comparison: a value that may be missing, which is not the same as null.</summary>
    private readonly record struct Side(bool Present, JsonNode? Value)
    {
        public static Side Of(JsonObject? members, string name) =>
            members is not null && members.TryGetPropertyValue(name, out JsonNode? value) ? new Side(true, value) : default;

        public bool IsEmpty => Value is null or JsonObject { Count: 0 } or JsonArray { Count: 0 };
    }

    private void Compare(StructuralSchema? schema, Side old, Side changed, List<string> path)
    {
        TypedShape shape = TypedShape.Of(schema, changed.Present ? changed.Value : old.Value);
        TypedShape before = old.Present && changed.Present && old.Value is not null && changed.Value is not null ? TypedShape.Of(schema, old.Value) : shape;
        bool divisible = shape.Kind is ShapeKind.GranularMap or ShapeKind.AssociativeList && before.Kind == shape.Kind && !(old.IsEmpty && changed.IsEmpty);
        if (!divisible)
        {
            Leaf(old, changed, path);
            return;
        }

        if (shape.Kind == ShapeKind.GranularMap)
        {
            CompareMaps(shape.Schema, old.Value as JsonObject, changed.Value as JsonObject, path);
        }
        else
        {
            CompareLists(shape.Schema, old.Value as JsonArray ?? [], changed.Value as JsonArray ?? [], path);
        }

        if (!old.Present)
        {
            Added.Add(path);
        }
        else if (!changed.Present)
        {
            Removed.Add(path);
        }
    }

    private void Leaf(Side old, Side changed, List<string> path)
    {
        if (!old.Present)
        {
            Added.Add(path);
        }
        else if (!changed.Present)
        {
            Removed.Add(path);
        }
        else if (!Json.Equal(old.Value, changed.Value))
        {
            Modified.Add(path);
        }
    }

    private void CompareMaps(StructuralSchema schema, JsonObject? old, JsonObject? changed, List<string> path)
    {
        IEnumerable<string> names = (old ?? []).Select(static member => member.Key).Union((changed ?? []).Select(static member => member.Key));
        foreach (string name in names)
        {
            path.Add(PathElement.Field(name));
            Compare(schema.Member(name), Side.Of(old, name), Side.Of(changed, name), path);
            path.RemoveAt(path.Count - 1);
        }
    }

    private void CompareLists(StructuralSchema list, JsonArray old, JsonArray changed, List<string> path)
    {
        ILookup<string, JsonNode?> before = TypedMerge.Address(list, old).ToLookup(static item => item.Element, static item => item.Item);
        ILookup<string, JsonNode?> after = TypedMerge.Address(list, changed).ToLookup(static item => item.Element, static item => item.Item);
        foreach (string element in before.Select(static item => item.Key).Union(after.Select(static item => item.Key)))
        {
            path.Add(element);
            CompareItem(list, [.. before[element]], [.. after[element]], path);
            path.RemoveAt(path.Count - 1);
        }
    }

    // Repeated items have no identity of their own: the group of them counts as one indivisible value.
    private void CompareItem(StructuralSchema list, JsonNode?[] before, JsonNode?[] after, List<string> path)
    {
        if (before.Length <= 1 && after.Length <= 1)
        {
            Compare(list.Items, new Side(before.Length == 1, before.FirstOrDefault()), new Side(after.Length == 1, after.FirstOrDefault()), path);
        }
        else if (before.Length > 1 && after.Length > 1)
        {
            if (before.Length != after.Length || before.Zip(after).Any(static pair => !Json.Equal(pair.First, pair.Second)))
            {
                Modified.Add(path);
            }
        }
        else if (before.Length > 1)
        {
            if (after.Length == 1)
            {
                Compare(list.Items, default, new Side(true, after[0]), path);
            }

            Removed.Add(path);
        }
        else
        {
            if (before.Length == 1)
            {
                Compare(list.Items, new Side(true, before[0]), default, path);
            }

            Added.Add(path);
        }
    }
}
