using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;

namespace OptiInfra.ApiServer.Discovery;

/// <summary>Serves the OpenAPI documents: version 3 per group and version, version 2 as one document.</summary>
internal sealed class OpenApiDocuments(ApiCore core)
{
    public Task WriteAsync(HttpContext http, string[] parts, ResourceRegistry.Picture served)
    {
        _ = core;
        if (parts is ["openapi", "v3"])
        {
            JsonObject paths = [];
            foreach (string path in served.All.Select(info => info.Group.Length == 0 ? $"api/{info.Version}" : $"apis/{info.ApiVersion}").Distinct())
            {
                paths[path] = new JsonObject { ["serverRelativeURL"] = $"/openapi/v3/{path}?hash={served.Serial:X16}" };
            }

            return Responder.WriteBytesAsync(http, 200, JsonBytes.Write(new JsonObject { ["paths"] = paths }), "text/plain; charset=utf-8");
        }

        return Responder.WriteTextAsync(http, 404, "404 page not found\n");
    }
}
