using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;

namespace OptiInfra.ApiServer.Access;

/// <summary>Kinds that are questions: they are answered and never stored.</summary>
internal static class ReviewKinds
{
    public static bool Handles(ResourceInfo info) => info.Group is "authentication.k8s.io" or "authorization.k8s.io";

    public static JsonObject Answer(ApiCore core, ApiRequest request, JsonObject asked)
    {
        _ = core;
        JsonObject answer = asked.Clone();
        answer["kind"] = request.Info.Kind;
        answer["apiVersion"] = request.Info.ApiVersion;
        answer.Ensure("metadata");
        answer["status"] = new JsonObject { ["allowed"] = true };
        return answer;
    }
}
