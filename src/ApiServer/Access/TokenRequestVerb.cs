using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Builtin;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Schema;
using OptiInfra.ApiServer.Storage;
using OptiInfra.ApiServer.Verbs;

namespace OptiInfra.ApiServer.Access;

/// <summary>The token subresource of a service account: answers a TokenRequest with a signed token.</summary>
internal sealed class TokenRequestVerb(ApiCore core, Responder responder)
{
    private const long Shortest = 600;
    private const long Longest = 1L << 32;

    private static readonly ResourceInfo Info = new()
    {
        Group = "authentication.k8s.io",
        Version = "v1",
        Kind = "TokenRequest",
        Plural = "tokenrequests",
        Namespaced = true,
        Rules = BuiltinRules.Of("authentication.k8s.io", "v1", "TokenRequest"),
    };

    public async Task HandleAsync(ApiRequest request)
    {
        WriteOptions options = request.WriteOptions("CreateOptions");
        byte[] bytes = await BodyReader.ReadBytesAsync(request.Http.Request, request.Aborted).ConfigureAwait(false);
        Body body = BodyReader.Decode(bytes, BodyReader.MediaType(request.Http.Request), Info);
        JsonObject asked = Decoder.DecodeBody(Info, body, request.Served, options);
        core.Fields.TrackCreate(Info, asked, options);
        StoredObject account = core.Store.Find("serviceaccounts", StoredObject.KeyOf(request.Namespace, request.Name))
            ?? throw ApiError.NotFound("", "serviceaccounts", request.Name);
        JsonObject spec = asked.Ensure("spec");
        long seconds = spec.Int("expirationSeconds") ?? 3600;
        if (Invalid(seconds) is { } problem)
        {
            throw ApiError.Invalid("authentication.k8s.io", "TokenRequest", "", [problem]);
        }

        string[] audiences = [.. spec.Arr("audiences").Strings()];
        if (audiences.Length == 0)
        {
            audiences = [Tokens.DefaultAudience];
        }

        spec["audiences"] = new JsonArray([.. audiences.Select(audience => (JsonNode)JsonValue.Create(audience))]);
        spec["expirationSeconds"] = seconds;
        spec.TryAdd("boundObjectRef", null);
        JsonObject metadata = asked.Ensure("metadata");
        metadata["name"] = request.Name;
        metadata["namespace"] = request.Namespace;
        metadata["uid"] = account.Uid;
        metadata["creationTimestamp"] = core.Now();
        asked["status"] = new JsonObject
        {
            ["token"] = core.Tokens.Issue(core, request.Namespace, request.Name, account.Uid, audiences, seconds),
            ["expirationTimestamp"] = core.Clock.GetUtcNow().UtcDateTime.AddSeconds(seconds).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"),
        };
        await responder.WriteObjectAsync(request with { Info = Info }, 201, asked).ConfigureAwait(false);
    }

    private static FieldError? Invalid(long seconds) => seconds switch
    {
        < Shortest => FieldError.Invalid("spec.expirationSeconds", seconds.ToString(), "may not specify a duration less than 10 minutes"),
        > Longest => FieldError.Invalid("spec.expirationSeconds", seconds.ToString(), "may not specify a duration larger than 2^32 seconds"),
        _ => null,
    };
}
