using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Storage;
using OptiInfra.ApiServer.Verbs;

namespace OptiInfra.ApiServer.Controllers;

/// <summary>What every namespace gets: the service account <c>default</c>, and the config map with the cluster's root certificate.</summary>
internal sealed class NamespaceDefaults(ApiCore core) : Controller(core)
{
    private const string RootMap = "kube-root-ca.crt";

    protected override IReadOnlyList<string> Tables => ["namespaces", "serviceaccounts", "configmaps"];

    protected override IEnumerable<(string Table, string Key)> KeysOf(string table, StoredObject obj, StoreEventType type)
    {
        if (table == "namespaces")
        {
            return [("namespaces", obj.Key)];
        }

        (string ns, string name) = StoredObject.SplitKey(obj.Key);
        bool ours = name == (table == "configmaps" ? RootMap : "default");
        return ours && type != StoreEventType.Added ? [("namespaces", ns)] : [];
    }

    protected override async Task ReconcileAsync(string table, string key, CancellationToken cancellation)
    {
        if (Core.Store.Find("namespaces", key) is not { IsDeleting: false })
        {
            return;
        }

        await EnsureAsync("serviceaccounts", key, new JsonObject { ["metadata"] = new JsonObject { ["name"] = "default" } }, cancellation).ConfigureAwait(false);
        await EnsureAsync(
            "configmaps",
            key,
            new JsonObject
            {
                ["metadata"] = new JsonObject
                {
                    ["name"] = RootMap,
                    ["annotations"] = new JsonObject
                    {
                        ["kubernetes.io/description"] = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as " +
                            "the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.",
                    },
                },
                ["data"] = new JsonObject { ["ca.crt"] = Core.CaPem },
            },
            cancellation).ConfigureAwait(false);
    }

    private async Task EnsureAsync(string plural, string ns, JsonObject wanted, CancellationToken cancellation)
    {
        ResourceInfo info = Core.Registry.Current.Find("", "v1", plural)!;
        string name = wanted.Obj("metadata").Str("name")!;
        StoredObject? known = Core.Store.Find(info.Table, StoredObject.KeyOf(ns, name));
        WriteOptions options = WriteOptions.Internal("kube-controller-manager");
        if (known is null)
        {
            Decoded decoded = Decoder.Decode(info, wanted, [], Core.Registry.Current);
            try
            {
                await Core.Writer.CreateAsync(info, ns, decoded.Object, options, cancellation).ConfigureAwait(false);
            }
            catch (ApiError e) when (e.Reason is "AlreadyExists" or "Forbidden" or "NotFound")
            {
                // Somebody was faster, or the namespace is on its way out.
            }
        }
        else if (wanted["data"] is { } data && !JsonNode.DeepEquals(known.View["data"], data))
        {
            await Core.Writer.UpdateAsync(
                info,
                ns,
                name,
                live =>
                {
                    live!["data"] = data.DeepClone();
                    live.Obj("metadata")!.Remove("resourceVersion");
                    return live;
                },
                options,
                cancellation).ConfigureAwait(false);
        }
    }
}
