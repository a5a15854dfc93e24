using OptiInfra.ApiServer.Registry;

namespace OptiInfra.ApiServer.Builtin;

/// <summary>The rules of the built-in kinds, by group and kind.</summary>
internal static class BuiltinRules
{
    public static KindRules Of(string group, string version, string kind) =>
        BuiltinSchemas.Find(group.Length == 0 ? version : $"{group}/{version}", kind) is { } schema ? new KindRules { Schema = schema } : KindRules.Open;
}
