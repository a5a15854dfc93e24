using OptiInfra.Crds;

namespace OptiInfra.Compiler.Compile;

/// <summary>Which stack serves a resource.</summary>
public static class StackSelection
{
    /// <summary>
    /// The stack that is named, when it accepts the namespace. Else, of those that accept it: the one named "default",
    /// and then the first by namespace and name. Null when there is none; the resource is not accepted then.
    /// </summary>
    public static MonitoringStack? For(StackReference? wanted, string ns, IReadOnlyDictionary<string, string>? namespaceLabels, IEnumerable<MonitoringStack> stacks)
    {
        ArgumentNullException.ThrowIfNull(stacks);
        return stacks
            .Where(stack => wanted is null || (stack.Metadata.Name == wanted.Name && (wanted.Namespace is null || stack.Metadata.Namespace == wanted.Namespace)))
            .Where(stack => Accepts(stack, ns, namespaceLabels))
            .OrderBy(stack => stack.Metadata.Name == "default" ? 0 : 1)
            .ThenBy(stack => stack.Metadata.Namespace, StringComparer.Ordinal)
            .ThenBy(stack => stack.Metadata.Name, StringComparer.Ordinal)
            .FirstOrDefault();
    }

    /// <summary>Whether the stack serves resources of a namespace. A stack that says nothing serves all.</summary>
    public static bool Accepts(MonitoringStack stack, string ns, IReadOnlyDictionary<string, string>? namespaceLabels)
    {
        ArgumentNullException.ThrowIfNull(stack);
        return stack.Spec.Namespaces is not { } selector || selector.Matches(ns, namespaceLabels);
    }
}
