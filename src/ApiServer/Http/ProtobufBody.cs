using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Builtin;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Http;

/// <summary>
/// Reads the protobuf bodies that kubectl sends for its create commands: an envelope that names the kind, and the kind's
/// message. The field numbers are those of the kind's schema, so every built-in kind can be read; the result is the same
/// JSON that another client would have sent.
/// </summary>
internal static class ProtobufBody
{
    private static ReadOnlySpan<byte> Magic => "k8s\0"u8;

    private enum Wire
    {
        Varint = 0,
        Fixed64 = 1,
        Bytes = 2,
        Fixed32 = 5,
    }

    public static JsonObject Decode(byte[] body, ResourceInfo info)
    {
        if (!body.AsSpan().StartsWith(Magic))
        {
            throw ApiError.BadRequest("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
        }

        string apiVersion = "";
        string kind = "";
        ReadOnlyMemory<byte> raw = default;
        foreach ((int tag, _, _, ReadOnlyMemory<byte> bytes) in Fields(body.AsMemory(Magic.Length)))
        {
            if (tag == 1)
            {
                foreach ((int metaTag, _, _, ReadOnlyMemory<byte> text) in Fields(bytes))
                {
                    (apiVersion, kind) = metaTag == 1 ? (Text(text), kind) : (apiVersion, Text(text));
                }
            }
            else if (tag == 2)
            {
                raw = bytes;
            }
        }

        StructuralSchema schema = BuiltinSchemas.Find(apiVersion.Length == 0 ? info.ApiVersion : apiVersion, kind.Length == 0 ? info.Kind : kind)
            ?? throw ApiError.BadRequest($"no kind \"{kind}\" is registered for version \"{apiVersion}\"");
        JsonObject decoded = new() { ["kind"] = kind, ["apiVersion"] = apiVersion };
        Message(schema, raw, decoded);
        return decoded;
    }

    public static JsonObject DeleteOptions(byte[] body) => Decode(body, OptionsInfo);

    private static readonly ResourceInfo OptionsInfo = new()
    {
        Group = "meta",
        Version = "v1",
        Kind = "DeleteOptions",
        Plural = "deleteoptions",
        Namespaced = false,
        Rules = KindRules.Open,
    };

    private static void Message(StructuralSchema schema, ReadOnlyMemory<byte> data, JsonObject target)
    {
        foreach ((int tag, Wire wire, ulong number, ReadOnlyMemory<byte> bytes) in Fields(data))
        {
            foreach ((string name, StructuralSchema field) in schema.Properties!)
            {
                if (field.Typed?.Tag != tag)
                {
                    continue;
                }

                if (field.Typed.InlineTag == 0)
                {
                    Put(target, name, field, wire, number, bytes);
                    break;
                }

                // An inlined message: its fields are members of this object.
                foreach ((int innerTag, Wire innerWire, ulong innerNumber, ReadOnlyMemory<byte> innerBytes) in Fields(bytes))
                {
                    if (innerTag == field.Typed.InlineTag)
                    {
                        Put(target, name, field, innerWire, innerNumber, innerBytes);
                    }
                }
            }
        }
    }

    private static void Put(JsonObject target, string name, StructuralSchema field, Wire wire, ulong number, ReadOnlyMemory<byte> bytes)
    {
        if (field.Type == "array")
        {
            JsonArray list = target.Arr(name) ?? [];
            list.Add(Value(field.Items!, wire, number, bytes));
            if (target[name] is null)
            {
                target[name] = list;
            }
        }
        else if (field.Values is { } values)
        {
            JsonObject map = target.Ensure(name);
            string key = "";
            JsonNode? value = null;
            foreach ((int tag, Wire entryWire, ulong entryNumber, ReadOnlyMemory<byte> entry) in Fields(bytes))
            {
                (key, value) = tag == 1 ? (Text(entry), value) : (key, Value(values, entryWire, entryNumber, entry));
            }

            map[key] = value ?? (values.Type == "string" ? "" : null);
        }
        else
        {
            target[name] = Value(field, wire, number, bytes);
        }
    }

    private static JsonNode? Value(StructuralSchema schema, Wire wire, ulong number, ReadOnlyMemory<byte> bytes)
    {
        if (schema.Properties is not null)
        {
            JsonObject made = [];
            Message(schema, bytes, made);
            return made;
        }

        if (schema.IntOrString)
        {
            Dictionary<int, (ulong Number, ReadOnlyMemory<byte> Bytes)> parts = Parts(bytes);
            return parts.GetValueOrDefault(1).Number == 1 ? Text(parts.GetValueOrDefault(3).Bytes) : (long)(int)parts.GetValueOrDefault(2).Number;
        }

        return (schema.Type, schema.Format) switch
        {
            ("string", "date-time" or "micro-time") => Time(bytes, schema.Format),
            ("string", "quantity") => Text(Parts(bytes).GetValueOrDefault(1).Bytes),
            ("string", "duration") => $"{(long)Parts(bytes).GetValueOrDefault(1).Number / 1_000_000_000}s",
            ("string", "byte") => Convert.ToBase64String(bytes.Span),
            ("string", _) => Text(bytes),
            ("boolean", _) => number != 0,
            ("integer", "int32") => (long)(int)number,
            ("integer", _) => (long)number,
            ("number", _) => BitConverter.UInt64BitsToDouble(number),
            ("array", _) => new JsonArray([.. Fields(bytes).Select(item => Value(schema.Items!, item.Wire, item.Number, item.Bytes))]),
            _ => Raw(bytes),
        };
    }

    /// <summary>A field of free form carries its JSON as bytes.</summary>
    private static JsonNode? Raw(ReadOnlyMemory<byte> bytes)
    {
        ReadOnlyMemory<byte> json = Parts(bytes).GetValueOrDefault(1).Bytes;
        try
        {
            return json.IsEmpty ? new JsonObject() : JsonBytes.Read(json.Span);
        }
        catch (JsonException)
        {
            throw ApiError.BadRequest("a field of free form does not hold JSON");
        }
    }

    private static JsonValue? Time(ReadOnlyMemory<byte> bytes, string format)
    {
        Dictionary<int, (ulong Number, ReadOnlyMemory<byte> Bytes)> parts = Parts(bytes);
        if (parts.Count == 0)
        {
            return null;
        }

        DateTimeOffset time = DateTimeOffset.FromUnixTimeSeconds((long)parts.GetValueOrDefault(1).Number).AddTicks((int)parts.GetValueOrDefault(2).Number / 100);
        string pattern = format == "date-time" ? "yyyy-MM-dd'T'HH:mm:ss'Z'" : "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";
        return JsonValue.Create(time.UtcDateTime.ToString(pattern, CultureInfo.InvariantCulture));
    }

    private static Dictionary<int, (ulong Number, ReadOnlyMemory<byte> Bytes)> Parts(ReadOnlyMemory<byte> bytes)
    {
        Dictionary<int, (ulong, ReadOnlyMemory<byte>)> parts = [];
        foreach ((int tag, _, ulong number, ReadOnlyMemory<byte> value) in Fields(bytes))
        {
            parts[tag] = (number, value);
        }

        return parts;
    }

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);

    private static List<(int Tag, Wire Wire, ulong Number, ReadOnlyMemory<byte> Bytes)> Fields(ReadOnlyMemory<byte> data)
    {
        List<(int, Wire, ulong, ReadOnlyMemory<byte>)> fields = [];
        int at = 0;
        while (at < data.Length)
        {
            ulong key = Varint(data.Span, ref at);
            Wire wire = (Wire)(key & 7);
            int size = wire switch
            {
                Wire.Varint => 0,
                Wire.Fixed64 => 8,
                Wire.Fixed32 => 4,
                Wire.Bytes => Length(data.Span, ref at),
                _ => throw Malformed(),
            };
            ulong number = 0;
            ReadOnlyMemory<byte> bytes = default;
            if (wire == Wire.Varint)
            {
                number = Varint(data.Span, ref at);
            }
            else
            {
                if (size > data.Length - at)
                {
                    throw Malformed();
                }

                bytes = data.Slice(at, size);
                at += size;
                number = wire switch
                {
                    Wire.Fixed64 => BinaryPrimitives.ReadUInt64LittleEndian(bytes.Span),
                    Wire.Fixed32 => BinaryPrimitives.ReadUInt32LittleEndian(bytes.Span),
                    _ => 0,
                };
            }

            fields.Add(((int)(key >> 3), wire, number, bytes));
        }

        return fields;
    }

    private static int Length(ReadOnlySpan<byte> data, ref int at)
    {
        ulong length = Varint(data, ref at);
        return length <= int.MaxValue ? (int)length : throw Malformed();
    }

    private static ulong Varint(ReadOnlySpan<byte> data, ref int at)
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            if (at >= data.Length)
            {
                throw Malformed();
            }

            byte b = data[at++];
            value |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80)
            {
                return value;
            }
        }

        throw Malformed();
    }

    private static ApiError Malformed() => ApiError.BadRequest("the body is not a protobuf message: unexpected EOF");
}
