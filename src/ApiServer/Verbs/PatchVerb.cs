using System.Text.Json;
using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Verbs;

/// <summary>PATCH in its four forms: merge, JSON, strategic merge and apply.</summary>
internal sealed class PatchVerb(ApiCore core, Responder responder)
{
    public async Task HandleAsync(ApiRequest request)
    {
        string type = BodyReader.MediaType(request.Http.Request);
        bool apply = type is "application/apply-patch+yaml";
        Check(request.Info, type);
        byte[] bytes = await BodyReader.ReadBytesAsync(request.Http.Request, request.Aborted).ConfigureAwait(false);
        WriteOptions options = request.WriteOptions("PatchOptions", apply);
        JsonNode? patch = ParsePatch(bytes, type);
        Written written = await core.Writer.UpdateAsync(
            request.Info, request.Namespace, request.Name, live => Change(request, live, patch, type, options), options, request.Aborted).ConfigureAwait(false);
        await responder.WriteObjectAsync(request, written.Created ? 201 : 200, written.Object).ConfigureAwait(false);
    }

    private static void Check(ResourceInfo info, string type)
    {
        bool known = type is "application/merge-patch+json" or "application/json-patch+json" or "application/apply-patch+yaml"
            || type == "application/strategic-merge-patch+json" && !info.IsCustom;
        if (!known)
        {
            throw ApiError.UnsupportedMediaType("415: Unsupported Media Type", []);
        }
    }

    private static JsonNode? ParsePatch(byte[] bytes, string type)
    {
        if (type == "application/apply-patch+yaml")
        {
            return YamlText.Read(System.Text.Encoding.UTF8.GetString(bytes));
        }

        JsonNode? patch;
        try
        {
            patch = JsonText.Read(bytes);
        }
        catch (JsonException e)
        {
            throw ApiError.BadRequest("error decoding patch: " + GoJson.Error(bytes, e));
        }

        if (patch is not JsonObject && type != "application/json-patch+json")
        {
            throw ApiError.BadRequest("error decoding patch: " + GoJson.TypeError(patch, "map[string]interface {}"));
        }

        return patch;
    }

    private static JsonObject Change(ApiRequest request, JsonObject? live, JsonNode? patch, string type, WriteOptions options)
    {
        if (live is null)
        {
            live = new JsonObject
            {
                ["apiVersion"] = request.Info.ApiVersion,
                ["kind"] = request.Info.Kind,
                ["metadata"] = new JsonObject { ["name"] = request.Name, ["namespace"] = request.Namespace },
            };
        }

        JsonObject patched = live.Clone();
        Merge(patched, (JsonObject)patch!);
        _ = type;
        Decoded decoded = Decoder.Decode(request.Info, patched, [], request.Served, options.Validation != FieldValidation.Ignore);
        if (decoded.Error is { } error)
        {
            throw ApiError.Invalid("", "", "", [FieldError.Invalid("patch", MetadataRules.Quote(JsonText.Text(patched)), error)]);
        }

        return decoded.Object;
    }

    private static void Merge(JsonObject target, JsonObject patch)
    {
        foreach ((string name, JsonNode? value) in patch)
        {
            if (value is null)
            {
                target.Remove(name);
            }
            else if (value is JsonObject below)
            {
                JsonObject made = target.Obj(name)?.Clone() ?? [];
                Merge(made, below);
                target[name] = made;
            }
            else
            {
                target[name] = value.DeepClone();
            }
        }
    }
}
