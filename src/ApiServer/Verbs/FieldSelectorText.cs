using System.Text;
using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;

namespace OptiInfra.ApiServer.Verbs;

internal sealed record FieldRequirement(string Path, bool Negated, string Value)
{
    public bool Matches(JsonObject obj) => (ValueOf(obj) == Value) != Negated;

    /// <summary>The selectable value of a field: absent fields count as empty, booleans and numbers by their text.</summary>
    private string ValueOf(JsonObject obj)
    {
        // Core events select by the reporting component under the names of both APIs.
        string path = Path == "source" ? "source.component" : Path;
        return obj.At(path) switch
        {
            null => Path is "spec.unschedulable" or "spec.hostNetwork" ? "false" : "",
            JsonValue value when value.TryGetValue(out string? text) => text,
            JsonValue value => JsonBytes.Text(value),
            JsonNode other => JsonBytes.Text(other),
        };
    }
}

/// <summary>The fieldSelector query parameter: <c>metadata.name=a,status.phase!=Running</c>, of the fields that the resource supports.</summary>
internal static class FieldSelectorText
{
    public static IReadOnlyList<FieldRequirement>? Parse(string? text, ResourceInfo info)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        List<FieldRequirement> found = [];
        foreach (string term in SplitTerms(text).Order(StringComparer.Ordinal))
        {
            if (term.Length == 0)
            {
                continue;
            }

            (string path, bool negated, string value) = SplitTerm(term)
                ?? throw ApiError.BadRequest($"invalid selector: '{text}'; can't understand '{term}'");
            if (path is not ("metadata.name" or "metadata.namespace") && !info.SelectableFields.Contains(path))
            {
                throw ApiError.BadRequest(Unsupported(info, path));
            }

            found.Add(new FieldRequirement(path, negated, value));
        }

        return found.Count == 0 ? null : found;
    }

    /// <summary>The name that a selector pins down, if it does; such a watch or list is of one object.</summary>
    public static string? PinnedName(IReadOnlyList<FieldRequirement>? fields) =>
        fields?.FirstOrDefault(field => field is { Path: "metadata.name", Negated: false })?.Value;

    private static string Unsupported(ResourceInfo info, string path) =>
        info.IsCustom || info.SelectableFields.Count > 0 || info.Group.Length > 0 && info.Rules.HasGeneration
            ? $"field label not supported: {path}"
            : $"\"{path}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"";

    private static List<string> SplitTerms(string text)
    {
        List<string> terms = [];
        StringBuilder term = new();
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 1 < text.Length)
            {
                term.Append(text[i]).Append(text[++i]);
            }
            else if (text[i] == ',')
            {
                terms.Add(term.ToString());
                term.Clear();
            }
            else
            {
                term.Append(text[i]);
            }
        }

        terms.Add(term.ToString());
        return terms;
    }

    private static (string Path, bool Negated, string Value)? SplitTerm(string term)
    {
        for (int i = 0; i < term.Length; i++)
        {
            foreach (string op in (ReadOnlySpan<string>)["!=", "==", "="])
            {
                if (string.CompareOrdinal(term, i, op, 0, op.Length) == 0)
                {
                    string value = term[(i + op.Length)..].Replace("\\,", ",").Replace("\\=", "=").Replace("\\\\", "\\");
                    return (term[..i], op == "!=", value);
                }
            }
        }

        return null;
    }
}
