using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OptiInfra.ApiServer.Schema;

/// <summary>What reading a JSON text gave: the value, or the error in the real server's words.</summary>
/// <param name="Value">The value; null also stands for the JSON null.</param>
/// <param name="Error">Null when the text is JSON.</param>
/// <param name="Duplicates">Paths of members that occur twice (the last one counts), in the order of the text.</param>
internal sealed record JsonText(JsonNode? Value, string? Error, IReadOnlyList<string> Duplicates);

/// <summary>
/// Reads JSON as the real server does: the last of duplicate members wins and is reported, numbers keep their text, and
/// syntax errors say what was found and what was being looked for. Depth is bounded, so no input can exhaust the stack.
/// </summary>
internal sealed class JsonReader
{
    private const int MaxDepth = 500;

    private readonly string text;
    private readonly List<string> duplicates = [];
    private int at;
    private int depth;

    private JsonReader(string text) => this.text = text;

    public static JsonText Read(string text)
    {
        var reader = new JsonReader(text);
        try
        {
            JsonNode? value = reader.Value("", "looking for beginning of value");
            reader.SkipSpace();
            return reader.at < text.Length
                ? throw reader.Unexpected("after top-level value")
                : new JsonText(value, null, reader.duplicates);
        }
        catch (SyntaxException error)
        {
            return new JsonText(null, error.Message, []);
        }
    }

    private JsonNode? Value(string path, string looking)
    {
        SkipSpace();
        switch (Peek())
        {
            case '{':
                return Nested(() => Object(path));
            case '[':
                return Nested(() => Array(path));
            case '"':
                return JsonValue.Create(String());
            case 't':
                return Word("true", JsonValue.Create(true));
            case 'f':
                return Word("false", JsonValue.Create(false));
            case 'n':
                return Word("null", null);
            case '-' or (>= '0' and <= '9'):
                return Number();
            default:
                throw Unexpected(looking);
        }
    }

    private JsonNode Nested(Func<JsonNode> read)
    {
        if (++depth > MaxDepth)
        {
            throw new SyntaxException("exceeded max depth");
        }

        JsonNode value = read();
        depth--;
        return value;
    }

    private JsonObject Object(string path)
    {
        var members = new JsonObject();
        at++;
        SkipSpace();
        if (Peek() == '}')
        {
            at++;
            return members;
        }

        while (true)
        {
            SkipSpace();
            if (Peek() != '"')
            {
                throw Unexpected("looking for beginning of object key string");
            }

            string name = String();
            string memberPath = path.Length == 0 ? name : path + "." + name;
            SkipSpace();
            Expect(':', "after object key");
            if (members.Remove(name))
            {
                duplicates.Add(memberPath);
            }

            members[name] = Value(memberPath, "looking for beginning of value");
            SkipSpace();
            if (Peek() == '}')
            {
                at++;
                return members;
            }

            Expect(',', "after object key:value pair");
        }
    }

    private JsonArray Array(string path)
    {
        var items = new JsonArray();
        at++;
        SkipSpace();
        if (Peek() == ']')
        {
            at++;
            return items;
        }

        while (true)
        {
            items.Add(Value($"{path}[{items.Count}]", "looking for beginning of value"));
            SkipSpace();
            if (Peek() == ']')
            {
                at++;
                return items;
            }

            Expect(',', "after array element");
        }
    }

    private string String()
    {
        at++;
        var value = new StringBuilder();
        while (true)
        {
            char c = Peek();
            if (c < ' ')
            {
                throw Unexpected("in string literal");
            }

            at++;
            if (c == '"')
            {
                return value.ToString();
            }

            value.Append(c == '\\' ? Escape() : c);
        }
    }

    private char Escape()
    {
        char c = Peek();
        at++;
        switch (c)
        {
            case '"' or '\\' or '/':
                return c;
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'u':
                for (int i = 0; i < 4; i++)
                {
                    if (!char.IsAsciiHexDigit(Peek(i)))
                    {
                        at += i;
                        throw Unexpected("in \\u hexadecimal character escape");
                    }
                }

                at += 4;
                return (char)ushort.Parse(text.AsSpan(at - 4, 4), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            default:
                at--;
                throw Unexpected("in string escape code");
        }
    }

    private JsonNode? Word(string word, JsonNode? value)
    {
        for (int i = 0; i < word.Length; i++)
        {
            if (Peek() != word[i])
            {
                throw Unexpected($"in literal {word} (expecting '{word[i]}')");
            }

            at++;
        }

        return value;
    }

    private JsonValue Number()
    {
        int start = at;
        at += Peek() == '-' ? 1 : 0;
        if (Peek() == '0')
        {
            at++;
        }
        else
        {
            Digits("in numeric literal");
        }

        if (More('.'))
        {
            Digits("after decimal point in numeric literal");
        }

        if (More('e') || More('E'))
        {
            _ = More('+') || More('-');
            Digits("in exponent of numeric literal");
        }

        using JsonDocument number = JsonDocument.Parse(text.AsMemory(start, at - start));
        return JsonValue.Create(number.RootElement.Clone())!;
    }

    private void Digits(string looking)
    {
        if (!char.IsAsciiDigit(Peek()))
        {
            throw Unexpected(looking);
        }

        while (at < text.Length && char.IsAsciiDigit(text[at]))
        {
            at++;
        }
    }

    private bool More(char c)
    {
        if (at < text.Length && text[at] == c)
        {
            at++;
            return true;
        }

        return false;
    }

    private void Expect(char c, string looking)
    {
        if (Peek() != c)
        {
            throw Unexpected(looking);
        }

        at++;
    }

    private char Peek(int ahead = 0) =>
        at + ahead < text.Length ? text[at + ahead] : throw new SyntaxException("unexpected end of JSON input");

    private void SkipSpace()
    {
        while (at < text.Length && text[at] is ' ' or '\t' or '\r' or '\n')
        {
            at++;
        }
    }

    private SyntaxException Unexpected(string looking)
    {
        string shown = text[at] switch
        {
            '\'' => "'\\''",
            '"' => "'\"'",
            '\n' => "'\\n'",
            '\t' => "'\\t'",
            '\r' => "'\\r'",
            < ' ' => $"'\\x{(int)text[at]:x2}'",
            char c => $"'{c}'",
        };
        return new SyntaxException($"invalid character {shown} {looking}");
    }

    private sealed class SyntaxException(string message) : Exception(message);
}
