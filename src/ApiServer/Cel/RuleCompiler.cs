using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Cel;

internal static class RuleCompiler
{
    public static IEnumerable<FieldError> Check(StructuralSchema schema, string path) { _ = (schema, path); return []; }
}
