using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Crds.Schema;

/// <summary>A column of <c>kubectl get</c>.</summary>
public sealed record PrinterColumn(string Name, string Type, string Path, bool Wide = false, string? Description = null);

/// <summary>One of our kinds with all that its CustomResourceDefinition says.</summary>
public sealed record CrdManifest
{
    public required ResourceKind Kind { get; init; }

    public required string ShortName { get; init; }

    /// <summary>The whole object: metadata is the API server's, spec and status are ours.</summary>
    public required SchemaNode Schema { get; init; }

    public required IReadOnlyList<PrinterColumn> Columns { get; init; }

    /// <summary>Fields that <c>--field-selector</c> and watches may choose by.</summary>
    public IReadOnlyList<string> SelectableFields { get; init; } = [];

    public string Name => $"{Kind.Plural}.{Kind.Group}";

    /// <summary>All kinds, in reading order.</summary>
    public static IReadOnlyList<CrdManifest> All { get; } =
    [
        new()
        {
            Kind = OptiResources.Agents.Kind,
            ShortName = "oa",
            Schema = Read(OptiResources.Agents.Json),
            SelectableFields = [".spec.role", ".spec.dialect"],
            Columns =
            [
                new("Role", "string", ".spec.role"),
                new("Targets", "string", ".status.summary", Description: "Targets up, of all."),
                Ready,
                new("Reason", "string", """.status.conditions[?(@.type=="Ready")].reason"""),
                new("Stack", "string", ".status.stack", Wide: true),
                new("Error", "string", ".status.lastError", Wide: true),
                Age,
            ],
        },
        new()
        {
            Kind = OptiResources.Policies.Kind,
            ShortName = "ap",
            Schema = Read(OptiResources.Policies.Json),
            Columns =
            [
                new("Rules", "string", ".status.summary", Description: "Rules loaded and alerts firing."),
                new("Agents", "integer", ".status.agents"),
                Ready,
                new("Reason", "string", """.status.conditions[?(@.type=="Ready")].reason"""),
                new("Stack", "string", ".status.stack", Wide: true),
                new("Error", "string", ".status.lastError", Wide: true),
                Age,
            ],
        },
        new()
        {
            Kind = OptiResources.Stacks.Kind,
            ShortName = "ms",
            Schema = Read(OptiResources.Stacks.Json),
            SelectableFields = [".spec.mode"],
            Columns =
            [
                new("Mode", "string", ".spec.mode"),
                new("Agents", "integer", ".status.agents"),
                new("Policies", "integer", ".status.policies"),
                new("Targets", "string", ".status.summary", Description: "Targets up, of all."),
                Ready,
                new("Reason", "string", """.status.conditions[?(@.type=="Ready")].reason"""),
                new("Prometheus", "string", ".status.prometheusVersion", Wide: true),
                new("Error", "string", ".status.lastError", Wide: true),
                Age,
            ],
        },
    ];

    private static PrinterColumn Ready => new("Ready", "string", """.status.conditions[?(@.type=="Ready")].status""");

    private static PrinterColumn Age => new("Age", "date", ".metadata.creationTimestamp");

    /// <summary>The manifest as the API server takes it.</summary>
    public JsonObject ToJson() => new()
    {
        ["apiVersion"] = "apiextensions.k8s.io/v1",
        ["kind"] = "CustomResourceDefinition",
        ["metadata"] = new JsonObject
        {
            ["name"] = Name,
            ["labels"] = new JsonObject { ["app.kubernetes.io/name"] = "optiinfra" },
        },
        ["spec"] = new JsonObject
        {
            ["group"] = Kind.Group,
            ["names"] = new JsonObject
            {
                ["kind"] = Kind.Kind,
                ["listKind"] = Kind.Kind + "List",
                ["plural"] = Kind.Plural,
                ["singular"] = Kind.Kind.ToLowerInvariant(),
                ["shortNames"] = new JsonArray(ShortName),
                ["categories"] = new JsonArray("optiinfra"),
            },
            ["scope"] = Kind.Namespaced ? "Namespaced" : "Cluster",
            ["versions"] = new JsonArray(VersionJson()),
        },
    };

    public string ToYaml() => YamlWriter.Write(ToJson());

    private JsonObject VersionJson()
    {
        var version = new JsonObject
        {
            ["name"] = Kind.Version,
            ["served"] = true,
            ["storage"] = true,
            ["additionalPrinterColumns"] = new JsonArray([.. Columns.Select(Column)]),
        };
        if (SelectableFields.Count > 0)
        {
            version["selectableFields"] = new JsonArray([.. SelectableFields.Select(path => new JsonObject { ["jsonPath"] = path })]);
        }

        version["subresources"] = new JsonObject { ["status"] = new JsonObject() };
        version["schema"] = new JsonObject { ["openAPIV3Schema"] = RootJson() };
        return version;
    }

    private JsonObject RootJson()
    {
        JsonObject root = Schema.ToJson();
        root["required"] = new JsonArray("spec");
        var properties = new JsonObject
        {
            ["apiVersion"] = new JsonObject { ["type"] = "string" },
            ["kind"] = new JsonObject { ["type"] = "string" },
            // The name becomes a label value and part of keys and object names.
            ["metadata"] = new JsonObject
            {
                ["type"] = "object",
                ["properties"] = new JsonObject
                {
                    ["name"] = new JsonObject { ["type"] = "string", ["maxLength"] = 63, ["pattern"] = Patterns.DnsLabel },
                },
            },
        };
        foreach (string part in (string[])["spec", "status"])
        {
            properties[part] = root["properties"]![part]!.DeepClone();
        }

        root["properties"] = properties;
        return root;
    }

    private static JsonObject Column(PrinterColumn column)
    {
        var json = new JsonObject { ["name"] = column.Name, ["type"] = column.Type };
        if (column.Description is not null)
        {
            json["description"] = column.Description;
        }

        json["jsonPath"] = column.Path;
        if (column.Wide)
        {
            json["priority"] = 1;
        }

        return json;
    }

    private static SchemaNode Read(JsonTypeInfo type) => SchemaReader.Read(type);
}
