using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;

namespace OptiInfra.ApiServer.Verbs;

/// <summary>What decoding an object came to: the object with its defaults, and what strict clients want to hear of.</summary>
internal sealed record Decoded(JsonObject Object, IReadOnlyList<string> StrictErrors, string? Error = null);

/// <summary>Turns a parsed body into an object of its kind: checks kind and version, drops unknown fields, fills defaults.</summary>
internal static class Decoder
{
    /// <summary>Decodes the body of a create or replace; problems are 400, unknown fields warnings or 400 as the options say.</summary>
    public static JsonObject DecodeBody(ResourceInfo info, Body body, ResourceRegistry.Picture served, WriteOptions options)
    {
        if (info.IsCustom && (body.Object.Str("kind") is null or "" || body.Object.Str("apiVersion") is null or ""))
        {
            string missing = body.Object.Str("kind") is null or "" ? "Object 'Kind' is missing" : "Object 'apiVersion' is missing";
            throw ApiError.BadRequest($"the object provided is unrecognized (must be of type {info.Kind}): {missing} in '{JsonText.Text(body.Object)}'");
        }

        Decoded decoded = Decode(info, body.Object, body.Duplicates, served, options.Validation != FieldValidation.Ignore);
        string version = body.Object.Str("apiVersion") is { Length: > 0 } given ? given[(given.IndexOf('/') + 1)..] : info.Version;
        string kind = body.Object.Str("kind") is { Length: > 0 } named ? named : info.Kind;
        string prefix = $"{kind} in version \"{version}\" cannot be handled as a {info.Kind}: ";
        if (decoded.Error is not null)
        {
            throw ApiError.BadRequest(prefix + decoded.Error);
        }

        Report(decoded.StrictErrors, options, errors => ApiError.BadRequest(prefix + errors));
        return decoded.Object;
    }

    /// <summary>Warns of strict errors, or throws them when the client asked for strictness.</summary>
    public static void Report(IReadOnlyList<string> errors, WriteOptions options, Func<string, ApiError> refuse)
    {
        if (errors.Count == 0 || options.Validation == FieldValidation.Ignore)
        {
            return;
        }

        if (options.Validation == FieldValidation.Strict)
        {
            throw refuse("strict decoding error: " + string.Join(", ", errors));
        }

        options.Warnings.AddRange(errors);
    }

    public static Decoded Decode(
        ResourceInfo info, JsonObject obj, IReadOnlyList<string> duplicates, ResourceRegistry.Picture served, bool strict)
    {
        if (WrongKind(info, obj, served) is { } wrong)
        {
            return new Decoded(obj, [], wrong);
        }

        List<string> errors = [.. duplicates.Select(path => $"duplicate field \"{path}\"")];
        JsonObject typed = new() { ["kind"] = info.Kind, ["apiVersion"] = info.ApiVersion };
        foreach ((string name, JsonNode? value) in obj)
        {
            if (name is not ("kind" or "apiVersion") && value is not null)
            {
                typed[name] = value.DeepClone();
            }
        }

        if (typed["metadata"] is not (null or JsonObject))
        {
            return new Decoded(obj, [], $"json: cannot unmarshal {GoJson.NameOf(typed["metadata"])} into Go struct field {info.Kind}.metadata of type v1.ObjectMeta");
        }

        typed.Ensure("metadata");
        info.Rules.Default(typed);
        return new Decoded(typed, strict ? errors : []);
    }

    private static string? WrongKind(ResourceInfo info, JsonObject obj, ResourceRegistry.Picture served)
    {
        string kind = obj.Str("kind") is { Length: > 0 } given ? given : info.Kind;
        string apiVersion = obj.Str("apiVersion") is { Length: > 0 } version ? version : info.ApiVersion;
        if (kind == info.Kind && apiVersion == info.ApiVersion)
        {
            return null;
        }

        if (info.IsCustom)
        {
            return null;
        }

        int slash = apiVersion.IndexOf('/');
        string group = slash < 0 ? "" : apiVersion[..slash];
        string shortVersion = apiVersion[(slash + 1)..];
        return served.FindKind(group, shortVersion, kind) is { IsCustom: false }
            ? $"converting ({shortVersion}.{kind}) to ({PackageOf(info.Group)}.{info.Kind}): unknown conversion"
            : $"no kind \"{kind}\" is registered for version \"{apiVersion}\" in scheme \"k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30\"";
    }

    private static string PackageOf(string group) => group.Length == 0 ? "core" : group.Split('.')[0];
}
