using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace OptiInfra.Kubernetes.Objects;

/// <summary>An object of any kind: its metadata typed, the rest as it came. Treat <see cref="Json"/> as read-only: caches share it.</summary>
[JsonConverter(typeof(DynamicObjectConverter))]
public sealed record DynamicObject(JsonObject Json) : IKubeObject
{
    public ObjectMeta Metadata { get; } =
        Json["metadata"]?.Deserialize(KubeJson.Default.ObjectMeta) ?? new ObjectMeta();

    public static ResourceType<DynamicObject> Type(ResourceKind kind) => new(kind, KubeJson.Default.DynamicObject);
}

/// <summary>
/// Only the metadata of an object. Clients that read this type ask the server for PartialObjectMetadata, so that
/// neither the wire nor the memory carries the rest.
/// </summary>
public sealed record PartialObject : IKubeObject
{
    public string? ApiVersion { get; init; }

    public string? Kind { get; init; }

    public ObjectMeta Metadata { get; init; } = new();

    public static ResourceType<PartialObject> Type(ResourceKind kind) => new(kind, KubeJson.Default.PartialObject);
}

internal sealed class DynamicObjectConverter : JsonConverter<DynamicObject>
{
    public override DynamicObject Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        JsonNode.Parse(ref reader) is JsonObject json ? new DynamicObject(json) : throw new JsonException("an object was expected");

    public override void Write(Utf8JsonWriter writer, DynamicObject value, JsonSerializerOptions options) => value.Json.WriteTo(writer);
}
