using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Registry;

/// <summary>The rules that all custom resources share, over the schema of one version.</summary>
internal static class CustomRules
{
    public static KindRules Of(StructuralSchema schema, bool hasStatus) => new()
    {
        Schema = schema,
        HasGeneration = true,
        UnconditionalUpdate = false,
        NameRule = NameRule.DnsSubdomain,
        Validate = obj => CustomValidation.Validate(schema, obj, null),
        ValidateUpdate = (wanted, old) => CustomValidation.Validate(schema, wanted, old),
        ValidateStatusUpdate = (wanted, old) => CustomValidation.Validate(schema, wanted, old, statusOnly: true),
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

    private static void KeepStatus(JsonObject wanted, JsonObject old)
    {
        wanted.Remove("status");
        if (old.TryGetPropertyValue("status", out JsonNode? status))
        {
            wanted["status"] = status?.DeepClone();
        }
    }
}
