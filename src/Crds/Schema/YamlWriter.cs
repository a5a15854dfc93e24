using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OptiInfra.Crds.Schema;

/// <summary>
/// Writes YAML, block style, two spaces, keys in the order given: same input, same bytes. A text is quoted exactly when a
/// YAML 1.1 or 1.2 reader could take it for something else; texts of several lines become block scalars where that is exact.
/// </summary>
public sealed class YamlWriter(int depth = 0)
{
    private readonly StringBuilder _out = new();
    private int _depth = depth;

    // The dash of a list entry stands where the first key of its mapping would be indented.
    private bool _afterDash;

    public static string Write(JsonNode? node)
    {
        var writer = new YamlWriter(node is JsonArray ? 1 : 0);
        writer.Node(node);
        return writer.ToString();
    }

    public override string ToString() => _out.ToString();

    public YamlWriter Comment(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        foreach (string line in text.Split('\n'))
        {
            Indent();
            _out.Append(line.Length == 0 ? "#" : "# ").Append(line).Append('\n');
        }

        return this;
    }

    /// <summary>A key with a scalar.</summary>
    public YamlWriter Pair(string key, string value)
    {
        Key(key);
        Text(value);
        return this;
    }

    public YamlWriter Pair(string key, long value)
    {
        Key(key);
        _out.Append(' ').Append(value.ToString(CultureInfo.InvariantCulture)).Append('\n');
        return this;
    }

    public YamlWriter Pair(string key, bool value)
    {
        Key(key);
        _out.Append(value ? " true\n" : " false\n");
        return this;
    }

    public YamlWriter PairIf(string key, string? value) => value is null ? this : Pair(key, value);

    public YamlWriter PairIf(string key, long? value) => value is { } number ? Pair(key, number) : this;

    public YamlWriter PairIf(string key, bool? value) => value is { } flag ? Pair(key, flag) : this;

    /// <summary>A key with any JSON value; nothing when the value is null.</summary>
    public YamlWriter PairIf(string key, JsonNode? value)
    {
        if (value is not null)
        {
            Key(key);
            Value(value);
        }

        return this;
    }

    /// <summary>A key with a nested mapping or list, written between this call and <see cref="End"/>.</summary>
    public YamlWriter Begin(string key)
    {
        Key(key);
        _out.Append('\n');
        _depth++;
        return this;
    }

    public YamlWriter End()
    {
        _depth--;
        _afterDash = false;
        return this;
    }

    /// <summary>A list entry that is a mapping, written between this call and <see cref="End"/>.</summary>
    public YamlWriter BeginItem()
    {
        // A list is written at the depth of its key's children less one, as Kubernetes and Prometheus users write it.
        Indent(-1);
        _out.Append("- ");
        _afterDash = true;
        return this;
    }

    public YamlWriter EndItem()
    {
        _afterDash = false;
        return this;
    }

    /// <summary>A list entry that is a scalar.</summary>
    public YamlWriter Item(string value)
    {
        Indent(-1);
        _out.Append('-');
        Text(value);
        return this;
    }

    public YamlWriter Flow(string key, IEnumerable<string> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        Key(key);
        _out.Append(" [").AppendJoin(", ", values.Select(value => NeedsQuotes(value) || value.AsSpan().IndexOfAny(",[]{}") >= 0 ? Quote(value) : value)).Append("]\n");
        return this;
    }

    /// <summary>Text that is already YAML, written as it is.</summary>
    public YamlWriter Raw(string yaml)
    {
        _out.Append(yaml);
        return this;
    }

    public void Node(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject { Count: > 0 } map:
                foreach ((string key, JsonNode? value) in map)
                {
                    Key(key);
                    Value(value);
                }

                break;
            case JsonArray { Count: > 0 } list:
                foreach (JsonNode? item in list)
                {
                    Entry(item);
                }

                break;
            default:
                Indent();
                _out.Append(Scalar(node).TrimStart()).Append('\n');
                break;
        }
    }

    private void Value(JsonNode? value)
    {
        switch (value)
        {
            case JsonObject { Count: > 0 }:
            case JsonArray { Count: > 0 }:
                _out.Append('\n');
                _depth++;
                Node(value);
                _depth--;
                break;
            case JsonValue text when text.GetValueKind() == JsonValueKind.String:
                Text(text.GetValue<string>());
                break;
            default:
                _out.Append(Scalar(value)).Append('\n');
                break;
        }
    }

    private void Entry(JsonNode? item)
    {
        Indent(-1);
        _out.Append('-');
        switch (item)
        {
            case JsonObject { Count: > 0 }:
                _out.Append(' ');
                _afterDash = true;
                Node(item);
                break;
            case JsonArray { Count: > 0 }:
                _out.Append('\n');
                _depth++;
                Node(item);
                _depth--;
                break;
            case JsonValue text when text.GetValueKind() == JsonValueKind.String:
                Text(text.GetValue<string>());
                break;
            default:
                _out.Append(Scalar(item)).Append('\n');
                break;
        }
    }

    private void Key(string key)
    {
        Indent();
        _out.Append(NeedsQuotes(key) ? Quote(key) : key).Append(':');
    }

    private void Indent(int change = 0)
    {
        if (_afterDash)
        {
            _afterDash = false;
            return;
        }

        _out.Append(' ', Math.Max(0, (_depth + change) * 2));
    }

    private void Text(string value)
    {
        if (value.Contains('\n') && IsBlockSafe(value))
        {
            // "|" keeps one final line break, "|-" none.
            bool final = value.EndsWith('\n');
            _out.Append(final ? " |\n" : " |-\n");
            foreach (string line in (final ? value[..^1] : value).Split('\n'))
            {
                _out.Append(' ', line.Length == 0 ? 0 : (_depth + 1) * 2).Append(line).Append('\n');
            }

            return;
        }

        _out.Append(' ').Append(NeedsQuotes(value) ? Quote(value) : value).Append('\n');
    }

    private static string Scalar(JsonNode? node) => node switch
    {
        null => " null",
        JsonObject => " {}",
        JsonArray => " []",
        _ => " " + node.ToJsonString(),
    };

    private static bool IsBlockSafe(string value)
    {
        // A leading space would need an indentation indicator; several final line breaks a "|+"; control characters an escape.
        if (value[0] is ' ' or '\n' || value.EndsWith("\n\n", StringComparison.Ordinal) || value == "\n")
        {
            return false;
        }

        foreach (char c in value)
        {
            if (char.IsControl(c) && c is not '\n' || c is '\u2028' or '\u2029' or '\uFEFF' || char.IsSurrogate(c))
            {
                return false;
            }
        }

        return !value.Split('\n').Any(line => line.Length > 0 && line.Trim(' ').Length == 0);
    }

    /// <summary>Whether a plain scalar could be read as something else than this text.</summary>
    internal static bool NeedsQuotes(string value)
    {
        if (value.Length == 0 || value[0] is ' ' or '-' or '?' or ':' or ',' or '[' or ']' or '{' or '}' or '#' or '&' or '*' or '!' or '|' or '>' or '\'' or '"' or '%' or '@' or '`' or '=' or '<' or '~' || value[^1] is ' ' or ':')
        {
            return true;
        }

        for (int i = 0; i < value.Length; i++)
        {
            char c = value[i];
            if (char.IsControl(c) || c is '\u2028' or '\u2029' or '\uFEFF' || (c == ':' && value[i + 1] == ' ') || (c == '#' && value[i - 1] == ' '))
            {
                return true;
            }
        }

        return LooksTyped(value);
    }

    private static bool LooksTyped(string value)
    {
        // Numbers, dates and sexagesimals (12:30) start with a digit and have few letters; "15s" and "10MB" are texts.
        if (value[0] is '+' or '.' && value.Length > 1 && (char.IsAsciiDigit(value[1]) || (value.Length <= 5 && value[1] is '.' or 'i' or 'I' or 'n' or 'N')))
        {
            return true;
        }

        if (char.IsAsciiDigit(value[0]))
        {
            return value.StartsWith("0x", StringComparison.Ordinal)
                || value.All(c => char.IsAsciiDigit(c) || c is '+' or '-' or '.' or '_' or ':' or 'e' or 'E' or 'o' or 'T' or 'Z' or ' ');
        }

        return value.Length <= 5 && value.ToLowerInvariant() is "true" or "false" or "yes" or "no" or "on" or "off" or "y" or "n" or "null";
    }

    internal static string Quote(string value)
    {
        if (!value.Any(c => char.IsControl(c) || c is '\u2028' or '\u2029' or '\uFEFF'))
        {
            return value.Contains('\'') && !value.Contains('"') && !value.Contains('\\') ? $"\"{value}\"" : $"'{value.Replace("'", "''", StringComparison.Ordinal)}'";
        }

        var quoted = new StringBuilder("\"");
        foreach (char c in value)
        {
            _ = c switch
            {
                '"' => quoted.Append("\\\""),
                '\\' => quoted.Append("\\\\"),
                '\n' => quoted.Append("\\n"),
                '\t' => quoted.Append("\\t"),
                '\r' => quoted.Append("\\r"),
                _ when char.IsControl(c) || c is '\u2028' or '\u2029' or '\uFEFF' => quoted.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture)),
                _ => quoted.Append(c),
            };
        }

        return quoted.Append('"').ToString();
    }
}
