using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OptiInfra.ApiServer.Http;

/// <summary>Words JSON errors as the real server's language words them.</summary>
internal static class GoJson
{
    /// <summary>The message for a document that is not JSON: where it stops making sense.</summary>
    public static string Error(ReadOnlySpan<byte> body, JsonException error)
    {
        if (Trimmed(body).Length == 0 || EndsEarly(body))
        {
            return "unexpected end of JSON input";
        }

        int at = Offset(body, error);
        if (at >= body.Length)
        {
            return "unexpected end of JSON input";
        }

        return $"invalid character {Character(body[at])} {Expectation(body, at)}";
    }

    public static string TypeError(JsonNode? node, string type) => $"json: cannot unmarshal {NameOf(node)} into Go value of type {type}";

    public static string NameOf(JsonNode? node) => node switch
    {
        null => "null",
        JsonObject => "object",
        JsonArray => "array",
        JsonValue value when value.TryGetValue(out string? _) => "string",
        JsonValue value when value.TryGetValue(out bool _) => "bool",
        _ => "number",
    };

    public static string Character(byte c) => c switch
    {
        (byte)'\'' => "'\\''",
        (byte)'"' => "'\"'",
        (byte)'\n' => "'\\n'",
        (byte)'\t' => "'\\t'",
        (byte)'\r' => "'\\r'",
        < 0x20 => $"'\\x{c:x2}'",
        >= 0x7f and < 0xa0 => $"'\\u{c:x4}'",
        _ => $"'{(char)c}'",
    };

    private static ReadOnlySpan<byte> Trimmed(ReadOnlySpan<byte> body) => body.Trim(" \t\r\n"u8);

    private static bool EndsEarly(ReadOnlySpan<byte> body)
    {
        // A document that more text could still complete ends early; feed it as a first part.
        Utf8JsonReader reader = new(body, isFinalBlock: false, new JsonReaderState(new JsonReaderOptions { MaxDepth = JsonText.MaxDepth }));
        try
        {
            while (reader.Read())
            {
            }

            return reader.BytesConsumed < body.Length || reader.CurrentDepth > 0 || reader.TokenType == JsonTokenType.PropertyName;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static int Offset(ReadOnlySpan<byte> body, JsonException error)
    {
        int at = 0;
        for (long line = error.LineNumber ?? 0; line > 0; line--)
        {
            int next = body[at..].IndexOf((byte)'\n');
            if (next < 0)
            {
                break;
            }

            at += next + 1;
        }

        at += (int)(error.BytePositionInLine ?? 0);
        return Math.Min(at, body.Length);
    }

    private static string Expectation(ReadOnlySpan<byte> body, int at)
    {
        ReadOnlySpan<byte> before = Trimmed(body[..at]);
        if (before.Length == 0)
        {
            return "looking for beginning of value";
        }

        return before[^1] switch
        {
            (byte)'{' => "looking for beginning of object key string",
            (byte)',' => InArray(before) ? "looking for beginning of value" : "looking for beginning of object key string",
            (byte)'[' or (byte)':' => "looking for beginning of value",
            (byte)'}' or (byte)']' when Depth(before) == 0 => "after top-level value",
            _ => InArray(before) ? "after array element" : Depth(before) == 0 ? "after top-level value" : AfterKey(before) ? "after object key" : "after object key:value pair",
        };
    }

    private static int Depth(ReadOnlySpan<byte> before) => Open(before).Length;

    private static bool InArray(ReadOnlySpan<byte> before) => Open(before).EndsWith('[');

    private static bool AfterKey(ReadOnlySpan<byte> before)
    {
        bool key = true;
        bool quoted = false;
        for (int i = 0; i < before.Length; i++)
        {
            byte c = before[i];
            if (quoted)
            {
                if (c == '\\')
                {
                    i++;
                }
                else if (c == '"')
                {
                    quoted = false;
                }

                continue;
            }

            quoted = c == '"';
            key = c switch { (byte)':' => false, (byte)',' or (byte)'{' => true, _ => key };
        }

        return key;
    }

    private static string Open(ReadOnlySpan<byte> before)
    {
        StringBuilder open = new();
        bool quoted = false;
        for (int i = 0; i < before.Length; i++)
        {
            byte c = before[i];
            if (quoted)
            {
                if (c == '\\')
                {
                    i++;
                }
                else if (c == '"')
                {
                    quoted = false;
                }
            }
            else if (c == '"')
            {
                quoted = true;
            }
            else if (c is (byte)'{' or (byte)'[')
            {
                open.Append((char)c);
            }
            else if (c is (byte)'}' or (byte)']' && open.Length > 0)
            {
                open.Length--;
            }
        }

        return open.ToString();
    }
}
