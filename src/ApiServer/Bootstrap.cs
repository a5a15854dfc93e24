using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Storage;
using OptiInfra.ApiServer.Verbs;

namespace OptiInfra.ApiServer;

/// <summary>What a cluster has before anybody asks: its namespaces.</summary>
internal static class Bootstrap
{
    private static readonly string[] Namespaces = ["default", "kube-node-lease", "kube-public", "kube-system"];

    public static async Task RunAsync(ApiCore core, CancellationToken cancellation)
    {
        ResourceInfo info = core.Registry.Current.Find("", "v1", "namespaces")!;
        foreach (string name in Namespaces)
        {
            if (core.Store.Find(info.Table, StoredObject.KeyOf("", name)) is not null)
            {
                continue;
            }

            JsonObject ns = new()
            {
                ["kind"] = "Namespace",
                ["apiVersion"] = "v1",
                ["metadata"] = new JsonObject { ["name"] = name, ["labels"] = new JsonObject { ["kubernetes.io/metadata.name"] = name } },
                ["spec"] = new JsonObject { ["finalizers"] = new JsonArray("kubernetes") },
                ["status"] = new JsonObject { ["phase"] = "Active" },
            };
            info.Rules.Default(ns);
            await core.Writer.CreateAsync(info, "", ns, WriteOptions.Internal("kube-apiserver"), cancellation).ConfigureAwait(false);
        }

        foreach (StoredObject service in core.Store.Snapshot("services").Objects)
        {
            core.Allocator.Adopt(service.View);
        }
    }
}
