using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Discovery;

/// <summary>
/// The paths of OpenAPI documents: what can be done with a resource, and which query parameters each action takes.
/// Clients look here for fieldValidation and dryRun before they ask for them.
/// </summary>
internal static class OpenApiPaths
{
    private static readonly string[] WriteParameters = ["dryRun", "fieldManager", "fieldValidation"];
    private static readonly string[] ReadParameters = ["allowWatchBookmarks", "continue", "fieldSelector", "labelSelector", "limit", "resourceVersion", "resourceVersionMatch", "sendInitialEvents", "timeoutSeconds", "watch"];
    private static readonly string[] DeleteParameters = ["dryRun", "gracePeriodSeconds", "ignoreStoreReadErrorWithClusterBreakingPotential", "orphanDependents", "propagationPolicy"];
    private static readonly string[] Flags = ["allowWatchBookmarks", "force", "orphanDependents", "sendInitialEvents", "watch", "ignoreStoreReadErrorWithClusterBreakingPotential"];
    private static readonly string[] Numbers = ["gracePeriodSeconds", "limit", "timeoutSeconds"];
    private static readonly string[] PatchTypes = ["application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json"];

    /// <summary>Adds the paths of one resource, in the form of version 3 or version 2.</summary>
    public static void Add(JsonObject paths, ResourceInfo info, OpenApiWriter writer, bool version3)
    {
        string root = info.Group.Length == 0 ? $"/api/{info.Version}" : $"/apis/{info.Group}/{info.Version}";
        string collection = info.Namespaced ? $"{root}/namespaces/{{namespace}}/{info.Plural}" : $"{root}/{info.Plural}";
        var context = new Context(info, writer, version3);
        paths[collection] = context.Item(named: false, ("get", "list", ReadParameters), ("post", "create", WriteParameters), ("delete", "deletecollection", DeleteParameters));
        paths[collection + "/{name}"] = context.Item(named: true, ("get", "get", []), ("put", "update", WriteParameters), ("patch", "patch", [.. WriteParameters, "force"]), ("delete", "delete", DeleteParameters));
        if (info.Namespaced)
        {
            paths[$"{root}/{info.Plural}"] = context.Item(named: false, ("get", "list", ReadParameters));
        }

        foreach (Subresource sub in info.Subresources.Where(static sub => sub.Name is "status" or "scale"))
        {
            paths[$"{collection}/{{name}}/{sub.Name}"] = context.Item(named: true, ("get", "get", []), ("put", "update", WriteParameters), ("patch", "patch", [.. WriteParameters, "force"]));
        }
    }

    private sealed record Context(ResourceInfo Info, OpenApiWriter Writer, bool Version3)
    {
        public JsonObject Item(bool named, params (string Method, string Verb, string[] Parameters)[] operations)
        {
            var item = new JsonObject();
            foreach ((string method, string verb, string[] parameters) in operations.Where(operation => Info.Verbs.Contains(operation.Verb)))
            {
                item[method] = Operation(verb, parameters);
            }

            var shared = new JsonArray();
            if (named)
            {
                shared.Add((JsonNode)PathParameter("name"));
            }

            if (Info.Namespaced)
            {
                shared.Add((JsonNode)PathParameter("namespace"));
            }

            item["parameters"] = shared;
            return item;
        }

        private JsonObject Operation(string verb, string[] parameters)
        {
            var list = new JsonArray([.. parameters.Select(name => Parameter(name, "query", required: false))]);
            var operation = new JsonObject
            {
                ["tags"] = new JsonArray(Info.Group.Length == 0 ? "core_" + Info.Version : $"{Info.Group.Split('.')[0]}_{Info.Version}"),
                ["description"] = $"{verb} objects of kind {Info.Kind}",
                ["operationId"] = $"{verb}{Info.Kind}{Info.Group.Replace(".", "", StringComparison.Ordinal)}{Info.Version}",
                ["parameters"] = list,
                ["responses"] = new JsonObject { ["200"] = Response(), ["401"] = new JsonObject { ["description"] = "Unauthorized" } },
                ["x-kubernetes-action"] = verb,
                ["x-kubernetes-group-version-kind"] = OpenApiWriter.GroupVersionKind(Info.Group, Info.Version, Info.Kind),
            };
            if (verb == "patch")
            {
                string[] types = [.. PatchTypes.Where(type => !Info.IsCustom || !type.Contains("strategic", StringComparison.Ordinal))];
                if (Version3)
                {
                    operation["requestBody"] = new JsonObject { ["content"] = new JsonObject(types.Select(static type => KeyValuePair.Create<string, JsonNode?>(type, new JsonObject { ["schema"] = new JsonObject { ["type"] = "object" } }))), ["required"] = true };
                }
                else
                {
                    operation["consumes"] = new JsonArray([.. types.Select(static type => JsonValue.Create(type))]);
                }
            }

            return operation;
        }

        private JsonObject Response()
        {
            JsonObject schema = Writer.Reference(OpenApiWriter.NameOf(Info.Group, Info.Version, Info.Kind, Info.IsCustom));
            return Version3
                ? new JsonObject { ["description"] = "OK", ["content"] = new JsonObject { ["application/json"] = new JsonObject { ["schema"] = schema } } }
                : new JsonObject { ["description"] = "OK", ["schema"] = schema };
        }

        private JsonObject PathParameter(string name) => Parameter(name, "path", required: true);

        private JsonObject Parameter(string name, string where, bool required)
        {
            string type = Flags.Contains(name) ? "boolean" : Numbers.Contains(name) ? "integer" : "string";
            var parameter = new JsonObject { ["name"] = name, ["in"] = where };
            if (required)
            {
                parameter["required"] = true;
            }

            if (Version3)
            {
                parameter["schema"] = new JsonObject { ["type"] = type, ["uniqueItems"] = true };
            }
            else
            {
                parameter["type"] = type;
                parameter["uniqueItems"] = true;
            }

            return parameter;
        }
    }
}
