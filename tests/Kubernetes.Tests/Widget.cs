using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Kubernetes.Tests;

/// <summary>A custom kind with a status subresource, for tests.</summary>
public sealed record Widget : IKubeObject
{
    public static readonly ResourceType<Widget> Type = new(new("tests.optiinfra.io", "v1", "Widget", "widgets"), WidgetJson.Default.Widget);

    public ObjectMeta Metadata { get; init; } = new();

    public WidgetSpec? Spec { get; init; }

    public WidgetStatus? Status { get; init; }

    public static JsonObject Manifest(string ns, string name, int size) => new()
    {
        ["apiVersion"] = Type.Kind.ApiVersion,
        ["kind"] = Type.Kind.Kind,
        ["metadata"] = new JsonObject { ["namespace"] = ns, ["name"] = name },
        ["spec"] = new JsonObject { ["size"] = size },
    };

    public static JsonObject StatusManifest(string ns, string name, string phase)
    {
        JsonObject manifest = Manifest(ns, name, 0);
        manifest.Remove("spec");
        manifest["status"] = new JsonObject { ["phase"] = phase };
        return manifest;
    }

    /// <summary>Installs the kind, once per cluster, and waits until it is served.</summary>
    public static async Task InstallAsync(KubeClient client)
    {
        var definition = (JsonObject)JsonNode.Parse("""
            {
              "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
              "metadata": {"name": "widgets.tests.optiinfra.io"},
              "spec": {
                "group": "tests.optiinfra.io", "scope": "Namespaced",
                "names": {"kind": "Widget", "listKind": "WidgetList", "plural": "widgets", "singular": "widget"},
                "versions": [{
                  "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                  "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                    "spec": {"type": "object", "properties": {"size": {"type": "integer"}, "color": {"type": "string"}}},
                    "status": {"type": "object", "properties": {"phase": {"type": "string"}}}}}}
                }]
              }
            }
            """)!;
        ResourceKind kind = new("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", Namespaced: false);
        await client.ApplyAsync(kind, definition, "tests", force: true, CancellationToken.None);
        var waited = System.Diagnostics.Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await client.ListAsync(Type, null, null, CancellationToken.None);
                return;
            }
            catch (KubeApiException e) when (e.IsNotFound && waited.Elapsed < TimeSpan.FromSeconds(30))
            {
                await Task.Delay(50);
            }
        }
    }
}

public sealed record WidgetSpec(int Size, string? Color);

public sealed record WidgetStatus(string? Phase);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Widget))]
internal sealed partial class WidgetJson : JsonSerializerContext;
