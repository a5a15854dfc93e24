using System.Globalization;
using System.Text.Json.Nodes;

namespace OptiInfra.ApiServer.Schema;

/// <summary>A decoded object, and what was odd about the text it came from.</summary>
internal sealed record DecodedObject
{
    public JsonObject Object { get; init; } = [];

    /// <summary>Why it cannot be decoded at all, in the real server's words; null when it can.</summary>
    public string? Error { get; init; }

    /// <summary>Paths of fields the schema does not know, in the order in which the real server reports them; they are gone from the object.</summary>
    public IReadOnlyList<string> UnknownFields { get; init; } = [];
}

/// <summary>
/// Brings the JSON of a built-in kind into the form that the real server's typed objects would print: known fields only,
/// in declared order, empty values left out where the type leaves them out and filled in where it prints them anyway,
/// quantities and times in canonical form. The same object always comes out the same, so a no-op write is seen as one.
/// </summary>
internal sealed class TypedDecoder
{
    private readonly List<string> unknown = [];

    public static DecodedObject Decode(StructuralSchema schema, JsonObject body, string pathPrefix = "")
    {
        var decoder = new TypedDecoder();
        try
        {
            JsonNode? decoded = decoder.Struct(schema, body, new Place("", schema.Title, pathPrefix));
            return new DecodedObject { Object = decoded!.AsObject(), UnknownFields = decoder.unknown };
        }
        catch (DecodeException error)
        {
            return new DecodedObject { Error = error.Message, UnknownFields = decoder.unknown };
        }
    }

    /// <summary>What an object of the kind holds before anybody set anything.</summary>
    public static JsonObject Zero(StructuralSchema schema) => Decode(schema, []).Object;

    /// <summary>Where a value stands: path without indices and owner for messages, path with indices for unknown fields.</summary>
    private readonly record struct Place(string Fields, string Owner, string Path)
    {
        public Place Field(string name, string owner) => new(Fields.Length == 0 ? name : Fields + "." + name, owner, Path.Length == 0 ? name : Path + "." + name);

        public Place Item(int index) => this with { Path = $"{Path}[{index}]" };

        public Place Member(string name) => this with { Path = Path + "." + name };
    }

    private JsonNode? Value(StructuralSchema schema, JsonNode? value, Place place)
    {
        if (value is null)
        {
            return null;
        }

        if (schema.Properties is not null)
        {
            return Struct(schema, value, place);
        }

        if (schema.Format == JsonSchemaProps.Format)
        {
            return JsonSchemaProps.Normalize(value, place.Path, unknown);
        }

        return schema.Type switch
        {
            "object" when schema.Values is not null => Map(schema, value, place),
            "array" => List(schema, value, place),
            _ => Scalar(schema, value, place),
        };
    }

    private JsonObject Struct(StructuralSchema schema, JsonNode value, Place place)
    {
        if (value is not JsonObject members)
        {
            throw Mismatch(value, place, "v1." + schema.Title);
        }

        var decoded = new Dictionary<string, JsonNode?>();
        foreach ((string name, JsonNode? member) in members)
        {
            if (schema.Field(name) is { } field)
            {
                decoded[name] = Value(field, member, place.Field(name, schema.Title));
            }
            else if (place.Path.Length > 0 || name is not ("apiVersion" or "kind"))
            {
                unknown.Add(place.Path.Length == 0 ? name : place.Path + "." + name);
            }
        }

        var printed = new JsonObject();
        foreach ((string name, StructuralSchema field) in schema.Properties!)
        {
            decoded.TryGetValue(name, out JsonNode? member);
            if (Print(field, member, out JsonNode? shown))
            {
                printed[name] = shown;
            }
        }

        return printed;
    }

    /// <summary>Whether the typed object prints the field, and what.</summary>
    private static bool Print(StructuralSchema field, JsonNode? value, out JsonNode? shown)
    {
        shown = value;
        TypedField typed = field.Typed ?? new TypedField { OmitEmpty = true };
        if (typed.Pointer)
        {
            return value is not null || !typed.OmitEmpty;
        }

        if (value is null)
        {
            shown = ZeroValue(field);
            return !typed.OmitZero && (!typed.OmitEmpty || IsStruct(field));
        }

        return !typed.OmitEmpty || IsStruct(field) || !IsEmpty(value);
    }

    // Times, quantities and int-or-strings are structs to the real server, so omitting empty values does not reach them.
    private static bool IsStruct(StructuralSchema field) =>
        field.Properties is not null || field.IntOrString || field.Format is "date-time" or "micro-time" or "quantity";

    private static JsonNode? ZeroValue(StructuralSchema field) => field switch
    {
        { Properties: not null } => new TypedDecoder().Struct(field, new JsonObject(), new Place("", "", "")),
        { IntOrString: true } => JsonValue.Create(0),
        { Format: "quantity" } => JsonValue.Create("0"),
        { Format: "date-time" or "micro-time" } => null,
        { Format: "byte" } => null,
        { Type: "string" } => JsonValue.Create(""),
        { Type: "integer" or "number" } => JsonValue.Create(0),
        { Type: "boolean" } => JsonValue.Create(false),
        _ => null,
    };

    private static bool IsEmpty(JsonNode value) => value switch
    {
        JsonObject members => members.Count == 0,
        JsonArray items => items.Count == 0,
        _ when Json.IsString(value) => value.GetValue<string>().Length == 0,
        _ when Json.IsBoolean(value) => !value.GetValue<bool>(),
        _ => Json.ToDouble(value) == 0,
    };

    private JsonObject Map(StructuralSchema schema, JsonNode value, Place place)
    {
        if (value is not JsonObject members)
        {
            throw Mismatch(value, place, "map[string]" + GoName(schema.Values!));
        }

        var map = new JsonObject();
        foreach ((string name, JsonNode? member) in members.OrderBy(static m => m.Key, StringComparer.Ordinal))
        {
            map[name] = Value(schema.Values!, member, place.Member(name)) ?? ZeroValue(schema.Values!);
        }

        return map;
    }

    private JsonArray List(StructuralSchema schema, JsonNode value, Place place)
    {
        if (value is not JsonArray items)
        {
            throw Mismatch(value, place, "[]" + GoName(schema.Items!));
        }

        var list = new JsonArray();
        for (int i = 0; i < items.Count; i++)
        {
            list.Add(Value(schema.Items!, items[i], place.Item(i)) ?? ZeroValue(schema.Items!));
        }

        return list;
    }

    private static JsonNode Scalar(StructuralSchema schema, JsonNode value, Place place)
    {
        if (schema.IntOrString)
        {
            return Json.IsString(value) || Json.TryInteger(value, out _) ? value.DeepClone() : throw Mismatch(value, place, "int32");
        }

        return (schema.Type, schema.Format) switch
        {
            ("string", "quantity") => CanonicalQuantity(value),
            ("string", "date-time") => Time(value, place, "yyyy-MM-dd'T'HH:mm:ss'Z'", "2006-01-02T15:04:05Z07:00"),
            ("string", "micro-time") => Time(value, place, "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", "2006-01-02T15:04:05.000000Z07:00"),
            ("string", "byte") => Bytes(value, place),
            ("string", _) => Json.IsString(value) ? value.DeepClone() : throw Mismatch(value, place, "string"),
            ("boolean", _) => Json.IsBoolean(value) ? value.DeepClone() : throw Mismatch(value, place, "bool"),
            ("integer", _) => Integer(schema, value, place),
            ("number", _) => Json.IsNumber(value) ? value.DeepClone() : throw Mismatch(value, place, "float64"),
            _ => value.DeepClone(),
        };
    }

    private static JsonNode Integer(StructuralSchema schema, JsonNode value, Place place)
    {
        string type = schema.Format.Length > 0 ? schema.Format : "int64";
        if (!Json.IsNumber(value))
        {
            throw Mismatch(value, place, type);
        }

        bool fits = Json.TryInteger(value, out long whole) && (type != "int32" || whole is >= int.MinValue and <= int.MaxValue);
        return fits ? value.DeepClone() : throw new DecodeException($"json: cannot unmarshal number {Json.FormatNumber(value)} into Go struct field {place.Owner}.{place.Fields} of type {type}");
    }

    private static JsonValue CanonicalQuantity(JsonNode value) =>
        Quantity.TryParse(Json.AsString(value) ?? (Json.IsNumber(value) ? Json.FormatNumber(value) : ""), out Quantity quantity)
            ? JsonValue.Create(quantity.ToString())
            : throw new DecodeException(Quantity.SyntaxError);

    private static JsonValue Time(JsonNode value, Place place, string format, string layout)
    {
        string text = Json.AsString(value) ?? throw Mismatch(value, place, "string");
        int point = text.IndexOf('.', StringComparison.Ordinal);
        if (format.Contains('f') && Formats.TryDateTime(text, out _) && (point < 0 || text.AsSpan(point + 1).IndexOfAnyExceptInRange('0', '9') != 6))
        {
            string rest = text[(point < 0 ? text.IndexOfAny(['Z', '+', '-'], 19) : point)..];
            throw new DecodeException($"parsing time \"{text}\" as \"{layout}\": cannot parse \"{rest}\" as \".000000\"");
        }

        return Formats.TryDateTime(text, out DateTimeOffset time)
            ? JsonValue.Create(time.UtcDateTime.ToString(format, CultureInfo.InvariantCulture))
            : throw new DecodeException($"parsing time \"{text}\" as \"{layout}\": cannot parse \"{text}\" as \"2006\"");
    }

    private static JsonValue Bytes(JsonNode value, Place place)
    {
        string text = Json.AsString(value) ?? throw Mismatch(value, place, "[]uint8");
        int bad = Formats.FirstBadBase64(text);
        return bad < 0 ? JsonValue.Create(text) : throw new DecodeException($"illegal base64 data at input byte {bad}");
    }

    private static string GoName(StructuralSchema schema) => schema switch
    {
        { Properties: not null } => "v1." + schema.Title,
        { Type: "array", Items: { } items } => "[]" + GoName(items),
        { Type: "object", Values: { } values } => "map[string]" + GoName(values),
        { IntOrString: true } => "intstr.IntOrString",
        { Format: "byte" } => "[]uint8",
        { Format: "quantity" } => "resource.Quantity",
        { Type: "integer" } => schema.Format,
        { Type: "boolean" } => "bool",
        _ => "string",
    };

    private static DecodeException Mismatch(JsonNode value, Place place, string type)
    {
        string found = value switch
        {
            JsonObject => "object",
            JsonArray => "array",
            _ when Json.IsString(value) => "string",
            _ when Json.IsBoolean(value) => "bool",
            _ => "number",
        };
        string where = place.Fields.Length == 0 ? "Go value" : $"Go struct field {place.Owner}.{place.Fields}";
        return new DecodeException($"json: cannot unmarshal {found} into {where} of type {type}");
    }

    private sealed class DecodeException(string message) : Exception(message);
}
