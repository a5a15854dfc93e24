using System.Text.Json.Nodes;

namespace OptiInfra.ApiServer.Schema;

/// <summary>
/// The one schema model of the server. Custom resources get it from their definition (<see cref="SchemaReader"/>),
/// built-in kinds from the compact notation in Builtin/. Everything that looks inside an object reads it: decoding and
/// pruning, defaulting, validation, CEL types, apply's merge rules, strategic patches and the OpenAPI documents.
/// It is immutable after reading; a field's schema is its type's schema plus what the field adds, so a type may be shared.
/// </summary>
internal sealed record StructuralSchema
{
    public static readonly StructuralSchema Anything = new() { PreserveUnknown = true };

    /// <summary>object, array, string, integer, number, boolean; empty where anything goes.</summary>
    public string Type { get; init; } = "";

    public string Format { get; init; } = "";

    public string Title { get; init; } = "";

    /// <summary>Group and version of a built-in struct type, whose name is the title; empty otherwise.</summary>
    public string TypeGroup { get; init; } = "";

    public string Description { get; init; } = "";

    public bool Nullable { get; init; }

    public bool IntOrString { get; init; }

    public bool PreserveUnknown { get; init; }

    public bool EmbeddedResource { get; init; }

    /// <summary>Fields in the order in which they are printed; null where none are declared.</summary>
    public OrderedDictionary<string, StructuralSchema>? Properties { get; init; }

    /// <summary>The schema of the values of a map.</summary>
    public StructuralSchema? Values { get; init; }

    public StructuralSchema? Items { get; init; }

    /// <summary>atomic, set or map; empty means atomic.</summary>
    public string ListType { get; init; } = "";

    public IReadOnlyList<string> ListMapKeys { get; init; } = [];

    /// <summary>granular or atomic; empty means granular.</summary>
    public string MapType { get; init; } = "";

    /// <summary>True where a default is declared, even the default null.</summary>
    public bool HasDefault { get; init; }

    public JsonNode? Default { get; init; }

    public ValueRules Rules { get; init; } = ValueRules.None;

    public IReadOnlyList<CelRule> Validations { get; init; } = [];

    /// <summary>How the field is kept in the real server's typed objects; null for custom resources.</summary>
    public TypedField? Typed { get; init; }

    public bool IsAtomicMap => MapType == "atomic";

    /// <summary>Lists whose elements are merged one by one.</summary>
    public bool IsAssociativeList => ListType is "set" or "map";

    public StructuralSchema? Field(string name) =>
        Properties is not null && Properties.TryGetValue(name, out StructuralSchema? field) ? field : null;

    /// <summary>The schema of a member, declared or free; null where the member is unknown.</summary>
    public StructuralSchema? Member(string name) => Field(name) ?? Values ?? (PreserveUnknown ? Anything : null);
}

/// <summary>
/// Facts of a built-in field that JSON alone does not show. A value field is always printed when it is a struct; zero
/// values vanish with <see cref="OmitEmpty"/> unless the field is a pointer.
/// </summary>
internal sealed record TypedField
{
    /// <summary>Name of the struct type of the field's value (or of a list's or map's elements); empty for scalars.</summary>
    public string TypeName { get; init; } = "";

    /// <summary>Name of the type that holds the field; decoding errors mention it.</summary>
    public string Owner { get; init; } = "";

    public bool OmitEmpty { get; init; }

    public bool Pointer { get; init; }

    public bool OmitZero { get; init; }

    /// <summary>Protobuf field number; <see cref="InlineTag"/> counts inside an inlined message and is 0 elsewhere.</summary>
    public int Tag { get; init; }

    public int InlineTag { get; init; }

    /// <summary>Strategic merge directives: merge, replace, retainKeys; empty means replace.</summary>
    public string Patch { get; init; } = "";

    public string PatchMergeKey { get; init; } = "";

    public bool MergesList => Patch.StartsWith("merge", StringComparison.Ordinal);

    public bool RetainsKeys => Patch.Contains("retainKeys", StringComparison.Ordinal);
}

/// <summary>What a value must satisfy beyond its type; the same set may stand below allOf, anyOf, oneOf and not.</summary>
internal sealed record ValueRules
{
    public static readonly ValueRules None = new();

    public double? Minimum { get; init; }

    public double? Maximum { get; init; }

    public bool ExclusiveMinimum { get; init; }

    public bool ExclusiveMaximum { get; init; }

    public double? MultipleOf { get; init; }

    public long? MinLength { get; init; }

    public long? MaxLength { get; init; }

    public string? Pattern { get; init; }

    public long? MinItems { get; init; }

    public long? MaxItems { get; init; }

    public long? MinProperties { get; init; }

    public long? MaxProperties { get; init; }

    public IReadOnlyList<string> Required { get; init; } = [];

    public IReadOnlyList<JsonNode?>? Enum { get; init; }

    public IReadOnlyList<StructuralSchema> AllOf { get; init; } = [];

    public IReadOnlyList<StructuralSchema> AnyOf { get; init; } = [];

    public IReadOnlyList<StructuralSchema> OneOf { get; init; } = [];

    public StructuralSchema? Not { get; init; }
}

/// <summary>One entry of x-kubernetes-validations, as written.</summary>
internal sealed record CelRule(string Rule)
{
    public string Message { get; init; } = "";

    public string MessageExpression { get; init; } = "";

    public string? Reason { get; init; }

    public string FieldPath { get; init; } = "";

    public bool? OptionalOldSelf { get; init; }
}
