using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Discovery;

/// <summary>
/// Serves the OpenAPI documents: version 3 per group and version, version 2 as one document. They are made from the same
/// schemas that decode and validate objects, when they are first asked for, and kept until what is served changes.
/// </summary>
internal sealed class OpenApiDocuments
{
    private readonly ConcurrentDictionary<(long Serial, string Path), byte[]> made = new();

    public Task WriteAsync(HttpContext http, string[] parts, ResourceRegistry.Picture served)
    {
        if (parts is ["openapi", "v2"])
        {
            return Responder.WriteBytesAsync(http, 200, Make(served, "v2", static picture => Version2(picture)), "application/json");
        }

        if (parts is ["openapi", "v3"])
        {
            return Responder.WriteBytesAsync(http, 200, Index(served), "text/plain; charset=utf-8");
        }

        string path = string.Join('/', parts.Skip(2));
        ResourceInfo[] resources = [.. served.All.Where(info => PathOf(info) == path)];
        bool isGroup = parts is [_, _, "apis", _] && served.ServesGroup(parts[3]) && !served.IsCustomGroup(parts[3]);
        return resources.Length > 0 || isGroup
            ? Responder.WriteBytesAsync(http, 200, Make(served, path, _ => Version3(resources)), "application/json")
            : NothingAsync(http);
    }

    /// <summary>A document that is not there is answered without a word.</summary>
    private static Task NothingAsync(HttpContext http)
    {
        http.Response.StatusCode = 404;
        return Task.CompletedTask;
    }

    private static string PathOf(ResourceInfo info) => info.Group.Length == 0 ? $"api/{info.Version}" : $"apis/{info.ApiVersion}";

    private static byte[] Index(ResourceRegistry.Picture served)
    {
        IEnumerable<string> groups = served.All.Where(static info => info.Group.Length > 0 && !info.IsCustom).Select(static info => "apis/" + info.Group);
        JsonObject paths = [];
        foreach (string path in served.All.Select(PathOf).Concat(groups).Distinct().Order(StringComparer.Ordinal))
        {
            paths[path] = new JsonObject { ["serverRelativeURL"] = $"/openapi/v3/{path}?hash={served.Serial:X16}" };
        }

        return JsonBytes.Write(new JsonObject { ["paths"] = paths });
    }

    private byte[] Make(ResourceRegistry.Picture served, string path, Func<ResourceRegistry.Picture, JsonObject> make)
    {
        foreach ((long serial, string stale) in made.Keys.Where(key => key.Serial < served.Serial))
        {
            made.TryRemove((serial, stale), out _);
        }

        return made.GetOrAdd((served.Serial, path), static (_, wanted) => JsonBytes.Write(wanted.make(wanted.served)), (make, served));
    }

    private static JsonObject Version3(IReadOnlyList<ResourceInfo> resources)
    {
        var writer = new OpenApiWriter(OpenApiWriter.Version3);
        JsonObject paths = [];
        foreach (ResourceInfo info in resources)
        {
            writer.AddKind(info.Group, info.Version, info.Kind, info.ListKind, info.Rules.Schema, info.IsCustom);
            OpenApiPaths.Add(paths, info, writer, version3: true);
        }

        bool custom = resources.Any(static info => info.IsCustom);
        return new JsonObject
        {
            ["openapi"] = "3.0.0",
            ["info"] = custom ? new JsonObject { ["title"] = "Kubernetes CRD Swagger", ["version"] = "v0.1.0" } : new JsonObject { ["title"] = "Kubernetes", ["version"] = "v1.36.2" },
            ["paths"] = paths,
            ["components"] = new JsonObject { ["schemas"] = writer.Components },
        };
    }

    private static JsonObject Version2(ResourceRegistry.Picture served)
    {
        var writer = new OpenApiWriter(OpenApiWriter.Version2);
        JsonObject paths = [];
        foreach (ResourceInfo info in served.All)
        {
            writer.AddKind(info.Group, info.Version, info.Kind, info.ListKind, info.Rules.Schema, info.IsCustom);
            OpenApiPaths.Add(paths, info, writer, version3: false);
        }

        return new JsonObject
        {
            ["swagger"] = "2.0",
            ["info"] = new JsonObject { ["title"] = "Kubernetes", ["version"] = "v1.36.2" },
            ["paths"] = paths,
            ["definitions"] = writer.Components,
        };
    }
}
