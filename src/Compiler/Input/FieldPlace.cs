using System.Globalization;
using System.Text;
using OptiInfra.PromQL.Text;

namespace OptiInfra.Compiler.Input;

/// <summary>Finds where a field of a resource stands in the file it was read from.</summary>
public sealed class FieldPlace(string source, YamlTree tree, YamlNode root)
{
    public string Source { get; } = source;

    internal YamlTree Tree => tree;

    /// <summary>The diagnostic with file, line and column instead of the resource's name.</summary>
    public Diagnostic Locate(Diagnostic diagnostic)
    {
        ArgumentNullException.ThrowIfNull(diagnostic);
        YamlNode node = diagnostic.Field is null ? root : Find(diagnostic.Field);
        if (diagnostic.Start.IsKnown && node is YamlScalar scalar)
        {
            // The compiler gives the place inside the expression.
            return diagnostic with
            {
                Source = Source,
                Start = tree.PositionIn(scalar, Offset(scalar.Value, diagnostic.Start)),
                End = diagnostic.End.IsKnown ? tree.PositionIn(scalar, Offset(scalar.Value, diagnostic.End)) : default,
            };
        }

        return diagnostic with { Source = Source, Start = node.Start, End = node.End };
    }

    /// <summary>The node of a field such as <c>spec.groups[0].rules[2].expr</c>, or of the nearest field above that exists.</summary>
    public YamlNode Find(string field)
    {
        ArgumentNullException.ThrowIfNull(field);
        YamlNode node = root;
        string rest = field;
        while (rest.Length > 0)
        {
            if (rest[0] == '[' && node is YamlSequence list)
            {
                int close = rest.IndexOf(']', StringComparison.Ordinal);
                int index = int.Parse(rest.AsSpan(1, close - 1), CultureInfo.InvariantCulture);
                if (index >= list.Items.Length)
                {
                    return node;
                }

                node = list.Items[index];
                rest = rest[(close + 1)..].TrimStart('.');
                continue;
            }

            // A key may itself contain dots (a label's name), so the longest key that fits is taken.
            YamlEntry? entry = node is YamlMapping map
                ? map.Entries.Where(entry => Starts(rest, entry.Key.Value)).OrderByDescending(entry => entry.Key.Value.Length).Select(entry => (YamlEntry?)entry).FirstOrDefault()
                : null;
            if (entry is null)
            {
                return node;
            }

            node = entry.Value.Value;
            rest = rest[entry.Value.Key.Value.Length..].TrimStart('.');
        }

        return node;
    }

    private static bool Starts(string path, string key) =>
        path.StartsWith(key, StringComparison.Ordinal) && (path.Length == key.Length || path[key.Length] is '.' or '[');

    /// <summary>The offset in UTF-8 of a line and column in a text.</summary>
    private static int Offset(string text, TextPosition position)
    {
        int offset = 0;
        int line = 1;
        foreach (string part in text.Split('\n'))
        {
            if (line++ == position.Line)
            {
                break;
            }

            offset += Encoding.UTF8.GetByteCount(part) + 1;
        }

        return offset + position.Column - 1;
    }
}
