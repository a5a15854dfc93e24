using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace OptiInfra.Kubernetes.Objects;

public sealed record Service : IKubeObject
{
    public ObjectMeta Metadata { get; init; } = new();

    public ServiceSpec? Spec { get; init; }
}

public sealed record ServiceSpec
{
    public string? Type { get; init; }

    public string? ClusterIP { get; init; }

    public string? ExternalName { get; init; }

    public IReadOnlyDictionary<string, string>? Selector { get; init; }

    public IReadOnlyList<ServicePort>? Ports { get; init; }
}

public sealed record ServicePort
{
    public string? Name { get; init; }

    public int Port { get; init; }

    public IntOrString? TargetPort { get; init; }

    public string? Protocol { get; init; }

    public string? AppProtocol { get; init; }
}

/// <summary>A part of a Service's endpoints; a Service may have many slices (label <c>kubernetes.io/service-name</c>).</summary>
public sealed record EndpointSlice : IKubeObject
{
    public const string ServiceNameLabel = "kubernetes.io/service-name";

    public ObjectMeta Metadata { get; init; } = new();

    public string? AddressType { get; init; }

    public IReadOnlyList<Endpoint>? Endpoints { get; init; }

    public IReadOnlyList<EndpointPort>? Ports { get; init; }

    [JsonIgnore]
    public string? ServiceName => Metadata.Labels?.GetValueOrDefault(ServiceNameLabel);
}

public sealed record Endpoint
{
    public IReadOnlyList<string>? Addresses { get; init; }

    public EndpointConditions? Conditions { get; init; }

    public string? Hostname { get; init; }

    public string? NodeName { get; init; }

    public string? Zone { get; init; }

    public ObjectReference? TargetRef { get; init; }
}

/// <summary>Null means unknown, which readers must take for ready (discovery/v1).</summary>
public sealed record EndpointConditions
{
    public bool? Ready { get; init; }

    public bool? Serving { get; init; }

    public bool? Terminating { get; init; }
}

public sealed record EndpointPort
{
    public string? Name { get; init; }

    public int? Port { get; init; }

    public string? Protocol { get; init; }

    public string? AppProtocol { get; init; }
}

/// <summary>A port by number or by name.</summary>
[JsonConverter(typeof(IntOrStringConverter))]
public readonly record struct IntOrString(int? Number, string? Text)
{
    public override string ToString() => Text ?? Number?.ToString(CultureInfo.InvariantCulture) ?? "";
}

internal sealed class IntOrStringConverter : JsonConverter<IntOrString>
{
    public override IntOrString Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String
            ? new IntOrString(null, reader.GetString())
            : new IntOrString(reader.GetInt32(), null);

    public override void Write(Utf8JsonWriter writer, IntOrString value, JsonSerializerOptions options)
    {
        if (value.Number is { } number)
        {
            writer.WriteNumberValue(number);
        }
        else
        {
            writer.WriteStringValue(value.Text);
        }
    }
}
