using System.Text.Json.Nodes;

namespace OptiInfra.ApiServer.Registry;

/// <summary>
/// Everything the server knows about one served resource: how it is addressed, what can be done with it, how it is
/// shown, and the rules of its kind. Built-in kinds are listed by hand, custom ones are made from their definition;
/// nothing behind the registry asks which of the two it has except through these fields.
/// </summary>
internal sealed record ResourceInfo
{
    public required string Group { get; init; }

    public required string Version { get; init; }

    public required string Kind { get; init; }

    public required string Plural { get; init; }

    public required bool Namespaced { get; init; }

    public string Singular { get; init; } = "";

    public string ListKind { get; init; } = "";

    public IReadOnlyList<string> ShortNames { get; init; } = [];

    public IReadOnlyList<string> Categories { get; init; } = [];

    public IReadOnlyList<string> Verbs { get; init; } = StandardVerbs;

    public IReadOnlyList<Subresource> Subresources { get; init; } = [];

    /// <summary>The columns of a Table, beyond nothing: the first is the name.</summary>
    public IReadOnlyList<TableColumn> Columns { get; init; } = [];

    /// <summary>Field selectors beyond metadata.name and metadata.namespace, as dotted paths without a leading dot.</summary>
    public IReadOnlyList<string> SelectableFields { get; init; } = [];

    public required KindRules Rules { get; init; }

    /// <summary>The definition this resource comes from; null for built-in kinds.</summary>
    public CustomVersion? Custom { get; init; }

    /// <summary>Makes this version from the stored one; null when this is the stored version. Both get a tree of their own.</summary>
    public Func<JsonObject, JsonObject>? FromStorage { get; init; }

    public Func<JsonObject, JsonObject>? ToStorage { get; init; }

    /// <summary>The version in which objects are stored.</summary>
    public string StorageVersion { get => field.Length > 0 ? field : Version; init; } = "";

    /// <summary>Where the objects are kept: all versions of a resource share a table.</summary>
    public string Table { get => field.Length > 0 ? field : GroupResource; init; } = "";

    /// <summary>What every answer about this resource warns of; null when it is not deprecated.</summary>
    public string? DeprecationWarning { get; init; }

    /// <summary>What a bookmark of this kind shows beyond its version: the fields that are never left out.</summary>
    public JsonObject BookmarkFields { get; init; } = [];

    /// <summary>How the encoded form of an object of this resource begins, up to its metadata.</summary>
    public byte[] ItemHead => field ??= System.Text.Encoding.UTF8.GetBytes($"{{\"kind\":\"{Kind}\",\"apiVersion\":\"{ApiVersion}\",");

    public bool IsCustom => Custom is not null;

    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary>How errors name the resource: <c>configmaps</c>, <c>deployments.apps</c>.</summary>
    public string GroupResource => Group.Length == 0 ? Plural : $"{Plural}.{Group}";

    /// <summary>Writes to the object itself leave its status alone.</summary>
    public bool StatusIsSeparate => !IsCustom || HasStatus;

    public bool HasStatus => Subresources.Any(sub => sub.Name == "status");

    public static readonly string[] StandardVerbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
}

/// <summary>A path below an object (status, scale, eviction, token …) and the kind it speaks.</summary>
internal sealed record Subresource(string Name, string Group, string Version, string Kind, params string[] Verbs)
{
    /// <summary>Where scale reads and writes in the object, as dotted paths with a leading dot; null for others.</summary>
    public ScalePaths? Scale { get; init; }
}

internal sealed record ScalePaths(string SpecReplicas, string StatusReplicas, string? LabelSelector);

/// <summary>One column of a Table; <see cref="Cell"/> reads its value from an object, or <see cref="JsonPath"/> names it.</summary>
internal sealed record TableColumn(string Name, string Type, string Format, string Description, int Priority)
{
    public Func<JsonObject, DateTimeOffset, JsonNode?>? Cell { get; init; }

    public string? JsonPath { get; init; }
}

/// <summary>The part of a CustomResourceDefinition that one served version stands for.</summary>
internal sealed record CustomVersion(JsonObject Definition, JsonObject Version, bool Served, bool Storage);
