using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Builtin;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Verbs;

/// <summary>What decoding an object came to: the object with its defaults, and what strict clients want to hear of.</summary>
internal sealed record Decoded(JsonObject Object, IReadOnlyList<string> StrictErrors, string? Error = null);

/// <summary>Turns a parsed body into an object of its kind: checks kind and version, drops unknown fields, fills defaults.</summary>
internal static class Decoder
{
    private const string Scheme = "in scheme \"k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30\"";

    /// <summary>Decodes the body of a create or replace; problems are 400, unknown fields warnings or 400 as the options say.</summary>
    public static JsonObject DecodeBody(ResourceInfo info, Body body, ResourceRegistry.Picture served, WriteOptions options)
    {
        if (info.IsCustom)
        {
            CheckCustomType(info, body);
        }

        Decoded decoded = Decode(info, body.Object, body.Duplicates, served);
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

        options.Warnings.AddRange(errors.Except(options.Warnings));
    }

    public static Decoded Decode(ResourceInfo info, JsonObject obj, IReadOnlyList<string> duplicates, ResourceRegistry.Picture served)
    {
        if (!info.IsCustom && WrongKind(info, obj, served) is { } wrong)
        {
            return new Decoded(obj, [], wrong);
        }

        DecodedObject decoded = info.IsCustom ? CustomDecoder.Decode(info.Rules.Schema, BuiltinSchemas.ObjectMeta, obj)
            : info.Rules.Schema.Properties is null ? new DecodedObject { Object = obj.Clone() }
            : TypedDecoder.Decode(info.Rules.Schema, obj);
        if (decoded.Error is not null)
        {
            return new Decoded(obj, [], decoded.Error);
        }

        List<string> errors = [.. duplicates.Select(path => $"duplicate field \"{path}\""), .. decoded.UnknownFields.Select(path => $"unknown field \"{path}\"")];
        JsonObject typed = info.IsCustom ? decoded.Object : WithKindFirst(info, decoded.Object);
        typed.Ensure("metadata");
        info.Rules.Default(typed);
        return new Decoded(typed, errors);
    }

    private static JsonObject WithKindFirst(ResourceInfo info, JsonObject decoded)
    {
        JsonObject typed = new() { ["kind"] = info.Kind, ["apiVersion"] = info.ApiVersion };
        foreach ((string name, JsonNode? value) in decoded.ToArray())
        {
            if (name is not ("kind" or "apiVersion"))
            {
                decoded.Remove(name);
                typed[name] = value;
            }
        }

        return typed;
    }

    private static void CheckCustomType(ResourceInfo info, Body body)
    {
        string kind = body.Object.Str("kind") ?? "";
        if (kind.Length == 0)
        {
            string shown = JsonBytes.Text(body.Object);
            throw ApiError.BadRequest($"the object provided is unrecognized (must be of type {info.Kind}): Object 'Kind' is missing in '{shown}' ({shown})");
        }

        string apiVersion = body.Object.Str("apiVersion") ?? "";
        if (apiVersion != info.ApiVersion)
        {
            throw ApiError.BadRequest($"the API version in the data ({apiVersion}) does not match the expected API version ({info.ApiVersion})");
        }

        if (kind != info.Kind)
        {
            throw ApiError.Invalid(
                info.Group, kind, body.Object.Obj("metadata").Str("name") ?? "", [FieldError.Invalid("kind", MetadataRules.Quote(kind), $"must be {info.Kind}")]);
        }
    }

    private static string? WrongKind(ResourceInfo info, JsonObject obj, ResourceRegistry.Picture served)
    {
        string kind = obj.Str("kind") is { Length: > 0 } given ? given : info.Kind;
        string apiVersion = obj.Str("apiVersion") is { Length: > 0 } version ? version : info.ApiVersion;
        if (kind == info.Kind && apiVersion == info.ApiVersion)
        {
            return null;
        }

        int slash = apiVersion.IndexOf('/');
        string group = slash < 0 ? "" : apiVersion[..slash];
        string shortVersion = apiVersion[(slash + 1)..];
        return served.FindKind(group, shortVersion, kind) is { IsCustom: false }
            ? $"converting ({shortVersion}.{kind}) to ({PackageOf(info.Group)}.{info.Kind}): unknown conversion"
            : $"no kind \"{kind}\" is registered for version \"{apiVersion}\" {Scheme}";
    }

    private static string PackageOf(string group) => group.Length == 0 ? "core" : group.Split('.')[0];
}
