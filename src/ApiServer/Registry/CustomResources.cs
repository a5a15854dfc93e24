using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Builtin;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Registry;

/// <summary>Makes the resources of a CustomResourceDefinition: one for every served version.</summary>
internal static class CustomResources
{
    private static readonly string[] Change = ["get", "patch", "update"];

    public static IEnumerable<ResourceInfo> Of(JsonObject definition)
    {
        JsonObject spec = definition.Obj("spec") ?? [];
        JsonObject[] versions = [.. spec.Arr("versions").Objects()];
        JsonObject storage = versions.First(version => version.Bool("storage") == true);
        StructuralSchema storageSchema = SchemaOf(storage);
        return versions.Where(version => version.Bool("served") == true).Select(version => Of(definition, spec, version, storage, storageSchema));
    }

    private static ResourceInfo Of(JsonObject definition, JsonObject spec, JsonObject version, JsonObject storage, StructuralSchema storageSchema)
    {
        // What was accepted counts, not what is asked for.
        JsonObject names = definition.Obj("status").Obj("acceptedNames") ?? spec.Obj("names") ?? [];
        string group = spec.Str("group")!;
        string name = version.Str("name")!;
        string storageName = storage.Str("name")!;
        JsonObject? subresources = version.Obj("subresources");
        bool hasStatus = subresources?.ContainsKey("status") == true;
        StructuralSchema schema = SchemaOf(version);
        StructuralSchema bare = WithoutDefaults(schema);
        ResourceInfo info = new()
        {
            Group = group,
            Version = name,
            Kind = names.Str("kind")!,
            ListKind = names.Str("listKind") ?? names.Str("kind") + "List",
            Plural = names.Str("plural")!,
            Singular = names.Str("singular") ?? "",
            ShortNames = [.. names.Arr("shortNames").Strings()],
            Categories = [.. names.Arr("categories").Strings()],
            Namespaced = spec.Str("scope") != "Cluster",
            StorageVersion = storageName,
            Subresources = [.. SubresourcesOf(subresources, group, name, names.Str("kind")!)],
            DeprecationWarning = version.Bool("deprecated") == true
                ? version.Str("deprecationWarning") ?? $"{group}/{name} {names.Str("kind")} is deprecated"
                : null,
            Columns = Tables.CustomColumns.Of(version),
            SelectableFields = [.. version.Arr("selectableFields").Objects().Select(field => (field.Str("jsonPath") ?? "").TrimStart('.'))],
            Custom = new CustomVersion(definition, version, true, version.Bool("storage") == true),
            Rules = CustomRules.Of(schema, hasStatus, subresources.Obj("scale")),
        };
        return name == storageName ? info : info with
        {
            FromStorage = obj => CustomDecoder.Decode(bare, BuiltinSchemas.ObjectMeta, WithVersion(obj, info.ApiVersion)).Object,
            ToStorage = obj => CustomDecoder.Decode(storageSchema, BuiltinSchemas.ObjectMeta, WithVersion(obj, $"{group}/{storageName}")).Object,
        };
    }

    private static IEnumerable<Subresource> SubresourcesOf(JsonObject? declared, string group, string version, string kind)
    {
        if (declared?.ContainsKey("status") == true)
        {
            yield return new Subresource("status", group, version, kind, Change);
        }

        if (declared.Obj("scale") is { } scale)
        {
            yield return new Subresource("scale", "autoscaling", "v1", "Scale", Change)
            {
                Scale = new ScalePaths(scale.Str("specReplicasPath") ?? "", scale.Str("statusReplicasPath") ?? "", scale.Str("labelSelectorPath")),
            };
        }
    }

    private static StructuralSchema SchemaOf(JsonObject version) =>
        SchemaReader.ReadRoot(version.Obj("schema").Obj("openAPIV3Schema") ?? [], BuiltinSchemas.ObjectMeta);

    /// <summary>Reading an object in another version drops what that version does not know, and fills nothing in.</summary>
    private static StructuralSchema WithoutDefaults(StructuralSchema schema) => schema with
    {
        HasDefault = false,
        Default = null,
        Properties = schema.Properties is null ? null : Bare(schema.Properties),
        Items = schema.Items is null ? null : WithoutDefaults(schema.Items),
        Values = schema.Values is null ? null : WithoutDefaults(schema.Values),
    };

    private static OrderedDictionary<string, StructuralSchema> Bare(OrderedDictionary<string, StructuralSchema> properties)
    {
        OrderedDictionary<string, StructuralSchema> bare = [];
        foreach ((string name, StructuralSchema field) in properties)
        {
            bare[name] = name == "metadata" ? field : WithoutDefaults(field);
        }

        return bare;
    }

    private static JsonObject WithVersion(JsonObject obj, string apiVersion)
    {
        obj["apiVersion"] = apiVersion;
        return obj;
    }
}
