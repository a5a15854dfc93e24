using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Apply;

/// <summary>
/// JSON patch (RFC 6902) with the habits of the real server: replacing a missing member adds it, negative list indices
/// count from the end, and any operation that fails refuses the whole patch without saying which one.
/// </summary>
internal static class JsonPatch
{
    private const int MaxOperations = 10_000;

    private static readonly string[] Members = ["op", "path", "from", "value"];

    public static PatchResult Apply(JsonObject target, JsonText patch)
    {
        if (patch.Error is not null)
        {
            return PatchResult.Refused(400, "error decoding patch: " + patch.Error);
        }

        if (patch.Value is not JsonArray operations)
        {
            return PatchResult.Refused(400, $"error decoding patch: json: cannot unmarshal {MergePatch.NameOf(patch.Value)} into Go value of type []handlers.jsonPatchOp");
        }

        if (operations.Count > MaxOperations)
        {
            return PatchResult.Refused(413, $"The allowed maximum operations in a JSON patch is {MaxOperations}, got {operations.Count}");
        }

        JsonObject document = target.DeepClone().AsObject();
        foreach (JsonNode? operation in operations)
        {
            if (operation is not JsonObject { } members)
            {
                return PatchResult.Refused(400, $"error decoding patch: json: cannot unmarshal {MergePatch.NameOf(operation)} into Go value of type handlers.jsonPatchOp");
            }

            if (Run(document, members) is { } error)
            {
                return PatchResult.Refused(422, error);
            }
        }

        return new PatchResult { Object = document, UnknownFields = Unknown(operations) };
    }

    private static List<string> Unknown(JsonArray operations) =>
        [.. operations.SelectMany(static (operation, i) => operation!.AsObject().Where(static m => !Members.Contains(m.Key)).Select(m => $"json patch unknown field \"[{i}].{m.Key}\""))];

    private static string? Run(JsonNode? document, JsonObject operation)
    {
        if (Json.AsString(operation["path"]) is not { } path)
        {
            return "the operation has no path";
        }

        string name = Json.AsString(operation["op"]) ?? "";
        JsonNode? value = operation["value"];
        if (name is "move" or "copy")
        {
            if (Json.AsString(operation["from"]) is not { } from || !TryGet(document, from, out value))
            {
                return $"{name} has no source";
            }
        }

        return name switch
        {
            "add" or "copy" => Put(document, path, Json.Clone(value), insert: true),
            "replace" => Put(document, path, Json.Clone(value), insert: false),
            "remove" => Remove(document, path),
            "move" => Move(document, Json.AsString(operation["from"])!, path, Json.Clone(value)),
            "test" => Test(document, path, value),
            _ => $"unexpected kind: {name}",
        };
    }

    private static string? Move(JsonNode? document, string from, string path, JsonNode? value) =>
        Remove(document, from) ?? Put(document, path, value, insert: true);

    // A missing member tests equal to null.
    private static string? Test(JsonNode? document, string path, JsonNode? value) =>
        (TryGet(document, path, out JsonNode? actual) && Json.Equal(actual, value)) || (value is null && actual is null) ? null : "testing value " + path + " failed";

    private static string[] Split(string path) =>
        [.. path.Split('/').Skip(1).Select(static part => part.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal))];

    private static bool TryGet(JsonNode? document, string path, out JsonNode? value)
    {
        value = document;
        foreach (string part in Split(path))
        {
            switch (value)
            {
                case JsonObject members when members.TryGetPropertyValue(part, out JsonNode? member):
                    value = member;
                    break;
                case JsonArray items when TryIndex(part, items.Count, out int index):
                    value = items[index];
                    break;
                default:
                    value = null;
                    return false;
            }
        }

        return true;
    }

    private static bool TryIndex(string part, int count, out int index)
    {
        if (!int.TryParse(part, out index))
        {
            return false;
        }

        index += index < 0 ? count : 0;
        return index >= 0 && index < count;
    }

    private static string? Put(JsonNode? document, string path, JsonNode? value, bool insert)
    {
        string[] parts = Split(path);
        if (parts.Length == 0)
        {
            return "the whole document cannot be replaced";
        }

        string last = parts[^1];
        TryGet(document, path[..path.LastIndexOf('/')], out JsonNode? parent);
        switch (parent)
        {
            case JsonObject members:
                members[last] = value;
                return null;
            case JsonArray items when insert && last == "-":
                items.Add(value);
                return null;
            case JsonArray items when TryIndex(last, items.Count + (insert ? 1 : 0), out int index):
                if (!insert)
                {
                    items.RemoveAt(index);
                }

                items.Insert(index, value);
                return null;
            default:
                return "missing path " + path;
        }
    }

    private static string? Remove(JsonNode? document, string path)
    {
        string[] parts = Split(path);
        if (parts.Length == 0)
        {
            return "the whole document cannot be removed";
        }

        TryGet(document, path[..path.LastIndexOf('/')], out JsonNode? parent);
        switch (parent)
        {
            case JsonObject members when members.Remove(parts[^1]):
                return null;
            case JsonArray items when TryIndex(parts[^1], items.Count, out int index):
                items.RemoveAt(index);
                return null;
            default:
                return "unable to remove nonexistent key " + path;
        }
    }
}
