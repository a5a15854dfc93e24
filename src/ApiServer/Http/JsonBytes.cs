using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Http;

/// <summary>
/// Reads and writes JSON trees. Reading keeps the last of duplicate members and reports them by path, turns whole
/// numbers into <c>long</c> and others into <c>double</c>, and refuses what is nested too deep or is not UTF-8.
/// </summary>
internal static class JsonBytes
{
    /// <summary>Deeper documents are refused, so that no walk over a tree can exhaust the stack.</summary>
    public const int MaxDepth = 500;

    private static readonly JsonReaderOptions ReaderOptions = new() { MaxDepth = MaxDepth };

    private static readonly JsonWriterOptions WriterOptions = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = 2 * MaxDepth,
        SkipValidation = true,
    };

    /// <summary>Parses one document; throws <see cref="JsonException"/> when it is none.</summary>
    public static JsonNode? Read(ReadOnlySpan<byte> utf8, ICollection<string>? duplicates = null)
    {
        Utf8JsonReader reader = new(utf8, ReaderOptions);
        if (!reader.Read())
        {
            throw new JsonException("unexpected end of JSON input");
        }

        try
        {
            JsonNode? node = ReadValue(ref reader, duplicates, "");
            return reader.Read() ? throw new JsonException("invalid character after top-level value") : node;
        }
        catch (InvalidOperationException e)
        {
            // Strings that are not UTF-8, or lone surrogates.
            throw new JsonException(e.Message, e);
        }
    }

    /// <summary>What is wrong with a document that <see cref="Read"/> refused, in the real server's words.</summary>
    public static string ErrorOf(ReadOnlySpan<byte> utf8) => JsonReader.Read(Encoding.UTF8.GetString(utf8)).Error ?? "invalid UTF-8 in string";

    public static JsonObject ReadObject(ReadOnlySpan<byte> utf8) =>
        Read(utf8) as JsonObject ?? throw new JsonException("not an object");

    public static byte[] Write(JsonNode? node)
    {
        ArrayBufferWriter<byte> buffer = new(1024);
        using (Utf8JsonWriter writer = new(buffer, WriterOptions))
        {
            if (node is null)
            {
                writer.WriteNullValue();
            }
            else
            {
                node.WriteTo(writer);
            }
        }

        return buffer.WrittenSpan.ToArray();
    }

    public static string Text(JsonNode? node) => Encoding.UTF8.GetString(Write(node));

    private static JsonNode? ReadValue(ref Utf8JsonReader reader, ICollection<string>? duplicates, string path)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                return ReadMembers(ref reader, duplicates, path);
            case JsonTokenType.StartArray:
                JsonArray array = [];
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    array.Add(ReadValue(ref reader, duplicates, duplicates is null ? path : $"{path}[{array.Count}]"));
                }

                return array;
            case JsonTokenType.String:
                return JsonValue.Create(reader.GetString());
            case JsonTokenType.Number:
                return reader.TryGetInt64(out long whole) ? JsonValue.Create(whole) : JsonValue.Create(reader.GetDouble());
            case JsonTokenType.True:
                return JsonValue.Create(true);
            case JsonTokenType.False:
                return JsonValue.Create(false);
            default:
                return null;
        }
    }

    private static JsonObject ReadMembers(ref Utf8JsonReader reader, ICollection<string>? duplicates, string path)
    {
        JsonObject result = [];
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            string name = reader.GetString()!;
            string below = duplicates is null ? path : path.Length == 0 ? name : $"{path}.{name}";
            reader.Read();
            bool known = result.ContainsKey(name);
            JsonNode? value = ReadValue(ref reader, duplicates, below);
            if (known)
            {
                duplicates?.Add(below);
            }

            result[name] = value;
        }

        return result;
    }
}
