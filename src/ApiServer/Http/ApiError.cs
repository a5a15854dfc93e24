using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Http;

/// <summary>A request that cannot be served, as the Status object the client gets. The one exception of this layer.</summary>
internal sealed class ApiError(int code, string? reason, string message, JsonObject? details = null) : Exception(message)
{
    private string? continueToken;

    public int Code { get; } = code;

    public string? Reason { get; } = reason;

    public JsonObject? Details { get; } = details;

    public int? RetryAfterSeconds { get; init; }

    public static ApiError BadRequest(string message) => new(400, "BadRequest", message);

    public static ApiError Unauthorized() => new(401, "Unauthorized", "Unauthorized");

    public static ApiError Internal(string message) => new(500, null, message);

    public static ApiError InternalError(string message) =>
        new(500, "InternalError", "Internal error occurred: " + message, new JsonObject { ["causes"] = new JsonArray(new JsonObject { ["message"] = message }) });

    public static ApiError Expired(string message) => new(410, "Expired", message);

    public static ApiError NotAcceptable(string message) => new(406, "NotAcceptable", message);

    public static ApiError NoSuchResource() => new(404, "NotFound", "the server could not find the requested resource", []);

    public static ApiError MethodNotAllowed() =>
        new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", []);

    public static ApiError MethodNotSupported(ResourceInfo info, string verb) => new(
        405, "MethodNotAllowed", $"{verb} is not supported on resources of kind \"{info.GroupResource}\"", About("", info.Group, info.Plural));

    public static ApiError NotFound(ResourceInfo info, string name) => NotFound(info.Group, info.Plural, name);

    public static ApiError NotFound(string group, string plural, string name) =>
        new(404, "NotFound", $"{Qualified(plural, group)} \"{name}\" not found", About(name, group, plural));

    public static ApiError AlreadyExists(ResourceInfo info, string name, bool deleting = false) => new(
        409,
        "AlreadyExists",
        $"{(deleting ? "object is being deleted: " : "")}{info.GroupResource} \"{name}\" already exists",
        About(name, info.Group, info.Plural));

    public static ApiError Conflict(ResourceInfo info, string name, string why) => Conflict(info.Group, info.Plural, name, why);

    public static ApiError Conflict(string group, string kind, string name, string why) =>
        new(409, "Conflict", $"Operation cannot be fulfilled on {Qualified(kind, group)} \"{name}\": {why}", About(name, group, kind));

    public static ApiError Stale(ResourceInfo info, string name) =>
        Conflict(info, name, "the object has been modified; please apply your changes to the latest version and try again");

    public static ApiError Forbidden(ResourceInfo info, string name, string why) => new(
        403, "Forbidden", $"{info.GroupResource}{(name.Length == 0 ? "" : $" \"{name}\"")} is forbidden: {why}", About(name, info.Group, info.Plural));

    public static ApiError TooLarge(string message) => new(413, "RequestEntityTooLarge", message);

    public static ApiError UnsupportedMediaType(string message, JsonObject? details = null) => new(415, "UnsupportedMediaType", message, details);

    /// <summary>A wait for a version that this server has not reached.</summary>
    public static ApiError VersionTooLarge(long asked, long current) => new(
        504,
        "Timeout",
        $"Timeout: Too large resource version: {asked}, current: {current}",
        new JsonObject
        {
            ["causes"] = new JsonArray(new JsonObject { ["reason"] = "ResourceVersionTooLarge", ["message"] = "Too large resource version" }),
            ["retryAfterSeconds"] = 1,
        })
    { RetryAfterSeconds = 1 };

    public static ApiError TooManyRequests(int retryAfter) => new(
        429, "TooManyRequests", "too many requests, please try again later", new JsonObject { ["retryAfterSeconds"] = retryAfter })
    { RetryAfterSeconds = retryAfter };

    public static ApiError Invalid(ResourceInfo info, string name, IReadOnlyList<FieldError> errors) => Invalid(info.Group, info.Kind, name, errors);

    /// <summary>422 with every error as a cause; the message shows equal errors once.</summary>
    public static ApiError Invalid(string group, string kind, string name, IReadOnlyList<FieldError> errors)
    {
        JsonArray causes = [];
        List<string> texts = [];
        foreach (FieldError error in errors)
        {
            causes.Add((JsonNode)new JsonObject { ["reason"] = error.Reason, ["message"] = error.Message, ["field"] = error.Field });
            string text = $"{error.Field}: {error.Message}";
            if (!texts.Contains(text))
            {
                texts.Add(text);
            }
        }

        JsonObject details = About(name, group, kind);
        if (causes.Count > 0)
        {
            details["causes"] = causes;
        }

        string all = texts.Count == 1 ? texts[0] : $"[{string.Join(", ", texts)}]";
        return new(422, "Invalid", $"{Qualified(kind, group)} \"{name}\" is invalid: {all}", details);
    }

    public ApiError WithContinue(string token)
    {
        continueToken = token;
        return this;
    }

    public JsonObject ToStatus()
    {
        JsonObject status = new()
        {
            ["kind"] = "Status",
            ["apiVersion"] = "v1",
            ["metadata"] = continueToken is null ? [] : new JsonObject { ["continue"] = continueToken },
            ["status"] = "Failure",
            ["message"] = Message,
        };
        if (Reason is not null)
        {
            status["reason"] = Reason;
        }

        if (Details is not null)
        {
            status["details"] = Details.DeepClone();
        }

        status["code"] = Code;
        return status;
    }

    private static string Qualified(string kind, string group) => group.Length == 0 ? kind : $"{kind}.{group}";

    private static JsonObject About(string name, string group, string kind)
    {
        JsonObject details = [];
        if (name.Length > 0)
        {
            details["name"] = name;
        }

        if (group.Length > 0)
        {
            details["group"] = group;
        }

        if (kind.Length > 0)
        {
            details["kind"] = kind;
        }

        return details;
    }
}
