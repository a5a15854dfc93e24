using System.ComponentModel;
using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;

namespace OptiInfra.Crds.Schema;

/// <summary>
/// Reads the schema of a type from System.Text.Json's own contract (the source-generated one), so that what we parse, what
/// the API server accepts and what the documentation says cannot differ. Every string, list and map gets a bound, because
/// the API server refuses validation rules over unbounded values.
/// </summary>
public static class SchemaReader
{
    private const int DefaultTextLength = 1024;
    private const int DefaultEntries = 64;

    public static SchemaNode Read(JsonTypeInfo type)
    {
        ArgumentNullException.ThrowIfNull(type);
        return Type(type, new Notes(null));
    }

    private static SchemaNode Type(JsonTypeInfo info, Notes notes)
    {
        Type type = Nullable.GetUnderlyingType(info.Type) ?? info.Type;
        return info.Kind switch
        {
            JsonTypeInfoKind.Object => Object(info),
            JsonTypeInfoKind.Enumerable => List(info, notes),
            JsonTypeInfoKind.Dictionary => Map(info, notes),
            _ => Scalar(info.Options.GetTypeInfo(type), notes),
        };
    }

    private static SchemaNode Object(JsonTypeInfo info) => new()
    {
        Type = SchemaType.Struct,
        Description = info.Type.GetCustomAttribute<DescriptionAttribute>()?.Description,
        Fields = [.. info.Properties.Select(Field)],
        Unions = [.. info.Type.GetCustomAttributes<OneOfAttribute>().Select(union => new SchemaUnion(union.Fields, union.Optional))],
        Rules = [.. info.Type.GetCustomAttributes<CelAttribute>().Select(cel => new SchemaRule(cel.Rule, cel.Message))],
    };

    private static SchemaField Field(JsonPropertyInfo property)
    {
        var notes = new Notes(property.AttributeProvider);
        SchemaNode node = Type(property.Options.GetTypeInfo(property.PropertyType), notes);
        SchemaRule[] rules = [.. notes.All<CelAttribute>().Select(cel => new SchemaRule(cel.Rule, cel.Message))];
        node = KubernetesBounds(property, node);
        return new SchemaField(
            property.Name,
            node with { Description = notes.One<DescriptionAttribute>()?.Description ?? node.Description, Rules = [.. node.Rules, .. rules] },
            property.IsRequired);
    }

    /// <summary>Kubernetes' own types carry none of our attributes; these are the bounds that Kubernetes gives them.</summary>
    private static SchemaNode KubernetesBounds(JsonPropertyInfo property, SchemaNode node) => (property.DeclaringType.Name, property.Name) switch
    {
        (nameof(Kubernetes.Objects.Condition), "status") => node with { Enum = ["True", "False", "Unknown"] },
        (nameof(Kubernetes.Objects.Condition), "type") => node with { MaxLength = 316 },
        (nameof(Kubernetes.Objects.Condition), "message") => node with { MaxLength = 32768 },
        (nameof(Kubernetes.Objects.LabelSelectorRequirement), "operator") => node with { Enum = ["In", "NotIn", "Exists", "DoesNotExist"] },
        _ => node,
    };

    private static SchemaNode List(JsonTypeInfo info, Notes notes)
    {
        EntriesAttribute? entries = notes.One<EntriesAttribute>();
        return new SchemaNode
        {
            Type = SchemaType.List,
            Entry = Type(info.Options.GetTypeInfo(info.ElementType!), notes),
            MinEntries = entries?.Minimum is > 0 ? entries.Minimum : null,
            MaxEntries = entries?.Maximum ?? DefaultEntries,
            ListKey = notes.One<ListKeyAttribute>()?.Name ?? (info.ElementType == typeof(Kubernetes.Objects.Condition) ? "type" : null),
            IsSet = notes.One<SetAttribute>() is not null,
        };
    }

    private static SchemaNode Map(JsonTypeInfo info, Notes notes)
    {
        EntriesAttribute? entries = notes.One<EntriesAttribute>();
        return new SchemaNode
        {
            Type = SchemaType.Struct,
            Entry = Type(info.Options.GetTypeInfo(info.ElementType!), notes),
            MinEntries = entries?.Minimum is > 0 ? entries.Minimum : null,
            MaxEntries = entries?.Maximum ?? DefaultEntries,
        };
    }

    private static SchemaNode Scalar(JsonTypeInfo info, Notes notes)
    {
        Type type = info.Type;
        NumberAttribute? number = notes.One<NumberAttribute>();
        if (type.IsEnum)
        {
            JsonArray values = info.Options.GetTypeInfo(type).GetJsonSchemaAsNode()["enum"]!.AsArray();
            return new SchemaNode { Type = SchemaType.Text, Enum = [.. values.Select(value => value!.GetValue<string>())] };
        }

        if (type == typeof(bool))
        {
            return new SchemaNode { Type = SchemaType.Flag };
        }

        if (type == typeof(int) || type == typeof(long))
        {
            return new SchemaNode
            {
                Type = SchemaType.Whole,
                Format = type == typeof(int) ? "int32" : "int64",
                Minimum = number?.Minimum ?? 0,
                Maximum = number?.Maximum ?? (type == typeof(int) ? int.MaxValue : null),
            };
        }

        if (type == typeof(double))
        {
            return new SchemaNode { Type = SchemaType.Number, Minimum = number?.Minimum, Maximum = number?.Maximum };
        }

        return type == typeof(DateTimeOffset) ? new SchemaNode { Type = SchemaType.Text, Format = "date-time" }
            : type == typeof(IntOrString) ? Text(SchemaType.IntOrString, notes) with { Minimum = number?.Minimum, Maximum = number?.Maximum }
            : type == typeof(string) ? Text(SchemaType.Text, notes)
            : typeof(JsonNode).IsAssignableFrom(type) ? new SchemaNode { Type = SchemaType.Any }
            : throw new NotSupportedException($"No schema for {type}: use string, bool, int, long, double, an enum, IntOrString or a record.");
    }

    private static SchemaNode Text(SchemaType type, Notes notes)
    {
        TextAttribute? text = notes.One<TextAttribute>();
        return new SchemaNode
        {
            Type = type,
            MinLength = text?.MinLength is > 0 ? text.MinLength : null,
            MaxLength = text?.MaxLength is > 0 ? text.MaxLength : DefaultTextLength,
            Pattern = text?.Pattern,
        };
    }

    /// <summary>The attributes of the property at hand; a list's and a map's also describe their entries.</summary>
    private readonly record struct Notes(ICustomAttributeProvider? Provider)
    {
        public T? One<T>()
            where T : Attribute => All<T>().FirstOrDefault();

        public IEnumerable<T> All<T>()
            where T : Attribute => Provider?.GetCustomAttributes(typeof(T), inherit: true).Cast<T>() ?? [];
    }
}
