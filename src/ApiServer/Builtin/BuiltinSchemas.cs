using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Builtin;

/// <summary>
/// The schemas of the built-in kinds. They are kept as text in *.schema files beside this one (notation explained at
/// their top), indexed once, and parsed kind by kind when first asked for, so that starting the server costs nothing for
/// kinds nobody uses. Facts only: names, types, tags, merge rules, declared defaults. What defaulting and validation do
/// beyond them is code in this folder.
/// </summary>
internal static class BuiltinSchemas
{
    private static readonly string[] Files = ["core.schema", "workloads.schema", "access.schema", "cluster.schema"];

    /// <summary>Types used across groups live in these two.</summary>
    private static readonly string[] SharedGroups = ["v1", "meta/v1"];

    private static readonly Lazy<Dictionary<string, TypeText>> Index = new(ReadFiles);

    private static readonly ConcurrentDictionary<string, StructuralSchema> Parsed = new();

    /// <summary>The metadata of every object.</summary>
    public static StructuralSchema ObjectMeta => Type("meta/v1", "ObjectMeta");

    /// <summary>The schema of a kind, or null if the server has no such kind.</summary>
    public static StructuralSchema? Find(string apiVersion, string kind) =>
        Index.Value.TryGetValue(Key(apiVersion, kind), out TypeText? text) && text.IsKind ? Type(apiVersion, kind) : null;

    /// <summary>All kinds as (apiVersion, kind).</summary>
    public static IEnumerable<(string ApiVersion, string Kind)> Kinds =>
        Index.Value.Values.Where(static text => text.IsKind).Select(static text => (text.Group, text.Name));

    private static string Key(string group, string name) => group + " " + name;

    private static StructuralSchema Type(string group, string name) =>
        Parsed.GetOrAdd(Key(group, name), static (_, wanted) => Parse(wanted.group, wanted.name), (group, name));

    private static StructuralSchema Parse(string group, string name)
    {
        TypeText text = Resolve(group, name);
        var properties = new OrderedDictionary<string, StructuralSchema>();
        var required = new List<string>();
        if (text.IsKind)
        {
            properties["kind"] = new StructuralSchema { Type = "string", Typed = new TypedField { OmitEmpty = true, Owner = name } };
            properties["apiVersion"] = new StructuralSchema { Type = "string", Typed = new TypedField { OmitEmpty = true, Owner = name } };
        }

        foreach (string token in text.Fields)
        {
            FieldToken field = FieldToken.Read(token);
            properties[field.Name] = FieldSchema(text, field);
            if (!field.OmitEmpty)
            {
                required.Add(field.Name);
            }
        }

        return new StructuralSchema
        {
            Type = "object",
            Title = name,
            TypeGroup = group,
            Properties = properties,
            MapType = text.Atomic ? "atomic" : "",
            Rules = new ValueRules { Required = required },
        };
    }

    private static StructuralSchema FieldSchema(TypeText owner, FieldToken field)
    {
        StructuralSchema type = TypeSchema(owner.Group, field.Type);
        bool list = type.Type == "array";
        return type with
        {
            HasDefault = field.Default is not null,
            Default = field.Default,
            ListType = list ? field.Merge : "",
            ListMapKeys = field.Keys,
            MapType = !list && field.Merge.Length > 0 ? field.Merge : type.MapType,
            Typed = new TypedField
            {
                TypeName = field.Type.TrimStart('[', '{').TrimEnd(']', '}'),
                Owner = owner.Name,
                OmitEmpty = field.OmitEmpty,
                Pointer = field.Pointer,
                OmitZero = field.OmitZero,
                Tag = field.Tag,
                InlineTag = field.InlineTag,
                Patch = field.Patch,
                PatchMergeKey = field.PatchMergeKey,
            },
        };
    }

    private static StructuralSchema TypeSchema(string group, string type) => type switch
    {
        ['[', .. string element, ']'] => new StructuralSchema { Type = "array", Items = TypeSchema(group, element) },
        ['{', .. string value, '}'] => new StructuralSchema { Type = "object", Values = TypeSchema(group, value) },
        "string" => new StructuralSchema { Type = "string" },
        "bool" => new StructuralSchema { Type = "boolean" },
        "int32" or "int64" => new StructuralSchema { Type = "integer", Format = type },
        "float64" => new StructuralSchema { Type = "number", Format = "double" },
        "bytes" => new StructuralSchema { Type = "string", Format = "byte" },
        "time" => new StructuralSchema { Type = "string", Format = "date-time" },
        "microtime" => new StructuralSchema { Type = "string", Format = "micro-time" },
        "duration" => new StructuralSchema { Type = "string", Format = "duration" },
        "quantity" => new StructuralSchema { Type = "string", Format = "quantity" },
        "intstr" => new StructuralSchema { IntOrString = true, Format = "int-or-string" },
        "any" => new StructuralSchema { Type = "object", PreserveUnknown = true },
        "schema" => new StructuralSchema { Type = "object", PreserveUnknown = true, Format = JsonSchemaProps.Format },
        _ => Type(Resolve(group, type).Group, type),
    };

    private static TypeText Resolve(string group, string name)
    {
        foreach (string candidate in (ReadOnlySpan<string>)[group, .. SharedGroups])
        {
            if (Index.Value.TryGetValue(Key(candidate, name), out TypeText? text))
            {
                return text;
            }
        }

        return Index.Value.Values.FirstOrDefault(text => text.Name == name)
            ?? throw new InvalidOperationException($"The schema files of the built-in kinds name the type {name} of {group}, but do not define it.");
    }

    private static Dictionary<string, TypeText> ReadFiles()
    {
        var index = new Dictionary<string, TypeText>();
        foreach (string file in Files)
        {
            using Stream stream = typeof(BuiltinSchemas).Assembly.GetManifestResourceStream(file)!;
            using var reader = new StreamReader(stream);
            string group = "";
            TypeText? type = null;
            while (reader.ReadLine() is { } line)
            {
                if (line.StartsWith("    ", StringComparison.Ordinal))
                {
                    type!.Fields.AddRange(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
                }
                else if (line.StartsWith("group ", StringComparison.Ordinal))
                {
                    group = line["group ".Length..];
                }
                else if (line.Length > 0 && line[0] != '#')
                {
                    string[] words = line.Split(' ');
                    string[] name = words[0].Split('@');
                    type = new TypeText(group, name[0], name.Length > 1, words.Length > 1);
                    index[Key(group, name[0])] = type;
                }
            }
        }

        return index;
    }

    private sealed record TypeText(string Group, string Name, bool Atomic, bool IsKind)
    {
        public List<string> Fields { get; } = [];
    }

    /// <summary>One field of the notation, taken apart.</summary>
    private sealed record FieldToken(string Name, string Type)
    {
        public bool OmitEmpty { get; init; }

        public bool Pointer { get; init; }

        public bool OmitZero { get; init; }

        public int Tag { get; init; }

        public int InlineTag { get; init; }

        public JsonNode? Default { get; init; }

        public string Merge { get; init; } = "";

        public string[] Keys { get; init; } = [];

        public string Patch { get; init; } = "";

        public string PatchMergeKey { get; init; } = "";

        public static FieldToken Read(string token)
        {
            int colon = token.IndexOf(':', StringComparison.Ordinal);
            int hash = token.IndexOf('#', StringComparison.Ordinal);
            string name = token[..colon].TrimEnd('?', '*', '0');
            string flags = token[name.Length..colon];
            string rest = token[(hash + 1)..];
            (rest, string patch) = Cut(rest, '~');
            (rest, string merge) = Cut(rest, '@');
            (rest, string defaultText) = Cut(rest, '=');
            (string tag, string inlineTag) = Cut(rest, '.');
            (patch, string mergeKey) = Cut(patch, '(');
            (merge, string keys) = Cut(merge, '(');
            return new FieldToken(name, token[(colon + 1)..hash])
            {
                OmitEmpty = flags.Contains('?'),
                Pointer = flags.Contains('*'),
                OmitZero = flags.Contains('0'),
                Tag = int.Parse(tag),
                InlineTag = inlineTag.Length == 0 ? 0 : int.Parse(inlineTag[(inlineTag.LastIndexOf('.') + 1)..]),
                Default = defaultText.Length == 0 ? null : DefaultValue(defaultText),
                Merge = merge,
                Keys = keys.Length == 0 ? [] : keys.TrimEnd(')').Split(','),
                Patch = patch,
                PatchMergeKey = mergeKey.TrimEnd(')'),
            };
        }

        private static JsonValue DefaultValue(string text) =>
            text is "true" or "false" ? JsonValue.Create(text == "true") : int.TryParse(text, out int number) ? JsonValue.Create(number) : JsonValue.Create(text);

        private static (string Head, string Tail) Cut(string text, char mark)
        {
            int at = text.IndexOf(mark, StringComparison.Ordinal);
            return at < 0 ? (text, "") : (text[..at], text[(at + 1)..]);
        }
    }
}
