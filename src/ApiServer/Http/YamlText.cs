using System.Globalization;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace OptiInfra.ApiServer.Http;

/// <summary>Reads the YAML that clients send as a JSON tree: one document, plain scalars resolved as Kubernetes resolves them.</summary>
internal static class YamlText
{
    public static JsonNode? Read(string text, ICollection<string>? duplicates = null)
    {
        // JSON is YAML; its own reader is faster and exact about numbers.
        if (text.AsSpan().TrimStart() is ['{', ..])
        {
            try
            {
                return JsonBytes.Read(System.Text.Encoding.UTF8.GetBytes(text), duplicates);
            }
            catch (System.Text.Json.JsonException)
            {
                // Not JSON after all: a flow mapping.
            }
        }

        try
        {
            Parser parser = new(new StringReader(text));
            parser.Consume<StreamStart>();
            if (parser.Current is not DocumentStart || !parser.MoveNext())
            {
                return null;
            }

            return ReadNode(parser, duplicates, "", 0, new(StringComparer.Ordinal));
        }
        catch (YamlException e)
        {
            throw ApiError.BadRequest($"error decoding YAML: line {e.Start.Line}: {e.Message}");
        }
    }

    public static string Write(JsonNode node)
    {
        StringWriter text = new();
        Emitter emitter = new(text, new EmitterSettings(2, 80, isCanonical: false, maxSimpleKeyLength: 1024));
        emitter.Emit(new StreamStart());
        emitter.Emit(new DocumentStart(null, null, true));
        WriteNode(emitter, node);
        emitter.Emit(new DocumentEnd(true));
        emitter.Emit(new StreamEnd());
        return text.ToString();
    }

    private static void WriteNode(Emitter emitter, JsonNode? node)
    {
        switch (node)
        {
            case JsonObject obj:
                emitter.Emit(new MappingStart(null, null, true, obj.Count == 0 ? MappingStyle.Flow : MappingStyle.Block));
                foreach ((string name, JsonNode? value) in obj.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                {
                    WriteNode(emitter, JsonValue.Create(name));
                    WriteNode(emitter, value);
                }

                emitter.Emit(new MappingEnd());
                break;
            case JsonArray array:
                emitter.Emit(new SequenceStart(null, null, true, array.Count == 0 ? SequenceStyle.Flow : SequenceStyle.Block));
                foreach (JsonNode? item in array)
                {
                    WriteNode(emitter, item);
                }

                emitter.Emit(new SequenceEnd());
                break;
            default:
                string text = node.Str() ?? JsonBytes.Text(node);
                bool quoted = node.Str() is not null && Resolve(new Scalar(text)).Str() != text;
                emitter.Emit(new Scalar(null, null, text, quoted ? ScalarStyle.DoubleQuoted : text.Contains('\n') ? ScalarStyle.Literal : ScalarStyle.Any, true, true));
                break;
        }
    }

    private static JsonNode? ReadNode(Parser parser, ICollection<string>? duplicates, string path, int depth, Dictionary<string, JsonNode?> anchors)
    {
        if (depth > JsonBytes.MaxDepth)
        {
            throw ApiError.BadRequest("error decoding YAML: exceeded max depth");
        }

        if (parser.Current is AnchorAlias alias && parser.MoveNext())
        {
            return anchors.TryGetValue(alias.Value.Value, out JsonNode? known) ? known?.DeepClone() : null;
        }

        JsonNode? node;
        NodeEvent start = parser.Current as NodeEvent ?? throw new YamlException("unexpected end of document");

        if (parser.Current is Scalar scalar && parser.MoveNext())
        {
            node = Resolve(scalar);
        }
        else if (parser.Current is SequenceStart && parser.MoveNext())
        {
            JsonArray array = [];
            while (!(parser.Current is SequenceEnd && parser.MoveNext()))
            {
                array.Add(ReadNode(parser, duplicates, $"{path}[{array.Count}]", depth + 1, anchors));
            }

            node = array;
        }
        else
        {
            parser.Consume<MappingStart>();
            JsonObject obj = [];
            while (!(parser.Current is MappingEnd && parser.MoveNext()))
            {
                string key = parser.Consume<Scalar>().Value;
                string below = path.Length == 0 ? key : $"{path}.{key}";
                JsonNode? value = ReadNode(parser, duplicates, below, depth + 1, anchors);
                if (obj.ContainsKey(key))
                {
                    duplicates?.Add(below);
                }

                obj[key] = value;
            }

            node = obj;
        }

        if (!start.Anchor.IsEmpty)
        {
            anchors[start.Anchor.Value] = node?.DeepClone();
        }

        return node;
    }

    private static JsonValue? Resolve(Scalar scalar)
    {
        string text = scalar.Value;
        if (scalar.Style != ScalarStyle.Plain)
        {
            return JsonValue.Create(text);
        }

        switch (text)
        {
            case "" or "~" or "null" or "Null" or "NULL":
                return null;
            case "true" or "True" or "TRUE" or "yes" or "Yes" or "YES" or "on" or "On" or "ON":
                return JsonValue.Create(true);
            case "false" or "False" or "FALSE" or "no" or "No" or "NO" or "off" or "Off" or "OFF":
                return JsonValue.Create(false);
            default:
                break;
        }

        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long whole))
        {
            return JsonValue.Create(whole);
        }

        return char.IsAsciiDigit(text[0]) || text[0] is '-' or '+' or '.'
            ? double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double real) && double.IsFinite(real)
                ? JsonValue.Create(real)
                : JsonValue.Create(text)
            : JsonValue.Create(text);
    }
}
