using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Storage;

namespace OptiInfra.ApiServer.Admission;

/// <summary>Objects are only created in namespaces that exist and are not on their way out.</summary>
internal static class NamespaceGate
{
    public static void Check(ApiCore core, ResourceInfo info, string ns, string name)
    {
        if (!info.Namespaced)
        {
            return;
        }

        StoredObject found = core.Store.Find("namespaces", ns) ?? throw ApiError.NotFound("", "namespaces", ns);
        if (!found.IsDeleting)
        {
            return;
        }

        ApiError forbidden = ApiError.Forbidden(info, name, $"unable to create new content in namespace {ns} because it is being terminated");
        forbidden.Details!["causes"] = new JsonArray(new JsonObject
        {
            ["reason"] = "NamespaceTerminating",
            ["message"] = $"namespace {ns} is being terminated",
            ["field"] = "metadata.namespace",
        });
        throw forbidden;
    }
}
