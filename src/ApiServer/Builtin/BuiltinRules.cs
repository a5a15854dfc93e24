using OptiInfra.ApiServer.Registry;

namespace OptiInfra.ApiServer.Builtin;

internal static class BuiltinRules
{
    public static KindRules Of(string group, string kind) => KindRules.Open;
}
