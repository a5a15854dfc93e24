using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Apply;

/// <summary>
/// One step of a path into an object, in the form in which managedFields writes it: <c>f:name</c> a field,
/// <c>k:{…}</c> a list element by its keys, <c>v:…</c> a set element by its value, <c>i:n</c> one by its position.
/// The written form is the identity, so that sets of fields compare and sort by plain text.
/// </summary>
internal static class PathElement
{
    public static string Field(string name) => "f:" + name;

    public static string Value(JsonNode value) => "v:" + Json.Compact(value);

    public static string Index(int index) => "i:" + index;

    /// <summary>The key of a list element: its key fields, those left out taken from their defaults, in order of name.</summary>
    public static string Key(JsonObject element, StructuralSchema items, IReadOnlyList<string> keys)
    {
        var key = new JsonObject();
        foreach (string name in keys.Order(StringComparer.Ordinal))
        {
            if (element.TryGetPropertyValue(name, out JsonNode? value))
            {
                key[name] = Json.Clone(value);
            }
            else if (items.Field(name) is { } field && KeyDefault(field) is { } fallback)
            {
                key[name] = fallback;
            }
        }

        return key.Count == 0 ? "" : "k:" + Json.Compact(key);
    }

    // A field that a built-in kind always prints has its zero value when it is left out.
    private static JsonNode? KeyDefault(StructuralSchema field) => field switch
    {
        { HasDefault: true } => Json.Clone(field.Default),
        { Typed: { OmitEmpty: false, Pointer: false }, Type: "string" } => JsonValue.Create(""),
        { Typed: { OmitEmpty: false, Pointer: false }, Type: "integer" } => JsonValue.Create(0),
        _ => null,
    };

    public static bool IsField(string element) => element.StartsWith("f:", StringComparison.Ordinal);

    public static bool IsKey(string element) => element.StartsWith("k:", StringComparison.Ordinal);

    /// <summary>How messages show the step: <c>.name</c>, <c>[name="main"]</c>, <c>[="x"]</c>, <c>[0]</c>.</summary>
    public static string Display(string element)
    {
        string content = element[2..];
        return element[0] switch
        {
            'f' => "." + content,
            'k' => "[" + string.Join(',', JsonNode.Parse(content)!.AsObject().Select(static key => key.Key + "=" + Json.Compact(key.Value))) + "]",
            'v' => "[=" + content + "]",
            _ => "[" + content + "]",
        };
    }

    /// <summary>
    /// The path element of an item of an associative list. An item that cannot be addressed comes back with the reason.
    /// </summary>
    public static (string Element, string? Error) OfItem(StructuralSchema list, JsonNode? item)
    {
        if (list.ListType != "map")
        {
            return item switch
            {
                JsonObject => ("", "associative list without keys has an element that's a map type"),
                JsonArray => ("", "not supported: associative list with lists as elements"),
                null => ("", "associative list without keys has an element that's an explicit null"),
                _ => (Value(item), null),
            };
        }

        if (item is not JsonObject members)
        {
            return ("", item is null ? "associative list with keys may not have a null element" : "associative list with keys may not have non-map elements");
        }

        string key = Key(members, list.Items ?? StructuralSchema.Anything, list.ListMapKeys);
        return key.Length > 0 ? (key, null)
            : ("", $"associative list with keys has an element that omits all key fields [{string.Join(' ', list.ListMapKeys.Select(Json.Quote))}] (and doesn't have default values for any key fields)");
    }
}
