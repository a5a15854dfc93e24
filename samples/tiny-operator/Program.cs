// A whole operator: every Website gets a ConfigMap with its page, and a status that says so.
//   kubectl apply -f website.yaml && dotnet run --project samples/tiny-operator
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;
using OptiInfra.Kubernetes.Runtime;

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, key) =>
{
    key.Cancel = true;
    stop.Cancel();
};

using var client = new KubeClient(KubeConfig.Load());
var websites = new Informer<Website>(client, Website.Type);
var pages = new Informer<ConfigMap>(client, KubeTypes.ConfigMaps, new() { LabelSelector = "app=website" });

using Controller<Website> controller = new Controller<Website>("website", websites, ReconcileAsync)
    .Where(Predicates.GenerationChanged)
    .Owns(pages);
await controller.RunAsync(stop.Token);

async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
{
    if (websites.Store.Get(key) is not { } site)
    {
        return ReconcileResult.Done; // deleted; the garbage collector takes the page along
    }

    JsonObject page = Manifest("v1", "ConfigMap", key, "data", new JsonObject { ["index.html"] = $"<h1>{site.Spec?.Title}</h1>" });
    page["metadata"]!["labels"] = new JsonObject { ["app"] = "website" };
    OwnerReferences.SetController(page, Website.Type.Kind, site.Metadata);
    await client.ApplyAsync(KubeTypes.ConfigMaps.Kind, page, "tiny-operator", force: true, cancellationToken);

    JsonObject status = Manifest("example.com/v1", "Website", key, "status", new JsonObject { ["page"] = key.Name });
    await client.ApplyStatusAsync(Website.Type.Kind, status, "tiny-operator", force: true, cancellationToken);
    return ReconcileResult.Done;
}

static JsonObject Manifest(string apiVersion, string kind, ObjectKey key, string field, JsonObject value) => new()
{
    ["apiVersion"] = apiVersion,
    ["kind"] = kind,
    ["metadata"] = new JsonObject { ["namespace"] = key.Namespace, ["name"] = key.Name },
    [field] = value,
};

internal sealed record Website(ObjectMeta Metadata, WebsiteSpec? Spec) : IKubeObject
{
    public static readonly ResourceType<Website> Type = new(new("example.com", "v1", "Website", "websites"), WebsiteJson.Default.Website);
}

internal sealed record WebsiteSpec(string? Title);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Website))]
internal sealed partial class WebsiteJson : JsonSerializerContext;
