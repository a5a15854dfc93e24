using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Cel;

internal enum CelKind
{
    Dyn,
    Null,
    Bool,
    Int,
    Uint,
    Double,
    String,
    Bytes,
    Timestamp,
    Duration,
    List,
    Map,
    Object,
    Type,
    Optional,
    Opaque,
    Param,
}

/// <summary>
/// A type of the expression language. Types that come from a schema also know how large their values can get at most,
/// and carry that along wherever they flow; the cost estimate lives on it.
/// </summary>
internal sealed record CelType(CelKind Kind, string Name, params CelType[] Parameters)
{
    public static readonly CelType Dyn = new(CelKind.Dyn, "dyn");
    public static readonly CelType Null = new(CelKind.Null, "null");
    public static readonly CelType Bool = new(CelKind.Bool, "bool");
    public static readonly CelType Int = new(CelKind.Int, "int");
    public static readonly CelType Uint = new(CelKind.Uint, "uint");
    public static readonly CelType Double = new(CelKind.Double, "double");
    public static readonly CelType String = new(CelKind.String, "string");
    public static readonly CelType Bytes = new(CelKind.Bytes, "bytes");
    public static readonly CelType Timestamp = new(CelKind.Timestamp, "timestamp");
    public static readonly CelType Duration = new(CelKind.Duration, "duration");
    public static readonly CelType A = new(CelKind.Param, "A");
    public static readonly CelType B = new(CelKind.Param, "B");
    public static readonly CelType Url = new(CelKind.Opaque, "kubernetes.URL");
    public static readonly CelType Quantity = new(CelKind.Opaque, "kubernetes.Quantity");
    public static readonly CelType Ip = new(CelKind.Opaque, "net.IP");
    public static readonly CelType Cidr = new(CelKind.Opaque, "net.CIDR");

    /// <summary>Most characters, items or entries a value can have; null where nothing is known.</summary>
    public ulong? MaxSize { get; init; }

    /// <summary>Fewest bytes of JSON that a value takes.</summary>
    public long MinBytes { get; init; } = 2;

    /// <summary>Fields of an object, by the names that expressions use.</summary>
    public IReadOnlyDictionary<string, CelType>? Fields { get; init; }

    public static CelType List(CelType items) => new(CelKind.List, "list", items);

    public static CelType Map(CelType keys, CelType values) => new(CelKind.Map, "map", keys, values);

    public static CelType Optional(CelType of) => new(CelKind.Optional, "optional_type", of);

    public static CelType TypeOf(CelType of) => new(CelKind.Type, "type", of);

    public bool IsScalar => Kind is CelKind.Null or CelKind.Bool or CelKind.Int or CelKind.Uint or CelKind.Double or CelKind.Timestamp or CelKind.Duration or CelKind.Type;

    public override string ToString() => Parameters.Length == 0 || Kind == CelKind.Object ? Name : $"{Name}({string.Join(", ", (object[])Parameters)})";

    public bool Equals(CelType? other) => other is not null && Kind == other.Kind && Name == other.Name && Parameters.AsSpan().SequenceEqual(other.Parameters)
        && (Kind != CelKind.Object || ReferenceEquals(Fields, other.Fields));

    public override int GetHashCode() => HashCode.Combine(Kind, Name, Parameters.Length);
}

/// <summary>The types of a schema as expressions see them.</summary>
internal static class SchemaTypes
{
    public const long MaxRequestBytes = 3 * 1024 * 1024;

    private static readonly CelType Meta = new(CelKind.Object, "object")
    {
        Fields = new Dictionary<string, CelType> { ["name"] = Text(null), ["generateName"] = Text(null) },
    };

    private static CelType Text(long? maxLength) => CelType.String with { MaxSize = (ulong)(maxLength is { } most ? Math.Max(0, most) * 4 : MaxRequestBytes - 2) };

    /// <summary>The type of a schema, or null when expressions cannot see it (preserved unknown values).</summary>
    /// <param name="schema">The schema.</param>
    /// <param name="root">It is a whole resource: apiVersion, kind and the two names can always be read.</param>
    public static CelType? Of(StructuralSchema schema, bool root = false)
    {
        if (schema.IntOrString)
        {
            return CelType.Dyn with { MaxSize = schema.Rules.MaxLength is { } most ? (ulong)most * 4 : (ulong)MaxRequestBytes - 2, MinBytes = 1 };
        }

        return schema.Type switch
        {
            "array" => schema.Items is not null && Of(schema.Items, schema.Items.EmbeddedResource) is { } items ? ListOf(schema, items) : null,
            "object" => schema.Values is not null ? MapOf(schema, schema.Values) : ObjectOf(schema, root || schema.EmbeddedResource),
            "string" => StringOf(schema),
            "boolean" => CelType.Bool with { MinBytes = 4 },
            "number" => CelType.Double with { MinBytes = 1 },
            "integer" => CelType.Int with { MinBytes = 1 },
            _ => null,
        };
    }

    private static CelType ListOf(StructuralSchema schema, CelType items) =>
        CelType.List(items) with { MaxSize = (ulong)(schema.Rules.MaxItems ?? (MaxRequestBytes - 2) / (items.MinBytes + 1)) };

    private static CelType? MapOf(StructuralSchema schema, StructuralSchema values) => Of(values, values.EmbeddedResource) is not { } type ? null
        : CelType.Map(CelType.String with { MaxSize = 0 }, type) with { MaxSize = (ulong)(schema.Rules.MaxProperties ?? (MaxRequestBytes - 2) / (type.MinBytes + 6)) };

    private static CelType ObjectOf(StructuralSchema schema, bool root)
    {
        var fields = new Dictionary<string, CelType>();
        long bytes = 2;
        foreach ((string name, StructuralSchema field) in schema.Properties ?? [])
        {
            bool isMeta = root && name == "metadata";
            if ((isMeta ? Meta : Of(field, field.EmbeddedResource)) is not { } type)
            {
                continue;
            }

            if (FieldNames.Escape(name) is { } escaped)
            {
                fields[escaped] = type;
            }

            // After a dot the words reserved for other languages are names like any other.
            if (FieldNames.IsReserved(name))
            {
                fields[name] = type;
            }

            if (schema.Rules.Required.Contains(name) && !field.HasDefault)
            {
                bytes += name.Length + type.MinBytes + 4;
            }
        }

        if (root)
        {
            fields["apiVersion"] = Text(null);
            fields["kind"] = Text(null);
            fields["metadata"] = Meta;
        }

        return new CelType(CelKind.Object, "object") { Fields = fields, MinBytes = bytes };
    }

    private static CelType StringOf(StructuralSchema schema) => schema.Format switch
    {
        "byte" => CelType.Bytes with { MaxSize = (ulong)(schema.Rules.MaxLength ?? MaxRequestBytes - 2) },
        "duration" => CelType.Duration with { MaxSize = 27, MinBytes = 4 },
        "date" => CelType.Timestamp with { MaxSize = 12, MinBytes = 12 },
        "date-time" => CelType.Timestamp with { MaxSize = 27, MinBytes = 22 },
        _ when schema.Rules.MaxLength is null && schema.Rules.Enum is { Count: > 0 } options =>
            CelType.String with { MaxSize = (ulong)options.Max(static option => (Json.AsString(option) ?? "").Length) },
        _ => Text(schema.Rules.MaxLength),
    };
}

/// <summary>How field names become identifiers: what an identifier cannot hold is spelled out between double underscores.</summary>
internal static class FieldNames
{
    private static readonly HashSet<string> Reserved =
    [
        "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let",
        "loop", "package", "namespace", "return", "var", "void", "while",
    ];

    public static bool IsReserved(string name) => Reserved.Contains(name);

    /// <summary>The identifier of a field name, or null when there is none.</summary>
    public static string? Escape(string name)
    {
        if (name.Length == 0 || char.IsAsciiDigit(name[0]) || name.Any(static c => !char.IsAsciiLetterOrDigit(c) && c is not ('_' or '-' or '.' or '/')))
        {
            return null;
        }

        return Reserved.Contains(name) ? $"__{name}__" : name
            .Replace("__", "__underscores__", StringComparison.Ordinal)
            .Replace(".", "__dot__", StringComparison.Ordinal)
            .Replace("-", "__dash__", StringComparison.Ordinal)
            .Replace("/", "__slash__", StringComparison.Ordinal);
    }
}
