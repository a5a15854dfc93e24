using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace OptiInfra.Crds;

/// <summary>A value people write either as a number or as a text: a port (<c>8080</c> or <c>metrics</c>), a quantity (<c>1</c> or <c>500m</c>).</summary>
[JsonConverter(typeof(IntOrStringConverter))]
public readonly record struct IntOrString
{
    private readonly string? _text;

    public IntOrString(string text) => _text = text;

    public IntOrString(long number) => Number = number;

    /// <summary>The number, when it was written as one.</summary>
    public long? Number { get; }

    /// <summary>The value as a port number: written as a number, or as a text of digits.</summary>
    public int? Port => (Number ?? (long.TryParse(_text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : null)) is { } port and >= 0 and <= int.MaxValue
        ? (int)port
        : null;

    public static implicit operator IntOrString(string text) => new(text);

    public static implicit operator IntOrString(int number) => new(number);

    public override string ToString() => Number?.ToString(CultureInfo.InvariantCulture) ?? _text ?? "";
}

internal sealed class IntOrStringConverter : JsonConverter<IntOrString>
{
    public override IntOrString Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.TokenType switch
    {
        JsonTokenType.Number => new IntOrString(reader.GetInt64()),
        JsonTokenType.String => new IntOrString(reader.GetString()!),
        _ => throw new JsonException("expected a number or a text"),
    };

    public override void Write(Utf8JsonWriter writer, IntOrString value, JsonSerializerOptions options)
    {
        if (value.Number is { } number)
        {
            writer.WriteNumberValue(number);
        }
        else
        {
            writer.WriteStringValue(value.ToString());
        }
    }
}
