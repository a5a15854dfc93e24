using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using OptiInfra.Crds.Schema;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Cli.Dev;

/// <summary>
/// Applies manifests of any kind, as <c>kubectl apply --server-side</c> does: the kind is looked up in the server's own
/// discovery, and a namespace that is not there is made.
/// </summary>
internal sealed class Manifests(KubeClient client)
{
    private const string FieldManager = "optiinfra-cli";

    private static readonly ResourceKind Definitions = new("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", Namespaced: false);

    // Our own kinds need no look-up: a server's discovery lags behind a definition that was just made.
    private readonly ConcurrentDictionary<(string ApiVersion, string Kind), ResourceKind> kinds =
        new(CrdManifest.All.Select(crd => KeyValuePair.Create((crd.Kind.ApiVersion, crd.Kind.Kind), crd.Kind)));

    /// <summary>Installs the CRDs and waits until they are served.</summary>
    public async Task InstallKindsAsync(CancellationToken stop)
    {
        foreach (CrdManifest crd in CrdManifest.All)
        {
            await client.ApplyAsync(Definitions, crd.ToJson(), FieldManager, force: true, stop);
        }

        foreach (ResourceKind kind in CrdManifest.All.Select(crd => crd.Kind))
        {
            while (!await IsServedAsync(kind, stop))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, stop);
            }
        }
    }

    public async Task<JsonObject> ApplyAsync(JsonObject manifest, CancellationToken stop)
    {
        ResourceKind kind = await FindAsync((string?)manifest["apiVersion"] ?? "", (string?)manifest["kind"] ?? "", stop);
        if (kind.Namespaced)
        {
            JsonObject metadata = manifest["metadata"]!.AsObject();
            metadata["namespace"] ??= "default";
            await EnsureNamespaceAsync((string)metadata["namespace"]!, stop);
        }

        return await client.ApplyAsync(kind, manifest, FieldManager, force: true, stop);
    }

    public async Task DeleteAsync(JsonObject manifest, CancellationToken stop)
    {
        ResourceKind kind = await FindAsync((string?)manifest["apiVersion"] ?? "", (string?)manifest["kind"] ?? "", stop);
        await client.DeleteAsync(kind, new ObjectKey(kind.Namespaced ? (string?)manifest["metadata"]!["namespace"] ?? "default" : "", (string)manifest["metadata"]!["name"]!), null, stop);
    }

    private async Task EnsureNamespaceAsync(string name, CancellationToken stop)
    {
        if (await client.FindAsync(KubeTypes.Namespaces, new ObjectKey("", name), stop) is null)
        {
            JsonObject manifest = new() { ["apiVersion"] = "v1", ["kind"] = "Namespace", ["metadata"] = new JsonObject { ["name"] = name } };
            await client.ApplyAsync(KubeTypes.Namespaces.Kind, manifest, FieldManager, force: true, stop);
        }
    }

    private async Task<ResourceKind> FindAsync(string apiVersion, string kind, CancellationToken stop)
    {
        if (kinds.TryGetValue((apiVersion, kind), out ResourceKind? known))
        {
            return known;
        }

        string[] parts = apiVersion.Split('/');
        (string group, string version) = parts.Length == 2 ? (parts[0], parts[1]) : ("", apiVersion);
        string path = group.Length == 0 ? $"/api/{version}" : $"/apis/{group}/{version}";
        JsonNode? found = JsonNode.Parse(await client.GetTextAsync(path, stop))?["resources"]?.AsArray()
            .FirstOrDefault(resource => (string?)resource!["kind"] == kind && !((string)resource["name"]!).Contains('/', StringComparison.Ordinal));
        if (found is null)
        {
            throw new JsonException($"the server has no kind {kind} in {apiVersion}");
        }

        return kinds[(apiVersion, kind)] = new ResourceKind(group, version, kind, (string)found["name"]!, (bool)found["namespaced"]!);
    }

    private async Task<bool> IsServedAsync(ResourceKind kind, CancellationToken stop)
    {
        try
        {
            await client.ListAsync(DynamicObject.Type(kind), null, new ListOptions { Limit = 1 }, stop);
            return true;
        }
        catch (KubeApiException notYet) when (notYet.IsNotFound)
        {
            return false;
        }
    }
}
