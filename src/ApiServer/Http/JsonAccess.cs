using System.Text.Json.Nodes;

namespace OptiInfra.ApiServer.Http;

/// <summary>Short, forgiving reads from JSON objects: what is absent or of another type is null.</summary>
internal static class JsonAccess
{
    public static string? Str(this JsonNode? node) => node is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    public static string? Str(this JsonObject? obj, string name) => obj is not null && obj.TryGetPropertyValue(name, out JsonNode? node) ? node.Str() : null;

    public static JsonObject? Obj(this JsonObject? obj, string name) => obj is not null && obj.TryGetPropertyValue(name, out JsonNode? node) ? node as JsonObject : null;

    public static JsonArray? Arr(this JsonObject? obj, string name) => obj is not null && obj.TryGetPropertyValue(name, out JsonNode? node) ? node as JsonArray : null;

    public static bool? Bool(this JsonObject? obj, string name) =>
        obj is not null && obj.TryGetPropertyValue(name, out JsonNode? node) && node is JsonValue value && value.TryGetValue(out bool flag) ? flag : null;

    public static long? Int(this JsonObject? obj, string name) => obj is not null && obj.TryGetPropertyValue(name, out JsonNode? node) ? node.Int() : null;

    public static long? Int(this JsonNode? node) => node switch
    {
        JsonValue value when value.TryGetValue(out long whole) => whole,
        JsonValue value when value.TryGetValue(out int small) => small,
        JsonValue value when value.TryGetValue(out double real) && real == Math.Floor(real) && Math.Abs(real) < 1e15 => (long)real,
        _ => null,
    };

    /// <summary>The object below <paramref name="name"/>, made when it is not there.</summary>
    public static JsonObject Ensure(this JsonObject obj, string name)
    {
        if (obj[name] is JsonObject known)
        {
            return known;
        }

        JsonObject made = [];
        obj[name] = made;
        return made;
    }

    /// <summary>Follows a dotted path; a leading dot is allowed. Null when anything on the way is missing.</summary>
    public static JsonNode? At(this JsonNode? node, string path)
    {
        foreach (string step in path.Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            if (node is not JsonObject obj || !obj.TryGetPropertyValue(step, out node))
            {
                return null;
            }
        }

        return node;
    }

    public static JsonObject Clone(this JsonObject obj) => (JsonObject)obj.DeepClone();

    /// <summary>A list of strings as a set of them; what is not a string is left out.</summary>
    public static IEnumerable<string> Strings(this JsonArray? array) => array is null ? [] : array.Select(node => node.Str()).OfType<string>();

    public static IEnumerable<JsonObject> Objects(this JsonArray? array) => array is null ? [] : array.OfType<JsonObject>();
}
