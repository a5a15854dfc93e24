using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Apply;

/// <summary>
/// A set of paths into an object, as managedFields stores what a manager owns (FieldsV1). A path may be a member while
/// longer paths below it are members too. All operations return new sets; a set is never changed once it was handed out.
/// </summary>
internal sealed class FieldSet
{
    private readonly SortedDictionary<string, Node> nodes = new(StringComparer.Ordinal);

    /// <summary>Whether the path is in the set, and what is in it below that path.</summary>
    private sealed record Node(bool Member, FieldSet? Below);

    public bool IsEmpty => nodes.Count == 0;

    public IEnumerable<string> Elements => nodes.Keys;

    public static FieldSet Of(params string[][] paths)
    {
        var set = new FieldSet();
        foreach (string[] path in paths)
        {
            set.Add(path);
        }

        return set;
    }

    public bool Has(string element) => nodes.TryGetValue(element, out Node? node) && node.Member;

    /// <summary>The part of the set below an element; empty where there is none.</summary>
    public FieldSet Below(string element) => nodes.TryGetValue(element, out Node? node) ? node.Below ?? new FieldSet() : new FieldSet();

    /// <summary>Adds a path while the set is being built.</summary>
    public void Add(IReadOnlyList<string> path) => Add(path, 0);

    private void Add(IReadOnlyList<string> path, int depth)
    {
        if (depth == path.Count)
        {
            return;
        }

        nodes.TryGetValue(path[depth], out Node? node);
        bool last = depth == path.Count - 1;
        FieldSet? below = node?.Below;
        if (!last)
        {
            below ??= new FieldSet();
            below.Add(path, depth + 1);
        }

        nodes[path[depth]] = new Node(last || node is { Member: true }, below);
    }

    public FieldSet Union(FieldSet other) => Combine(other, static (left, right) => left || right);

    public FieldSet Intersection(FieldSet other) => Combine(other, static (left, right) => left && right);

    public FieldSet Difference(FieldSet other) => Combine(other, static (left, right) => left && !right);

    /// <summary>Takes out the members of <paramref name="other"/> together with everything below them.</summary>
    public FieldSet DifferenceWithDescendants(FieldSet other)
    {
        var result = new FieldSet();
        foreach ((string element, Node node) in nodes)
        {
            if (!other.Has(element))
            {
                result.Put(element, node.Member, node.Below?.DifferenceWithDescendants(other.Below(element)));
            }
        }

        return result;
    }

    private FieldSet Combine(FieldSet other, Func<bool, bool, bool> keep)
    {
        var result = new FieldSet();
        foreach (string element in nodes.Keys.Union(other.nodes.Keys))
        {
            nodes.TryGetValue(element, out Node? left);
            other.nodes.TryGetValue(element, out Node? right);
            FieldSet? below = left?.Below is null && right?.Below is null
                ? null
                : (left?.Below ?? new FieldSet()).Combine(right?.Below ?? new FieldSet(), keep);
            result.Put(element, keep(left is { Member: true }, right is { Member: true }), below);
        }

        return result;
    }

    private void Put(string element, bool member, FieldSet? below)
    {
        bool hasBelow = below is { IsEmpty: false };
        if (member || hasBelow)
        {
            nodes[element] = new Node(member, hasBelow ? below : null);
        }
    }

    /// <summary>Adds every declared field that has members below it as a member itself, as pruning wants it.</summary>
    public FieldSet WithDeclaredFieldsAsMembers(StructuralSchema? schema)
    {
        var result = new FieldSet();
        foreach ((string element, Node node) in nodes)
        {
            StructuralSchema? child = PathElement.IsField(element) ? schema?.Member(element[2..])
                : PathElement.IsKey(element) ? schema?.Items
                : null;
            bool declared = PathElement.IsField(element) && schema?.Field(element[2..]) is not null;
            result.Put(element, node.Member || (declared && node.Below is not null), node.Below?.WithDeclaredFieldsAsMembers(child));
        }

        return result;
    }

    /// <summary>Every member as the path that messages show.</summary>
    public IEnumerable<string> DisplayPaths(string prefix = "")
    {
        foreach ((string element, Node node) in nodes)
        {
            if (node.Member)
            {
                yield return prefix + PathElement.Display(element);
            }
        }

        foreach ((string element, Node node) in nodes)
        {
            foreach (string path in node.Below?.DisplayPaths(prefix + PathElement.Display(element)) ?? [])
            {
                yield return path;
            }
        }
    }

    public JsonObject Encode()
    {
        var fields = new JsonObject();
        foreach ((string element, Node node) in nodes)
        {
            JsonObject below = node.Below?.Encode() ?? [];
            if (node.Member && below.Count > 0)
            {
                below.Insert(0, ".", new JsonObject());
            }

            fields[element] = below;
        }

        return fields;
    }

    public static FieldSet Decode(JsonObject fields)
    {
        var set = new FieldSet();
        foreach ((string element, JsonNode? content) in fields)
        {
            if (element.Length < 2 || element[1] != ':')
            {
                continue;
            }

            JsonObject below = content as JsonObject ?? [];
            set.Put(Canonical(element), below.Count == 0 || below.ContainsKey("."), Decode(below));
        }

        return set;
    }

    // Keys written by others may have another member order; ours are compact and sorted.
    private static string Canonical(string element) => element[0] is not ('k' or 'v') ? element : Reformat(element);

    private static string Reformat(string element)
    {
        try
        {
            return element[..2] + Json.Compact(JsonNode.Parse(element[2..]));
        }
        catch (System.Text.Json.JsonException)
        {
            return PathElement.Field(element);
        }
    }
}
