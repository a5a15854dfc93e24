using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Registry;

/// <summary>
/// What is particular to one kind, as pure functions over its JSON. The server calls them in this order on a write:
/// decode against <see cref="Schema"/> → <see cref="Default"/> → <see cref="PrepareForCreate"/> or
/// <see cref="PrepareForUpdate"/> → <see cref="Validate"/> or <see cref="ValidateUpdate"/>. Metadata is the server's own
/// business, and is never looked at here except where a kind is particular about its name.
/// </summary>
internal sealed record KindRules
{
    /// <summary>The rules of a kind about which nothing particular is known: every field is kept as it comes.</summary>
    public static readonly KindRules Open = new() { Schema = StructuralSchema.Anything };

    /// <summary>Schema of the whole object; drives decoding (TypedDecoder, CustomDecoder), apply, strategic patches and OpenAPI documents.</summary>
    public required StructuralSchema Schema { get; init; }

    /// <summary>Fills what the client left out; runs on every decode (create, update, and after a patch).</summary>
    public Action<JsonObject> Default { get; init; } = static _ => { };

    /// <summary>Drops or sets what a client may not set on creation (status, for most kinds); allocation of addresses is the server's.</summary>
    public Action<JsonObject> PrepareForCreate { get; init; } = static _ => { };

    /// <summary>(new, old): restores what a client may not change (status), carries over what it may leave out.</summary>
    public Action<JsonObject, JsonObject> PrepareForUpdate { get; init; } = static (_, _) => { };

    public Func<JsonObject, IReadOnlyList<FieldError>> Validate { get; init; } = static _ => [];

    /// <summary>(new, old): everything wrong with the change, the checks of <see cref="Validate"/> included.</summary>
    public Func<JsonObject, JsonObject, IReadOnlyList<FieldError>> ValidateUpdate { get; init; } = static (_, _) => [];

    /// <summary>(new, old): what a write to the status subresource takes over from the old object: everything but the status.</summary>
    public Action<JsonObject, JsonObject> PrepareForStatusUpdate { get; init; } = KeepAllButStatus;

    /// <summary>(new, old): what a write to the status subresource has to satisfy.</summary>
    public Func<JsonObject, JsonObject, IReadOnlyList<FieldError>> ValidateStatusUpdate { get; init; } = static (_, _) => [];

    /// <summary>metadata.generation is kept and grows when anything but metadata and status changes.</summary>
    public bool HasGeneration { get; init; }

    /// <summary>A change of annotations is a change of the object (Deployments).</summary>
    public bool GenerationFollowsAnnotations { get; init; }

    /// <summary>What PrepareForCreate of the status subresource would be: the status a new object has.</summary>
    public JsonObject? InitialStatus { get; init; }

    /// <summary>PUT of a missing object creates it (Leases, Events, RBAC kinds).</summary>
    public bool CreateOnUpdate { get; init; }

    /// <summary>PUT may leave out the resourceVersion (all but custom resources and a few).</summary>
    public bool UnconditionalUpdate { get; init; } = true;

    /// <summary>DELETE answers with the object that went, instead of a Status.</summary>
    public bool DeleteReturnsObject { get; init; }

    /// <summary>Which names are allowed.</summary>
    public NameRule NameRule { get; init; } = NameRule.DnsSubdomain;

    private static void KeepAllButStatus(JsonObject wanted, JsonObject old)
    {
        JsonNode? status = wanted["status"]?.DeepClone();
        JsonNode? managed = wanted["metadata"]?["managedFields"]?.DeepClone();
        wanted.Clear();
        foreach ((string name, JsonNode? value) in old)
        {
            if (name != "status")
            {
                wanted[name] = value?.DeepClone();
            }
        }

        if (status is not null)
        {
            wanted["status"] = status;
        }

        if (managed is not null && wanted["metadata"] is JsonObject metadata)
        {
            metadata["managedFields"] = managed;
        }
    }
}

internal enum NameRule
{
    DnsSubdomain,
    DnsLabel,

    /// <summary>DNS-1035: services and namespaces of old.</summary>
    DnsLabel1035,

    /// <summary>Anything that fits into one path segment (RBAC kinds).</summary>
    PathSegment,
}
