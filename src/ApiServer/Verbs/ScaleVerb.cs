using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Apply;
using OptiInfra.ApiServer.Builtin;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Schema;
using OptiInfra.ApiServer.Storage;
using OptiInfra.ApiServer.Tables;

namespace OptiInfra.ApiServer.Verbs;

/// <summary>The scale subresource: reads and writes the number of replicas of whatever has one, as an autoscaling/v1 Scale.</summary>
internal sealed class ScaleVerb(ApiCore core, Responder responder)
{
    private static readonly ResourceInfo ScaleInfo = new()
    {
        Group = "autoscaling",
        Version = "v1",
        Kind = "Scale",
        Plural = "scales",
        ListKind = "ScaleList",
        Namespaced = true,
        Rules = BuiltinRules.Of("autoscaling", "v1", "Scale"),
    };

    public Task HandleAsync(ApiRequest request, ScalePaths paths) => request.Method switch
    {
        "GET" => GetAsync(request, paths),
        "PUT" => PutAsync(request, paths),
        _ => PatchAsync(request, paths),
    };

    private Task GetAsync(ApiRequest request, ScalePaths paths)
    {
        StoredObject stored = core.Reader.Get(request.Info, request.Namespace, request.Name, request.Query);
        JsonObject live = VersionConverter.FromStorage(request.Info, stored);
        if (request.Info.IsCustom && live.At(paths.SpecReplicas) is null)
        {
            throw ApiError.InternalError($"the spec replicas field \"{paths.SpecReplicas}\" does not exist");
        }

        return responder.WriteObjectAsync(request with { Info = ScaleInfo }, 200, ToScale(live, paths, request.Info));
    }

    private async Task PutAsync(ApiRequest request, ScalePaths paths)
    {
        WriteOptions options = request.WriteOptions("UpdateOptions");
        byte[] bytes = await BodyReader.ReadBytesAsync(request.Http.Request, request.Aborted).ConfigureAwait(false);
        Body body = BodyReader.Decode(bytes, BodyReader.MediaType(request.Http.Request), ScaleInfo);
        JsonObject scale = Decoder.DecodeBody(ScaleInfo, body, request.Served, options);
        ResourceVerbs.CheckName(scale.Ensure("metadata"), request.Name);
        await WriteAsync(request, paths, options, live => Scaled(request, live, scale, paths)).ConfigureAwait(false);
    }

    private async Task PatchAsync(ApiRequest request, ScalePaths paths)
    {
        string type = PatchVerb.CheckType(request);
        bool apply = type == "application/apply-patch+yaml";
        byte[] bytes = await BodyReader.ReadBytesAsync(request.Http.Request, request.Aborted).ConfigureAwait(false);
        WriteOptions options = request.WriteOptions("PatchOptions", apply);
        JsonText patch = PatchVerb.Parse(bytes, type);
        if (apply)
        {
            await WriteAsync(request, paths, options, live => Applied(request, live, patch, paths, options)).ConfigureAwait(false);
            return;
        }

        ApiRequest scaleRequest = request with { Info = ScaleInfo };
        await WriteAsync(request, paths, options, live =>
        {
            JsonObject scale = PatchVerb.Patched(scaleRequest, ToScale(live, paths, request.Info), patch, type, options);
            return Scaled(request, live, scale, paths);
        }).ConfigureAwait(false);
    }

    private async Task WriteAsync(ApiRequest request, ScalePaths paths, WriteOptions options, Func<JsonObject, JsonObject> change)
    {
        Written written = await core.Writer.UpdateAsync(
            request.Info, request.Namespace, request.Name, live => change(live!), options with { Subresource = "scale" }, request.Aborted).ConfigureAwait(false);
        await responder.WriteObjectAsync(request with { Info = ScaleInfo }, 200, ToScale(written.Object, paths, request.Info)).ConfigureAwait(false);
    }

    private static JsonObject Scaled(ApiRequest request, JsonObject live, JsonObject scale, ScalePaths paths)
    {
        long replicas = scale.Obj("spec").Int("replicas") ?? 0;
        if (replicas < 0)
        {
            throw request.Info.IsCustom
                ? ApiError.Invalid(request.Info, request.Name, [FieldError.Invalid(paths.SpecReplicas, replicas.ToString(), "should be a non-negative integer")])
                : ApiError.Invalid("autoscaling", "Scale", request.Name, [FieldError.Invalid("spec.replicas", replicas.ToString(), "must be greater than or equal to 0")]);
        }

        Set(live, paths.SpecReplicas, replicas);
        JsonObject metadata = live.Obj("metadata")!;
        metadata["resourceVersion"] = scale.Obj("metadata").Str("resourceVersion") ?? (request.Info.IsCustom ? metadata.Str("resourceVersion") : "");
        if (scale.Obj("metadata").Str("uid") is { Length: > 0 } uid)
        {
            metadata["uid"] = uid;
        }

        return live;
    }

    private JsonObject Applied(ApiRequest request, JsonObject live, JsonText patch, ScalePaths paths, WriteOptions options)
    {
        if (patch.Value is not JsonObject config)
        {
            throw ApiError.BadRequest("error decoding YAML: " + (patch.Error ?? BodyReader.TypeError(patch.Value, "map[string]interface {}")));
        }

        if (config.Str("kind") != "Scale" || config.Str("apiVersion") != "autoscaling/v1")
        {
            throw ApiError.BadRequest($"invalid object type: {config.Str("apiVersion")}, Kind={config.Str("kind")}");
        }

        ResourceVerbs.CheckName(config.Ensure("metadata"), request.Name);
        JsonObject parent = new() { ["apiVersion"] = request.Info.ApiVersion, ["kind"] = request.Info.Kind, ["metadata"] = new JsonObject { ["name"] = request.Name } };
        Set(parent, paths.SpecReplicas, config.Obj("spec").Int("replicas") ?? 0);
        ApplyResult result = core.Fields.Of(request.Info, "scale").Apply(live, parent, options.Manager, options.Force ?? false, core.Clock.GetUtcNow());
        return result.Error is { } error ? throw PatchVerb.Refused(error) : result.Object!;
    }

    private static JsonObject ToScale(JsonObject live, ScalePaths paths, ResourceInfo info)
    {
        JsonObject metadata = [];
        foreach (string field in (string[])["name", "namespace", "uid", "resourceVersion", "creationTimestamp"])
        {
            if (live.Obj("metadata")?[field] is { } value)
            {
                metadata[field] = value.DeepClone();
            }
        }

        long replicas = live.At(paths.SpecReplicas).Int() ?? 0;
        JsonObject status = new() { ["replicas"] = live.At(paths.StatusReplicas).Int() ?? 0 };
        string? selector = info.IsCustom ? paths.LabelSelector is { } path ? live.At(path).Str() : null : BuiltinCells.Selector(live.Obj("spec").Obj("selector"));
        if (selector is { Length: > 0 } and not "<none>")
        {
            status["selector"] = selector;
        }

        return new JsonObject
        {
            ["kind"] = "Scale",
            ["apiVersion"] = "autoscaling/v1",
            ["metadata"] = metadata,
            ["spec"] = replicas == 0 ? [] : new JsonObject { ["replicas"] = replicas },
            ["status"] = status,
        };
    }

    private static void Set(JsonObject obj, string path, long value)
    {
        string[] steps = path.Split('.', StringSplitOptions.RemoveEmptyEntries);
        foreach (string step in steps[..^1])
        {
            obj = obj.Ensure(step);
        }

        obj[steps[^1]] = value;
    }
}
