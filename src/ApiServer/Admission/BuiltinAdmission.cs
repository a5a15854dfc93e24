using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;

namespace OptiInfra.ApiServer.Admission;

/// <summary>What the server itself puts into objects of single kinds: the name label and finalizer of namespaces, the state of definitions.</summary>
internal static class BuiltinAdmission
{
    private const string NameLabel = "kubernetes.io/metadata.name";

    public static void OnCreate(ResourceInfo info, JsonObject obj)
    {
        switch (info)
        {
            case { Group: "", Kind: "Namespace" }:
                LabelName(obj);
                JsonArray finalizers = obj.Ensure("spec").Arr("finalizers") ?? [];
                if (!finalizers.Strings().Contains("kubernetes"))
                {
                    obj.Ensure("spec")["finalizers"] = new JsonArray([.. finalizers.Strings().Append("kubernetes").Select(name => (JsonNode)JsonValue.Create(name))]);
                }

                obj["status"] = new JsonObject { ["phase"] = "Active" };
                break;
            case { Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition" }:
                PrepareDefinition(obj);
                break;
            default:
                break;
        }
    }

    public static void OnUpdate(ResourceInfo info, JsonObject obj, JsonObject old, string subresource)
    {
        switch (info)
        {
            case { Group: "", Kind: "Namespace" }:
                LabelName(obj);
                if (subresource.Length == 0)
                {
                    obj["spec"] = old["spec"]?.DeepClone();
                }

                break;
            case { Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition" } when subresource.Length == 0:
                StoreVersions(obj);
                break;
            default:
                break;
        }
    }

    private static void LabelName(JsonObject obj)
    {
        JsonObject metadata = obj.Ensure("metadata");
        metadata.Ensure("labels")[NameLabel] = metadata.Str("name");
    }

    private static void PrepareDefinition(JsonObject obj)
    {
        obj["status"] = new JsonObject
        {
            ["conditions"] = null,
            ["acceptedNames"] = new JsonObject { ["plural"] = "", ["kind"] = "" },
            ["storedVersions"] = new JsonArray(),
        };
        StoreVersions(obj);
        JsonObject metadata = obj.Ensure("metadata");
        _ = metadata;
    }

    private static void StoreVersions(JsonObject obj)
    {
        JsonArray stored = obj.Ensure("status").Arr("storedVersions") ?? [];
        foreach (JsonObject version in obj.Obj("spec").Arr("versions").Objects())
        {
            if (version.Bool("storage") == true && !stored.Strings().Contains(version.Str("name")))
            {
                stored.Add((JsonNode?)JsonValue.Create(version.Str("name")));
            }
        }

        if (obj.Obj("status")!["storedVersions"] is null)
        {
            obj.Obj("status")!["storedVersions"] = stored;
        }
    }
}
