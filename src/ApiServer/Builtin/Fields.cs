using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Builtin;

/// <summary>Short names for reading and filling members of decoded objects, whose shapes the decoder has already checked.</summary>
internal static class Fields
{
    public static string Text(this JsonObject node, string name) => Json.AsString(node[name]) ?? "";

    public static long? Integer(this JsonObject node, string name) => Json.TryInteger(node[name], out long value) ? value : null;

    public static bool Flag(this JsonObject node, string name) => node[name] is JsonValue value && value.TryGetValue(out bool flag) && flag;

    public static JsonObject? Sub(this JsonObject node, string name) => node[name] as JsonObject;

    /// <summary>The member as an object, made when it is missing.</summary>
    public static JsonObject SubOrNew(this JsonObject node, string name)
    {
        if (node[name] is not JsonObject member)
        {
            node[name] = member = [];
        }

        return member;
    }

    public static IEnumerable<JsonObject> Items(this JsonObject node, string name) => (node[name] as JsonArray ?? []).OfType<JsonObject>();

    /// <summary>Items with their paths: <c>path[0]</c>.</summary>
    public static IEnumerable<(JsonObject Item, string Path)> Indexed(this JsonObject node, string name, string path) =>
        node.Items(name).Select((item, i) => (item, $"{path}[{i}]"));

    public static IReadOnlyDictionary<string, string> Strings(this JsonObject? node) =>
        (node ?? []).ToDictionary(static member => member.Key, static member => Json.AsString(member.Value) ?? "");

    /// <summary>Sets a member that is missing, null or an empty string.</summary>
    public static void Default(this JsonObject node, string name, JsonNode value)
    {
        if (node[name] is null || (Json.AsString(node[name]) is "" && value is JsonValue))
        {
            node[name] = value;
        }
    }
}
