using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Apply;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Verbs;

/// <summary>PATCH in its four forms: merge, JSON, strategic merge and apply.</summary>
internal sealed class PatchVerb(ApiCore core, Responder responder)
{
    private const string MergeType = "application/merge-patch+json";
    private const string JsonType = "application/json-patch+json";
    private const string StrategicType = "application/strategic-merge-patch+json";
    private const string ApplyType = "application/apply-patch+yaml";

    public async Task HandleAsync(ApiRequest request)
    {
        string type = CheckType(request);
        byte[] bytes = await BodyReader.ReadBytesAsync(request.Http.Request, request.Aborted).ConfigureAwait(false);
        WriteOptions options = request.WriteOptions("PatchOptions", type == ApplyType);
        JsonText patch = Parse(bytes, type);
        Written written = await core.Writer.UpdateAsync(
            request.Info,
            request.Namespace,
            request.Name,
            live => type == ApplyType ? Applied(request, live, patch, options) : Patched(request, live!, patch, type, options),
            options,
            request.Aborted).ConfigureAwait(false);
        await responder.WriteObjectAsync(request, written.Created ? 201 : 200, written.Object).ConfigureAwait(false);
    }

    public static string CheckType(ApiRequest request)
    {
        string type = BodyReader.MediaType(request.Http.Request);
        if (type is MergeType or JsonType or ApplyType || type == StrategicType && !request.Info.IsCustom)
        {
            return type;
        }

        throw request.Info.IsCustom
            ? ApiError.UnsupportedMediaType(
                $"the body of the request was in an unknown format - accepted media types include: {JsonType}, {MergeType}, {ApplyType}")
            : ApiError.UnsupportedMediaType("415: Unsupported Media Type", []);
    }

    public static JsonText Parse(byte[] bytes, string type)
    {
        List<string> duplicates = [];
        try
        {
            JsonNode? value = type == ApplyType
                ? YamlText.Read(Encoding.UTF8.GetString(bytes), duplicates)
                : JsonBytes.Read(bytes, duplicates);
            return new JsonText(value, null, duplicates);
        }
        catch (JsonException)
        {
            return new JsonText(null, JsonBytes.ErrorOf(bytes), []);
        }
    }

    /// <summary>The object that a merge, JSON or strategic patch makes of the live one, decoded like a body.</summary>
    public static JsonObject Patched(ApiRequest request, JsonObject live, JsonText patch, string type, WriteOptions options)
    {
        PatchResult result = type switch
        {
            MergeType => MergePatch.Apply(live, patch),
            JsonType => JsonPatch.Apply(live, patch),
            _ => StrategicMergePatch.Apply(live, patch, request.Info.Rules.Schema),
        };
        if (result.Error is { } refused)
        {
            throw refused.IsGeneric
                ? new ApiError(422, "Invalid", "the server rejected our request due to an error in our request", [])
                : refused.Code switch
                {
                    400 => ApiError.BadRequest(refused.Message),
                    413 => ApiError.TooLarge(refused.Message),
                    _ => ApiError.Internal(refused.Message),
                };
        }

        JsonObject patched = result.Object!;
        if (request.Info.IsCustom && CheckCustomType(request.Info, patched, live) is { } wrong)
        {
            throw wrong;
        }

        Decoded decoded = Decoder.Decode(request.Info, patched, type == MergeType ? patch.Duplicates : [], request.Served);
        if (decoded.Error is { } error)
        {
            throw Undecodable(request.Info, patched, patch, type, error);
        }

        Decoder.Report([.. decoded.StrictErrors, .. result.UnknownFields], options, strict => Undecodable(request.Info, patched, patch, type, strict));
        JsonObject metadata = decoded.Object.Ensure("metadata");
        ResourceVerbs.CheckName(metadata, request.Name);
        if (metadata.Str("namespace") is { Length: > 0 } ns && request.Namespace.Length > 0 && ns != request.Namespace)
        {
            throw ApiError.BadRequest($"the namespace of the object ({ns}) does not match the namespace on the URL ({request.Namespace})");
        }

        return decoded.Object;
    }

    private JsonObject Applied(ApiRequest request, JsonObject? live, JsonText patch, WriteOptions options)
    {
        if (patch.Error is not null || patch.Value is not JsonObject config)
        {
            throw ApiError.BadRequest(
                "error decoding YAML: " + (patch.Error ?? "error unmarshaling JSON: while decoding JSON: " + BodyReader.TypeError(patch.Value, "map[string]interface {}")));
        }

        string[] twice = [.. patch.Duplicates.Select(path => $"line 1: key \"{path[(path.LastIndexOf('.') + 1)..]}\" already set in map")];
        if (twice.Length > 0 && options.Validation == FieldValidation.Strict)
        {
            throw ApiError.BadRequest("error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  " + string.Join("\n  ", twice));
        }

        Decoder.Report(twice, options, ApiError.BadRequest);
        ApplyResult result = core.Fields.Of(request.Info, request.Subresource).Apply(live, config, options.Manager, options.Force ?? false, core.Clock.GetUtcNow());
        if (result.Error is { } error)
        {
            throw Refused(error);
        }

        JsonObject applied = result.Object!;
        JsonNode? managed = applied.Obj("metadata")?["managedFields"]?.DeepClone();
        Decoded decoded = Decoder.Decode(request.Info, applied, [], request.Served);
        if (decoded.Error is { } undecodable)
        {
            throw ApiError.Internal(undecodable);
        }

        JsonObject metadata = decoded.Object.Ensure("metadata");
        ResourceVerbs.CheckName(metadata, request.Name);
        if (managed is not null)
        {
            metadata["managedFields"] = managed;
        }

        return decoded.Object;
    }

    public static ApiError Refused(ApplyError error)
    {
        if (error.Code != 409)
        {
            return error.Code == 400 ? ApiError.BadRequest(error.Message) : ApiError.Internal(error.Message);
        }

        JsonArray causes = [.. error.Conflicts.Select(conflict => new JsonObject
        {
            ["reason"] = "FieldManagerConflict",
            ["message"] = $"conflict with {conflict.Manager}",
            ["field"] = conflict.Path,
        })];
        return new ApiError(409, "Conflict", error.Message, new JsonObject { ["causes"] = causes });
    }

    private static ApiError? CheckCustomType(ResourceInfo info, JsonObject patched, JsonObject live)
    {
        List<FieldError> errors = [];
        foreach (string field in (string[])["apiVersion", "kind"])
        {
            string wanted = live.Str(field) ?? "";
            if (patched.Str(field) != wanted)
            {
                errors.Add(FieldError.Invalid(field, JsonBytes.Text(patched[field]), $"must be {wanted}"));
            }
        }

        return errors.Count == 0 ? null : ApiError.Invalid(info.Group, patched.Str("kind") ?? "", live.Obj("metadata").Str("name") ?? "", errors);
    }

    private static ApiError Undecodable(ResourceInfo info, JsonObject patched, JsonText patch, string type, string error)
    {
        error = type == StrategicType ? Unstructured(error) : error;
        string shown = type == StrategicType ? Json.GoValue(patch.Value) : Dump(info, patched);
        return ApiError.Invalid("", "", "", [FieldError.Invalid("patch", MetadataRules.Quote(shown), error)]);
    }

    /// <summary>Strategic patches are converted, not decoded, which words mismatches of shape differently.</summary>
    private static string Unstructured(string error)
    {
        const string head = "json: cannot unmarshal ";
        if (!error.StartsWith(head, StringComparison.Ordinal))
        {
            return error;
        }

        string found = error[head.Length..].Split(' ')[0] switch { "array" => "slice", "object" => "map", "number" => "int64", string other => other };
        string type = error[(error.LastIndexOf(' ') + 1)..];
        string? wanted = type.StartsWith("[]", StringComparison.Ordinal) ? "slice" : type.StartsWith("map", StringComparison.Ordinal) ? "map" : type.Contains('.') ? "struct" : null;
        return wanted is null ? error : $"cannot restore {wanted} from: {found}";
    }

    /// <summary>The patched object as the real server shows it: members sorted, those below in the order of their types.</summary>
    private static string Dump(ResourceInfo info, JsonObject patched)
    {
        if (info.IsCustom)
        {
            return Json.Compact(patched);
        }

        JsonObject sorted = new(patched.OrderBy(member => member.Key, StringComparer.Ordinal).Select(member => KeyValuePair.Create(member.Key, member.Value?.DeepClone())));
        return Json.Compact(sorted, sorted: false);
    }
}
