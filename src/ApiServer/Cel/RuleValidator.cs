using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Cel;

internal static class RuleValidator
{
    public static bool HasRules(StructuralSchema? schema) =>
        schema is not null && (schema.Validations.Count > 0 || HasRules(schema.Items) || HasRules(schema.Values) || (schema.Properties?.Values.Any(HasRules) ?? false));

    public static IEnumerable<FieldError> Validate(StructuralSchema schema, JsonObject value, JsonObject? old) { _ = (schema, value, old); return []; }
}
