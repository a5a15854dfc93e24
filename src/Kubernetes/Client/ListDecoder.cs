using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Kubernetes.Client;

/// <summary>Reads a list straight from its bytes into items, without a tree in between.</summary>
internal static class ListDecoder
{
    public static KubeList<T> Read<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type)
        where T : class, IKubeObject
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 256 });
        var items = new List<T>();
        string version = "";
        string? token = null;
        Expect(ref reader, JsonTokenType.StartObject);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("items"u8))
            {
                ReadItems(ref reader, type, items);
            }
            else if (reader.ValueTextEquals("metadata"u8))
            {
                (version, token) = ReadMetadata(ref reader);
            }
            else
            {
                reader.Read();
                reader.Skip();
            }
        }

        return new KubeList<T>(items, version, token is { Length: > 0 } ? token : null);
    }

    private static void ReadItems<T>(ref Utf8JsonReader reader, JsonTypeInfo<T> type, List<T> items)
        where T : class, IKubeObject
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.Null)
        {
            return; // an empty Go slice
        }

        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw new JsonException("items is not a list");
        }

        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            T? item = JsonSerializer.Deserialize(ref reader, type);
            items.Add(item?.Metadata is not null ? item : throw new JsonException("an item is null or has no metadata"));
        }
    }

    private static (string Version, string? Continue) ReadMetadata(ref Utf8JsonReader reader)
    {
        string version = "";
        string? token = null;
        Expect(ref reader, JsonTokenType.StartObject);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            bool isVersion = reader.ValueTextEquals("resourceVersion"u8);
            bool isToken = reader.ValueTextEquals("continue"u8);
            reader.Read();
            if (isVersion)
            {
                version = reader.GetString() ?? "";
            }
            else if (isToken)
            {
                token = reader.GetString();
            }
            else
            {
                reader.Skip();
            }
        }

        return (version, token);
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType token)
    {
        if (!reader.Read() || reader.TokenType != token)
        {
            throw new JsonException($"{token} was expected");
        }
    }
}
