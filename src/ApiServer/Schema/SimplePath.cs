namespace OptiInfra.ApiServer.Schema;

/// <summary>
/// The small path language of definitions (fieldPath of a rule, jsonPath of a selectable field): dotted names, and names
/// in brackets and quotes: <c>.spec.ports['http']</c>. A path must lead to something that the schema declares.
/// </summary>
internal static class SimplePath
{
    /// <param name="path">As written, with its leading dot.</param>
    /// <param name="schema">The schema the path starts in.</param>
    /// <param name="display">The path as errors show it: <c>spec.ports[http]</c>.</param>
    /// <param name="target">The schema at the end of the path.</param>
    /// <param name="error">Why the path is invalid.</param>
    /// <param name="allowBrackets">Names in brackets are allowed.</param>
    public static bool TryResolve(string path, StructuralSchema schema, out string display, out StructuralSchema? target, out string error, bool allowBrackets = true)
    {
        display = "";
        target = schema;
        error = "";
        int at = 0;
        while (at < path.Length)
        {
            bool bracket = path[at] == '[';
            string name;
            if (path[at] == '.')
            {
                int end = path.AsSpan(at + 1).IndexOfAny('.', '[') is var next && next < 0 ? path.Length : at + 1 + next;
                name = path[(at + 1)..end];
                at = end;
            }
            else if (bracket && allowBrackets && at + 1 < path.Length && path[at + 1] == '\'' && path.IndexOf("']", at, StringComparison.Ordinal) is > 0 and var close)
            {
                name = path[(at + 2)..close].Replace("\\'", "'", StringComparison.Ordinal);
                at = close + 2;
            }
            else
            {
                int end = path.AsSpan(at).IndexOfAny('.', '[') is var next && next < 0 ? path.Length : at + next;
                error = bracket ? "array index is not supported" : $"expected [ or . but got: {path[at..end]}";
                return false;
            }

            StructuralSchema? child = target!.Field(name);
            bool mapKey = child is null && target.Values is not null;
            child ??= target.Values;
            if (child is null)
            {
                error = "does not refer to a valid field";
                return false;
            }

            display += mapKey || bracket ? $"[{name}]" : display.Length == 0 ? name : "." + name;
            target = child;
        }

        return true;
    }
}
