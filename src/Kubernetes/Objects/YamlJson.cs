using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace OptiInfra.Kubernetes.Objects;

/// <summary>
/// YAML to JSON as Kubernetes' tools read it: the core schema, aliases and merge keys resolved, duplicate keys refused.
/// Only the event level of the YAML library is used; its reflective object mapper does not survive trimming.
/// </summary>
public static partial class YamlJson
{
    private const int MaxAliasNodes = 100_000;

    /// <summary>Reads all documents; empty ones are left out. Throws <see cref="FormatException"/> with line and column.</summary>
    public static IReadOnlyList<JsonNode> ReadAll(string yaml)
    {
        ArgumentNullException.ThrowIfNull(yaml);
        var parser = new Parser(new StringReader(yaml));
        try
        {
            var documents = new List<JsonNode>();
            parser.Consume<StreamStart>();
            while (parser.TryConsume<DocumentStart>(out _))
            {
                JsonNode? node = new DocumentReader(parser).Read();
                parser.Consume<DocumentEnd>();
                if (node is not null)
                {
                    documents.Add(node);
                }
            }

            return documents;
        }
        catch (YamlException e)
        {
            throw new FormatException($"line {e.Start.Line}, column {e.Start.Column}: {e.Message}", e);
        }
        catch (InvalidOperationException e) when (parser.Current is { } last)
        {
            // What the library throws for some broken flow sequences, without saying where.
            throw new FormatException($"line {last.End.Line}, column {last.End.Column}: something is missing or too much after this", e);
        }
    }

    /// <summary>The value of a plain (unquoted) scalar.</summary>
    public static JsonNode? PlainScalar(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text switch
        {
            "" or "~" or "null" or "Null" or "NULL" => null,
            "true" or "True" or "TRUE" => JsonValue.Create(true),
            "false" or "False" or "FALSE" => JsonValue.Create(false),
            _ => Number(text) ?? JsonValue.Create(text),
        };
    }

    private static JsonValue? Number(string text)
    {
        if (DecimalInteger().IsMatch(text) && long.TryParse(text, CultureInfo.InvariantCulture, out long integer))
        {
            return JsonValue.Create(integer);
        }

        if (text.StartsWith("0x", StringComparison.Ordinal) && long.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long hex))
        {
            return JsonValue.Create(hex);
        }

        return Float().IsMatch(text) && double.TryParse(text, CultureInfo.InvariantCulture, out double real) && double.IsFinite(real)
            ? JsonValue.Create(real)
            : null;
    }

    [GeneratedRegex("^[-+]?[0-9]+$")]
    private static partial Regex DecimalInteger();

    [GeneratedRegex(@"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")]
    private static partial Regex Float();

    private sealed class DocumentReader(Parser parser)
    {
        private readonly Dictionary<AnchorName, JsonNode?> anchors = [];
        private int aliasNodes;

        public JsonNode? Read()
        {
            switch (parser.Current)
            {
                case AnchorAlias alias:
                    parser.MoveNext();
                    return anchors.TryGetValue(alias.Value, out JsonNode? target)
                        ? Copy(target, alias)
                        : throw new YamlException(alias.Start, alias.End, $"unknown alias *{alias.Value}");
                case Scalar scalar:
                    parser.MoveNext();
                    return Remember(scalar.Anchor, Value(scalar));
                case SequenceStart sequence:
                    return ReadSequence(sequence);
                case MappingStart mapping:
                    return ReadMapping(mapping);
                default:
                    throw new YamlException($"unexpected {parser.Current?.GetType().Name}");
            }
        }

        private static JsonNode? Value(Scalar scalar) =>
            scalar.Style == ScalarStyle.Plain && scalar.Tag.IsEmpty ? PlainScalar(scalar.Value) : JsonValue.Create(scalar.Value);

        private JsonArray ReadSequence(SequenceStart start)
        {
            parser.MoveNext();
            var array = new JsonArray();
            while (!parser.TryConsume<SequenceEnd>(out _))
            {
                array.Add(Read());
            }

            Remember(start.Anchor, array);
            return array;
        }

        private JsonObject ReadMapping(MappingStart start)
        {
            parser.MoveNext();
            var map = new JsonObject();
            var merged = new List<JsonObject>();
            while (!parser.TryConsume<MappingEnd>(out _))
            {
                Scalar key = parser.Consume<Scalar>();
                if (key is { Value: "<<", Style: ScalarStyle.Plain })
                {
                    merged.AddRange(MergeSources(Read(), key));
                }
                else if (!map.TryAdd(key.Value, Read()))
                {
                    throw new YamlException(key.Start, key.End, $"key \"{key.Value}\" is given twice");
                }
            }

            foreach ((string key, JsonNode? value) in merged.SelectMany(source => source))
            {
                map.TryAdd(key, value?.DeepClone());
            }

            Remember(start.Anchor, map);
            return map;
        }

        private static IEnumerable<JsonObject> MergeSources(JsonNode? node, Scalar key) => node switch
        {
            JsonObject one => [one],
            JsonArray many when many.All(item => item is JsonObject) => many.OfType<JsonObject>(),
            _ => throw new YamlException(key.Start, key.End, "<< needs a mapping or a list of mappings"),
        };

        private JsonNode? Remember(AnchorName anchor, JsonNode? node)
        {
            if (!anchor.IsEmpty)
            {
                anchors[anchor] = node;
            }

            return node;
        }

        // Aliases of aliases grow exponentially ("billion laughs"), so what they copy is counted.
        private JsonNode? Copy(JsonNode? target, AnchorAlias alias)
        {
            aliasNodes += CountNodes(target);
            return aliasNodes <= MaxAliasNodes
                ? target?.DeepClone()
                : throw new YamlException(alias.Start, alias.End, "aliases expand to too much");
        }

        private static int CountNodes(JsonNode? node) => node switch
        {
            JsonObject map => 1 + map.Sum(pair => CountNodes(pair.Value)),
            JsonArray array => 1 + array.Sum(CountNodes),
            _ => 1,
        };
    }
}
