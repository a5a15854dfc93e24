using System.Text.Json;
using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Verbs;

/// <summary>The options of a deletion: from the body, or only when there is none from the query.</summary>
internal sealed record DeleteOptions
{
    public bool DryRun { get; init; }

    public long? GracePeriodSeconds { get; init; }

    /// <summary>Foreground, Background, Orphan; null leaves it to the kind.</summary>
    public string? Propagation { get; init; }

    public string? Uid { get; init; }

    public string? ResourceVersion { get; init; }

    public static DeleteOptions Parse(RequestQuery query, byte[] body, string mediaType)
    {
        JsonObject options = body.Length > 0 ? ReadBody(body, mediaType) : FromQuery(query);
        List<FieldError> errors = [];
        string? propagation = options.Str("propagationPolicy");
        bool? orphan = options.Bool("orphanDependents");
        if (propagation is not null and not ("Foreground" or "Background" or "Orphan"))
        {
            errors.Add(FieldError.NotSupported(
                "propagationPolicy", MetadataRules.Quote(propagation), "supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\""));
        }
        else if (propagation is not null && orphan is not null)
        {
            errors.Add(FieldError.Invalid("propagationPolicy", MetadataRules.Quote(propagation), "orphanDependents and deletionPropagation cannot be both set"));
        }

        string[] dryRun = [.. options.Arr("dryRun").Strings()];
        WriteOptions.CheckDryRun(dryRun, errors);
        if (errors.Count > 0)
        {
            throw ApiError.Invalid("meta.k8s.io", "DeleteOptions", "", errors);
        }

        return new DeleteOptions
        {
            DryRun = dryRun.Length > 0,
            GracePeriodSeconds = options.Int("gracePeriodSeconds"),
            Propagation = propagation ?? (orphan is null ? null : orphan.Value ? "Orphan" : "Background"),
            Uid = options.Obj("preconditions").Str("uid"),
            ResourceVersion = options.Obj("preconditions").Str("resourceVersion"),
        };
    }

    private static JsonObject ReadBody(byte[] body, string mediaType)
    {
        JsonNode? node;
        try
        {
            node = mediaType == "application/vnd.kubernetes.protobuf" ? ProtobufBody.DeleteOptions(body)
                : mediaType == "application/yaml" ? YamlText.Read(System.Text.Encoding.UTF8.GetString(body))
                : JsonBytes.Read(body);
        }
        catch (JsonException)
        {
            throw ApiError.BadRequest("couldn't get version/kind; json parse error: " + JsonBytes.ErrorOf(body));
        }

        if (node is not JsonObject options)
        {
            throw ApiError.BadRequest("couldn't get version/kind; json parse error: " + BodyReader.TypeError(node, BodyReader.TypeMetaStruct));
        }

        if (options.Str("kind") is { Length: > 0 } kind && kind != "DeleteOptions")
        {
            throw ApiError.BadRequest($"no kind \"{kind}\" is registered for version \"{options.Str("apiVersion") ?? ""}\" in scheme \"k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30\"");
        }

        return options;
    }

    private static JsonObject FromQuery(RequestQuery query)
    {
        JsonObject options = [];
        if (query.Number("gracePeriodSeconds") is { } grace)
        {
            options["gracePeriodSeconds"] = grace;
        }

        if (query.Text("propagationPolicy") is { Length: > 0 } propagation)
        {
            options["propagationPolicy"] = propagation;
        }

        if (query.Has("orphanDependents"))
        {
            options["orphanDependents"] = query.Flag("orphanDependents");
        }

        if (query.Has("dryRun"))
        {
            options["dryRun"] = new JsonArray([.. query.All("dryRun").Select(value => (JsonNode)JsonValue.Create(value))]);
        }

        return options;
    }
}
