using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Registry;

namespace OptiInfra.ApiServer.Schema;

/// <summary>The replica counts of a custom resource with a scale subresource: whole numbers that are not negative.</summary>
internal static class ScaleValidation
{
    public static IEnumerable<FieldError> Validate(JsonObject value, ScalePaths scale, bool statusOnly)
    {
        foreach (string path in statusOnly ? [scale.StatusReplicas] : (string[])[scale.SpecReplicas, scale.StatusReplicas])
        {
            if (Count(value, path) is { } error)
            {
                yield return error;
            }
        }

        if (scale.LabelSelector is { Length: > 0 } selector && Find(value, selector) is { } text && !Json.IsString(text))
        {
            yield return FieldError.Invalid(selector, "\"\"", $"{selector} accessor error: {Json.GoValue(text)} is of the type {Json.GoType(text)}, expected string");
        }
    }

    private static FieldError? Count(JsonObject value, string path) => Find(value, path) switch
    {
        null => null,
        var node when !Json.TryInteger(node, out _) => FieldError.Invalid(path, "0", $"{path} accessor error: {Json.GoValue(node)} is of the type {Json.GoType(node)}, expected int64"),
        var node when Json.TryInteger(node, out long count) && count < 0 => FieldError.Invalid(path, count.ToString(), "should be a non-negative integer"),
        var node when Json.TryInteger(node, out long count) && count > int.MaxValue => FieldError.Invalid(path, count.ToString(), $"should be less than or equal to {int.MaxValue}"),
        _ => null,
    };

    private static JsonNode? Find(JsonObject value, string path) =>
        path.TrimStart('.').Split('.').Aggregate((JsonNode?)value, static (node, name) => (node as JsonObject)?[name]);
}
