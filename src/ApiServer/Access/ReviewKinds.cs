using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Schema;
using OptiInfra.ApiServer.Verbs;

namespace OptiInfra.ApiServer.Access;

/// <summary>Kinds that are questions: who am I, whose token is this, may somebody do that. They are answered and never stored.</summary>
internal static class ReviewKinds
{
    public static bool Handles(ResourceInfo info) => info.Group is "authentication.k8s.io" or "authorization.k8s.io";

    /// <summary>Fills in the status of a question that has been decoded.</summary>
    public static JsonObject Answer(ApiCore core, ApiRequest request, JsonObject asked, WriteOptions options)
    {
        if (request.Info.Kind == "SelfSubjectReview")
        {
            return WhoAmI(core, request.User);
        }

        core.Fields.TrackCreate(request.Info, asked, options);
        if (request.Info.Namespaced)
        {
            asked.Ensure("metadata")["namespace"] ??= request.Namespace;
        }

        asked["status"] = request.Info.Kind switch
        {
            "TokenReview" => ReviewToken(core, asked.Ensure("spec")),
            "SelfSubjectRulesReview" => Rules(core, request.User, asked.Ensure("spec")),
            "SelfSubjectAccessReview" => Access(core, request.User, Checked(asked, request)),
            _ => Access(core, SubjectOf(asked.Ensure("spec")), Checked(asked, request)),
        };
        return asked;
    }

    private static JsonObject WhoAmI(ApiCore core, UserInfo user) => new()
    {
        ["kind"] = "SelfSubjectReview",
        ["apiVersion"] = "authentication.k8s.io/v1",
        ["metadata"] = new JsonObject { ["creationTimestamp"] = core.Now() },
        ["status"] = new JsonObject { ["userInfo"] = Describe(user) },
    };

    public static JsonObject Describe(UserInfo user)
    {
        JsonObject described = new() { ["username"] = user.Name };
        if (user.Uid.Length > 0)
        {
            described["uid"] = user.Uid;
        }

        described["groups"] = Strings(user.Groups);
        if (user.Extra.Count > 0)
        {
            described["extra"] = new JsonObject(user.Extra.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)Strings(pair.Value))));
        }

        return described;
    }

    private static JsonObject ReviewToken(ApiCore core, JsonObject spec)
    {
        string token = spec.Str("token") ?? "";
        if (token.Length == 0)
        {
            throw ApiError.BadRequest("token is required for TokenReview in authentication");
        }

        string[] wanted = [.. spec.Arr("audiences").Strings()];
        wanted = wanted.Length == 0 ? [Tokens.DefaultAudience] : wanted;
        if (core.Tokens.Check(core, token) is not { } claims)
        {
            return new JsonObject { ["user"] = new JsonObject(), ["error"] = "invalid bearer token" };
        }

        string[] matching = [.. wanted.Intersect(claims.Audiences)];
        if (matching.Length == 0)
        {
            string error = $"[invalid bearer token, token audiences {Quoted(claims.Audiences)} is invalid for the target audiences {Quoted(wanted)}]";
            return new JsonObject { ["user"] = new JsonObject(), ["error"] = error };
        }

        return new JsonObject { ["authenticated"] = true, ["user"] = Describe(claims.User), ["audiences"] = Strings(matching) };
    }

    private static string Quoted(IEnumerable<string> values) => $"[{string.Join(" ", values.Select(MetadataRules.Quote))}]";

    private static JsonObject Rules(ApiCore core, UserInfo user, JsonObject spec)
    {
        string ns = spec.Str("namespace") ?? "";
        if (ns.Length == 0)
        {
            throw ApiError.BadRequest("no namespace on request");
        }

        JsonObject[] rules = [.. core.Rbac.RulesOf(user, ns)];
        return new JsonObject
        {
            ["resourceRules"] = new JsonArray([.. rules.Where(rule => rule.ContainsKey("resources"))]),
            ["nonResourceRules"] = new JsonArray([.. rules.Where(rule => rule.ContainsKey("nonResourceURLs"))]),
            ["incomplete"] = false,
        };
    }

    private static JsonObject Checked(JsonObject asked, ApiRequest request)
    {
        JsonObject spec = asked.Ensure("spec");
        List<FieldError> errors = [];
        if (spec.ContainsKey("resourceAttributes") == spec.ContainsKey("nonResourceAttributes"))
        {
            string value = spec.ContainsKey("resourceAttributes") ? Json.Compact(spec["nonResourceAttributes"]) : "null";
            errors.Add(FieldError.Invalid("spec.resourceAttributes", value, "exactly one of nonResourceAttributes or resourceAttributes must be specified"));
        }

        if (request.Info.Kind != "SelfSubjectAccessReview" && string.IsNullOrEmpty(spec.Str("user")) && (spec.Arr("groups")?.Count ?? 0) == 0)
        {
            errors.Add(FieldError.Invalid("spec.user", "\"\"", "at least one of user or group must be specified"));
        }

        if (request.Info.Kind == "LocalSubjectAccessReview" && spec.Obj("resourceAttributes").Str("namespace") is var ns && ns != request.Namespace)
        {
            errors.Add(FieldError.Invalid("spec.resourceAttributes.namespace", MetadataRules.Quote(ns ?? ""), "must match metadata.namespace"));
        }

        return errors.Count == 0 ? spec : throw ApiError.Invalid("authorization.k8s.io", "", "", errors);
    }

    private static UserInfo SubjectOf(JsonObject spec) => new(spec.Str("user") ?? "", spec.Str("uid") ?? "", [.. spec.Arr("groups").Strings()]);

    private static JsonObject Access(ApiCore core, UserInfo user, JsonObject spec)
    {
        JsonObject? resource = spec.Obj("resourceAttributes");
        AccessQuestion question = resource is null
            ? new AccessQuestion(spec.Obj("nonResourceAttributes").Str("verb") ?? "") { Path = spec.Obj("nonResourceAttributes").Str("path") ?? "" }
            : new AccessQuestion(resource.Str("verb") ?? "")
            {
                Group = resource.Str("group") ?? "",
                Resource = resource.Str("resource") ?? "",
                Subresource = resource.Str("subresource") ?? "",
                Namespace = resource.Str("namespace") ?? "",
                Name = resource.Str("name") ?? "",
            };
        AccessAnswer answer = core.Rbac.Ask(user, question);
        JsonObject status = new() { ["allowed"] = answer.Allowed };
        if (answer.Reason.Length > 0)
        {
            status["reason"] = answer.Reason;
        }

        return status;
    }

    private static JsonArray Strings(IEnumerable<string> values) => [.. values.Select(value => (JsonNode)JsonValue.Create(value))];
}
