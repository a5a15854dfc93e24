using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Apply;

/// <summary>A patched object, or why the patch was refused (the status code and message that go to the client).</summary>
internal sealed record PatchResult
{
    public JsonObject? Object { get; init; }

    public PatchError? Error { get; init; }

    /// <summary>Members of JSON patch operations that mean nothing; strict field validation refuses them.</summary>
    public IReadOnlyList<string> UnknownFields { get; init; } = [];

    public static PatchResult Refused(int code, string message) => new() { Error = new PatchError(code, message) };
}

/// <param name="Code">400 for a patch that cannot be read, 422 for one that does not fit, 413 and 500 in rare cases.</param>
/// <param name="Message">In the real server's words.</param>
internal sealed record PatchError(int Code, string Message)
{
    /// <summary>The server reports these without the reason: a generic 422 whose message says nothing.</summary>
    public bool IsGeneric => Code == 422;
}

/// <summary>JSON merge patch (RFC 7386): null removes, objects merge, everything else replaces.</summary>
internal static class MergePatch
{
    public static PatchResult Apply(JsonObject target, JsonText patch) => patch switch
    {
        { Error: { } error } => PatchResult.Refused(400, "error decoding patch: " + error),
        { Value: JsonObject changes } => new PatchResult { Object = Merge(target, changes) },
        _ => PatchResult.Refused(400, $"error decoding patch: json: cannot unmarshal {NameOf(patch.Value)} into Go value of type map[string]interface {{}}"),
    };

    /// <summary>The JSON name of a value's type, as decoding errors give it.</summary>
    public static string NameOf(JsonNode? node) => node switch
    {
        JsonObject => "object",
        JsonArray => "array",
        null => "null",
        _ when Json.IsString(node) => "string",
        _ when Json.IsBoolean(node) => "bool",
        _ => "number",
    };

    private static JsonObject Merge(JsonObject target, JsonObject changes)
    {
        JsonObject result = target.DeepClone().AsObject();
        foreach ((string name, JsonNode? change) in changes)
        {
            switch (change)
            {
                case null:
                    result.Remove(name);
                    break;
                case JsonObject members:
                    result[name] = Merge(result[name] as JsonObject ?? [], members);
                    break;
                default:
                    result[name] = change.DeepClone();
                    break;
            }
        }

        return result;
    }
}
