using System.Text;
using System.Text.Json.Nodes;

namespace OptiInfra.Kubernetes.Webhooks;

/// <summary>What the API server asks before it stores something (admission.k8s.io/v1).</summary>
public sealed record AdmissionRequest(JsonObject Json)
{
    public string Uid => Json["uid"]?.ToString() ?? "";

    /// <summary><c>CREATE</c>, <c>UPDATE</c>, <c>DELETE</c> or <c>CONNECT</c>.</summary>
    public string Operation => Json["operation"]?.ToString() ?? "";

    public string Kind => Json["kind"]?["kind"]?.ToString() ?? "";

    public string? Namespace => Json["namespace"]?.ToString();

    public string? Name => Json["name"]?.ToString();

    public string? SubResource => Json["subResource"]?.ToString();

    public bool IsDryRun => Json["dryRun"] is JsonValue value && value.TryGetValue(out bool dry) && dry;

    public string? UserName => Json["userInfo"]?["username"]?.ToString();

    /// <summary>The object as it would be stored; null for deletes.</summary>
    public JsonObject? Current => Json["object"] as JsonObject;

    /// <summary>The object as it is stored; null for creates.</summary>
    public JsonObject? Old => Json["oldObject"] as JsonObject;
}

/// <summary>Yes or no, perhaps with a change or with words for the person who asked.</summary>
public sealed record AdmissionResponse
{
    private AdmissionResponse()
    {
    }

    public bool Allowed { get; private init; }

    public string? Message { get; private init; }

    public int Code { get; private init; } = 200;

    /// <summary>Shown by kubectl; each one line, without "Warning:".</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>RFC 6902 operations on the object.</summary>
    public JsonArray? Patch { get; private init; }

    public static AdmissionResponse Allow(params string[] warnings) => new() { Allowed = true, Warnings = warnings };

    /// <summary>Refuses, with the reason that kubectl prints.</summary>
    public static AdmissionResponse Deny(string message, int code = 403) => new() { Message = message, Code = code };

    /// <summary>Allows the object in another form.</summary>
    public static AdmissionResponse Mutate(JsonObject original, JsonObject wanted) => new() { Allowed = true, Patch = JsonDifference.Between(original, wanted) };

    internal JsonObject Review(string uid)
    {
        var response = new JsonObject { ["uid"] = uid, ["allowed"] = Allowed };
        if (!Allowed)
        {
            response["status"] = new JsonObject { ["code"] = Code, ["message"] = Message, ["status"] = "Failure" };
        }

        if (Patch is { Count: > 0 })
        {
            response["patchType"] = "JSONPatch";
            response["patch"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(Patch.ToJsonString()));
        }

        if (Warnings.Count > 0)
        {
            response["warnings"] = new JsonArray([.. Warnings.Select(warning => (JsonNode)JsonValue.Create(warning))]);
        }

        return new JsonObject { ["apiVersion"] = "admission.k8s.io/v1", ["kind"] = "AdmissionReview", ["response"] = response };
    }
}

/// <summary>The operations (RFC 6902) that lead from one JSON value to another. Lists that differ are replaced whole.</summary>
internal static class JsonDifference
{
    public static JsonArray Between(JsonNode from, JsonNode to)
    {
        var operations = new JsonArray();
        Compare("", from, to, operations);
        return operations;
    }

    private static void Compare(string path, JsonNode? from, JsonNode? to, JsonArray operations)
    {
        if (from is JsonObject before && to is JsonObject after)
        {
            foreach ((string key, _) in before.Where(pair => !after.ContainsKey(pair.Key)))
            {
                Add(operations, "remove", Child(path, key), null);
            }

            foreach ((string key, JsonNode? value) in after)
            {
                if (before.TryGetPropertyValue(key, out JsonNode? old))
                {
                    Compare(Child(path, key), old, value, operations);
                }
                else
                {
                    Add(operations, "add", Child(path, key), value);
                }
            }
        }
        else if (!JsonNode.DeepEquals(from, to))
        {
            Add(operations, "replace", path, to);
        }
    }

    private static void Add(JsonArray operations, string op, string path, JsonNode? value)
    {
        var operation = new JsonObject { ["op"] = op, ["path"] = path };
        if (op != "remove")
        {
            operation["value"] = value?.DeepClone();
        }

        operations.Add((JsonNode)operation);
    }

    private static string Child(string path, string key) =>
        $"{path}/{key.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}";
}
