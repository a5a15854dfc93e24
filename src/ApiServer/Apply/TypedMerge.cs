using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Apply;

/// <summary>
/// The structural operations of apply over JSON and a schema, all pure: which fields an object sets
/// (<see cref="Fields"/>), the live object with a configuration laid over it (<see cref="Merge"/>), and an object with
/// fields taken out (<see cref="Remove"/>). A field that holds null is set; a field that is missing is not.
/// </summary>
internal static class TypedMerge
{
    public static FieldSet Fields(StructuralSchema schema, JsonNode? value)
    {
        var set = new FieldSet();
        Collect(schema, value, [], set);
        return set;
    }

    private static void Collect(StructuralSchema? schema, JsonNode? value, List<string> path, FieldSet set)
    {
        TypedShape shape = TypedShape.Of(schema, value);
        switch (shape.Kind)
        {
            case ShapeKind.GranularMap:
                foreach ((string name, JsonNode? member) in value as JsonObject ?? [])
                {
                    path.Add(PathElement.Field(name));
                    Collect(shape.Schema.Member(name), member, path, set);
                    if (member is null or JsonObject { Count: 0 } || shape.Schema.Field(name) is null)
                    {
                        set.Add(path);
                    }

                    path.RemoveAt(path.Count - 1);
                }

                break;
            case ShapeKind.AssociativeList:
                CollectItems(shape.Schema, value as JsonArray ?? [], path, set);
                break;
            default:
                set.Add(path);
                break;
        }
    }

    private static void CollectItems(StructuralSchema list, JsonArray items, List<string> path, FieldSet set)
    {
        List<(string Element, JsonNode? Item)> addressed = Address(list, items);
        HashSet<string> repeated = [.. addressed.CountBy(static item => item.Element).Where(static count => count.Value > 1).Select(static count => count.Key)];
        foreach ((string element, JsonNode? item) in addressed)
        {
            path.Add(element);
            if (!repeated.Contains(element))
            {
                Collect(list.Items, item, path, set);
            }

            set.Add(path);
            path.RemoveAt(path.Count - 1);
        }
    }

    /// <summary>The items of an associative list with their path elements; items that cannot be addressed are left out.</summary>
    public static List<(string Element, JsonNode? Item)> Address(StructuralSchema list, JsonArray items)
    {
        var addressed = new List<(string, JsonNode?)>();
        foreach (JsonNode? item in items)
        {
            (string element, string? error) = PathElement.OfItem(list, item);
            if (error is null)
            {
                addressed.Add((element, item));
            }
        }

        return addressed;
    }

    public static JsonObject Merge(StructuralSchema schema, JsonObject live, JsonObject config) =>
        MergeMaps(TypedShape.Of(schema, config).Schema, live, config);

    private static JsonNode? MergeValues(StructuralSchema? schema, JsonNode? live, JsonNode? config)
    {
        TypedShape shape = TypedShape.Of(schema, config);
        return shape.Kind switch
        {
            ShapeKind.GranularMap when config is JsonObject { } right && (right.Count > 0 || live is JsonObject { Count: > 0 }) =>
                MergeMaps(shape.Schema, live as JsonObject ?? [], right),
            ShapeKind.GranularMap when config is null && live is JsonObject { Count: > 0 } left && shape.Schema.Type == "object" => left.DeepClone(),
            ShapeKind.AssociativeList when config is JsonArray { Count: > 0 } right => MergeLists(shape.Schema, live as JsonArray ?? [], right),
            ShapeKind.AssociativeList when live is JsonArray { Count: > 0 } left => left.DeepClone(),
            _ => Json.Clone(config),
        };
    }

    private static JsonObject MergeMaps(StructuralSchema schema, JsonObject live, JsonObject config)
    {
        var merged = new JsonObject();
        foreach ((string name, JsonNode? member) in live)
        {
            merged[name] = config.TryGetPropertyValue(name, out JsonNode? wanted)
                ? MergeValues(schema.Member(name), member, wanted)
                : Json.Clone(member);
        }

        foreach ((string name, JsonNode? wanted) in config)
        {
            if (!live.ContainsKey(name))
            {
                merged[name] = Json.Clone(wanted);
            }
        }

        return merged;
    }

    // The order of the configuration wins among the items it names; items that only the live list has keep their place
    // relative to the live items before them.
    private static JsonArray MergeLists(StructuralSchema list, JsonArray live, JsonArray config)
    {
        List<(string Element, JsonNode? Item)> left = Address(list, live);
        List<(string Element, JsonNode? Item)> right = Address(list, config);
        ILookup<string, JsonNode?> liveItems = left.ToLookup(static item => item.Element, static item => item.Item);
        HashSet<string> wanted = [.. right.Select(static item => item.Element)];
        var shared = new Queue<string>(right.Select(static item => item.Element).Where(liveItems.Contains));
        var done = new HashSet<string>();
        var merged = new JsonArray();
        int l = 0;
        int r = 0;
        while (l < left.Count || r < right.Count)
        {
            bool bothLeft = l < left.Count && r < right.Count;
            if (bothLeft && left[l].Element != right[r].Element && wanted.Contains(left[l].Element) && shared.Count > 0 && shared.Peek() != left[l].Element)
            {
                l++;   // the configuration wants this item later
                continue;
            }

            if (l < left.Count && !(bothLeft && left[l].Element == right[r].Element))
            {
                if (!wanted.Contains(left[l].Element))
                {
                    merged.Add(Json.Clone(left[l++].Item));
                    continue;
                }

                if (done.Contains(left[l].Element))
                {
                    l++;
                }
            }

            if (r < right.Count)
            {
                string element = right[r].Element;
                l += l < left.Count && left[l].Element == element ? 1 : 0;
                done.Add(element);
                merged.Add(MergeItem(list, [.. liveItems[element]], right[r++].Item));
                if (shared.Count > 0 && shared.Peek() == element)
                {
                    shared.Dequeue();
                }
            }
        }

        return merged;
    }

    // Repeated live items are not merged: the configuration's item takes the place of all of them.
    private static JsonNode? MergeItem(StructuralSchema list, JsonNode?[] live, JsonNode? config) =>
        live.Length == 1 ? MergeValues(list.Items, live[0], config) : Json.Clone(config);

    /// <summary>A copy of the object without the members of the set.</summary>
    public static JsonObject Remove(StructuralSchema schema, JsonObject value, FieldSet remove) =>
        RemoveFrom(schema, value, remove) as JsonObject ?? [];

    private static JsonNode? RemoveFrom(StructuralSchema? schema, JsonNode? value, FieldSet remove)
    {
        TypedShape shape = TypedShape.Of(schema, value);
        switch (shape.Kind)
        {
            case ShapeKind.GranularMap when value is JsonObject members:
                var kept = new JsonObject();
                foreach ((string name, JsonNode? member) in members)
                {
                    string element = PathElement.Field(name);
                    if (!remove.Has(element))
                    {
                        FieldSet below = remove.Below(element);
                        kept[name] = below.IsEmpty ? Json.Clone(member) : RemoveFrom(shape.Schema.Member(name), member, below);
                    }
                }

                return kept;
            case ShapeKind.AssociativeList when value is JsonArray items:
                var left = new JsonArray();
                foreach (JsonNode? item in items)
                {
                    (string element, string? error) = PathElement.OfItem(shape.Schema, item);
                    if (error is not null || !remove.Has(element))
                    {
                        FieldSet below = error is null ? remove.Below(element) : new FieldSet();
                        left.Add(below.IsEmpty ? Json.Clone(item) : RemoveFrom(shape.Schema.Items, item, below));
                    }
                }

                return left;
            default:
                return Json.Clone(value);
        }
    }
}
