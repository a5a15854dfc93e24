using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Registry;

/// <summary>The rules that all custom resources share, over the schema of one version.</summary>
internal static class CustomRules
{
    public static KindRules Of(StructuralSchema schema, bool hasStatus, JsonObject? scale = null) => new()
    {
        Schema = schema,
        HasGeneration = true,
        UnconditionalUpdate = false,
        NameRule = NameRule.DnsSubdomain,
        Validate = obj => [.. CustomValidation.Validate(schema, obj, null), .. CheckReplicas(obj, scale.Str("specReplicasPath"))],
        ValidateUpdate = (wanted, old) => [.. CustomValidation.Validate(schema, wanted, old), .. CheckReplicas(wanted, scale.Str("specReplicasPath"))],
        ValidateStatusUpdate = (wanted, old) => [.. CustomValidation.Validate(schema, wanted, old, statusOnly: true), .. CheckReplicas(wanted, scale.Str("statusReplicasPath"))],
        PrepareForCreate = obj =>
        {
            if (hasStatus)
            {
                obj.Remove("status");
            }
        },
        PrepareForUpdate = (wanted, old) =>
        {
            if (hasStatus)
            {
                KeepStatus(wanted, old);
            }
        },
    };

    /// <summary>What the scale subresource shows has to be a count.</summary>
    private static IEnumerable<FieldError> CheckReplicas(JsonObject obj, string? path)
    {
        if (path is null || obj.At(path) is not { } value)
        {
            yield break;
        }

        if (value.Int() is not { } count)
        {
            yield return FieldError.Invalid(path, "0", $"{path} accessor error: {Json.GoValue(value)} is of the type {Json.GoType(value)}, expected int64");
        }
        else if (count < 0)
        {
            yield return FieldError.Invalid(path, count.ToString(), "should be a non-negative integer");
        }
        else if (count > int.MaxValue)
        {
            yield return FieldError.Invalid(path, count.ToString(), $"should be less than or equal to {int.MaxValue}");
        }
    }

    private static void KeepStatus(JsonObject wanted, JsonObject old)
    {
        wanted.Remove("status");
        if (old.TryGetPropertyValue("status", out JsonNode? status))
        {
            wanted["status"] = status?.DeepClone();
        }
    }
}
