using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OptiInfra.ApiServer.Schema;

/// <summary>
/// What the server needs to know about JSON values beyond System.Text.Json: whether a number is an integer, and how the
/// real server prints values in its messages (compact JSON with sorted members, or the %v form of its language).
/// </summary>
internal static class Json
{
    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static bool IsNumber(JsonNode? node) => node is JsonValue && node.GetValueKind() == JsonValueKind.Number;

    public static bool IsString(JsonNode? node) => node is JsonValue && node.GetValueKind() == JsonValueKind.String;

    public static bool IsBoolean(JsonNode? node) => node is JsonValue && node.GetValueKind() is JsonValueKind.True or JsonValueKind.False;

    public static string? AsString(JsonNode? node) => IsString(node) ? node!.GetValue<string>() : null;

    /// <summary>A number written without a fraction or an exponent that fits into 64 bits; a whole 2.0 is not one.</summary>
    public static bool TryInteger(JsonNode? node, out long value)
    {
        value = 0;
        return node is JsonValue number && IsNumber(node) && (number.TryGetValue(out value) || long.TryParse(NumberText(node), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value));
    }

    public static double ToDouble(JsonNode node) => double.Parse(NumberText(node), CultureInfo.InvariantCulture);

    /// <summary>A number the way the real server prints it: integers as they are, others in the shortest form.</summary>
    public static string FormatNumber(JsonNode node) => TryInteger(node, out long whole) ? whole.ToString(CultureInfo.InvariantCulture) : FormatDouble(ToDouble(node));

    public static string FormatDouble(double value)
    {
        double magnitude = Math.Abs(value);
        if (magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21))
        {
            string text = value.ToString("E16", CultureInfo.InvariantCulture);
            string shortest = value.ToString("R", CultureInfo.InvariantCulture);
            int mark = shortest.IndexOf('E', StringComparison.Ordinal);
            int exponent = int.Parse(text[(text.IndexOf('E', StringComparison.Ordinal) + 1)..], CultureInfo.InvariantCulture);
            string mantissa = mark >= 0 ? shortest[..mark] : shortest;
            return $"{mantissa}e{(exponent < 0 ? "-" : "+")}{Math.Abs(exponent):00}";
        }

        return magnitude < 1e15 && Math.Floor(value) == value
            ? ((long)value).ToString(CultureInfo.InvariantCulture)
            : decimal.TryParse(value.ToString("R", CultureInfo.InvariantCulture), NumberStyles.Float, CultureInfo.InvariantCulture, out decimal exact)
                ? exact.ToString(CultureInfo.InvariantCulture)
                : value.ToString("R", CultureInfo.InvariantCulture);
    }

    public static bool Equal(JsonNode? left, JsonNode? right) => JsonNode.DeepEquals(left, right);

    public static JsonNode? Clone(JsonNode? node) => node?.DeepClone();

    /// <summary>A quoted string as JSON writes it, with the three characters escaped that the real server escapes for HTML's sake.</summary>
    public static string Quote(string text)
    {
        string quoted = "\"" + JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping) + "\"";
        return quoted.AsSpan().IndexOfAny('<', '>', '&') < 0 ? quoted
            : quoted.Replace("<", "\\u003c", StringComparison.Ordinal).Replace(">", "\\u003e", StringComparison.Ordinal).Replace("&", "\\u0026", StringComparison.Ordinal);
    }

    /// <summary>Compact JSON; with <paramref name="sorted"/>, members of objects in ordinal order of their names.</summary>
    public static string Compact(JsonNode? node, bool sorted = true)
    {
        var text = new StringBuilder();
        Write(text, node, sorted);
        return text.ToString();
    }

    private static void Write(StringBuilder text, JsonNode? node, bool sorted)
    {
        switch (node)
        {
            case null:
                text.Append("null");
                break;
            case JsonObject members:
                text.Append('{');
                IEnumerable<KeyValuePair<string, JsonNode?>> ordered = sorted ? members.OrderBy(static member => member.Key, StringComparer.Ordinal) : members;
                foreach ((string name, JsonNode? value) in ordered)
                {
                    text.Append(text[^1] == '{' ? "" : ",").Append(Quote(name)).Append(':');
                    Write(text, value, sorted);
                }

                text.Append('}');
                break;
            case JsonArray items:
                text.Append('[');
                for (int i = 0; i < items.Count; i++)
                {
                    text.Append(i == 0 ? "" : ",");
                    Write(text, items[i], sorted);
                }

                text.Append(']');
                break;
            default:
                text.Append(Scalar(node));
                break;
        }
    }

    /// <summary>The %v form: <c>map[a:1 b:[x y]]</c>, strings bare.</summary>
    public static string GoValue(JsonNode? node) => node switch
    {
        null => "<nil>",
        JsonObject members => "map[" + string.Join(' ', members.OrderBy(static m => m.Key, StringComparer.Ordinal).Select(static m => m.Key + ":" + GoValue(m.Value))) + "]",
        JsonArray items => "[" + string.Join(' ', items.Select(GoValue)) + "]",
        _ => AsString(node) ?? Scalar(node),
    };

    /// <summary>The %#v form, with the types spelled out.</summary>
    public static string GoSyntax(JsonNode? node) => node switch
    {
        null => "interface {}(nil)",
        JsonObject members => "map[string]interface {}{" + string.Join(", ", members.OrderBy(static m => m.Key, StringComparer.Ordinal).Select(static m => Quote(m.Key) + ":" + GoSyntax(m.Value))) + "}",
        JsonArray items => "[]interface {}{" + string.Join(", ", items.Select(GoSyntax)) + "}",
        _ => Scalar(node),
    };

    /// <summary>The name of the type that holds the value once it is decoded without a schema.</summary>
    public static string GoType(JsonNode? node) => node switch
    {
        null => "<nil>",
        JsonObject => "map[string]interface {}",
        JsonArray => "[]interface {}",
        _ when IsString(node) => "string",
        _ when IsBoolean(node) => "bool",
        _ => TryInteger(node, out _) ? "int64" : "float64",
    };

    private static string Scalar(JsonNode node) => node.GetValueKind() switch
    {
        JsonValueKind.String => Quote(node.GetValue<string>()),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        JsonValueKind.Number => FormatNumber(node),
        _ => "null",
    };

    private static string NumberText(JsonNode node) => node.ToJsonString(Relaxed);
}
