using OptiInfra.Compiler.Model;
using OptiInfra.Crds;

namespace OptiInfra.Compiler.Exporters;

/// <summary>The objects that run an agent's exporters.</summary>
internal static class ExporterObjects
{
    public static IReadOnlyList<Manifest> Of(OptiAgent agent, StackModel stack) => [];
}
