using System.Text;
using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Rules;

/// <summary>
/// Writes the expressions of a rule file in the form of <c>promtool promql format</c>, and touches nothing else. An expression with a
/// comment in it is left alone, because formatting would lose the comment.
/// </summary>
public static class RuleFormatter
{
    public static (string Text, int Changed) Format(string text, IEnumerable<RuleFile> files) =>
        TextEdits.Apply(text, files.SelectMany(file => file.Rules.Select(rule => Edit(file, rule)).OfType<TextEdit>()));

    private static TextEdit? Edit(RuleFile file, Rule rule)
    {
        if (rule is not { Expr: not null, ExprNode: { } node } || rule.ExprText.Contains('#', StringComparison.Ordinal))
        {
            return null;
        }
        string formatted = Printer.Format(rule.Expr);
        if (formatted == rule.ExprText.Trim())
        {
            return null;
        }
        YamlScalar key = rule.Node.Entries.First(entry => entry.Key.Value == "expr").Key;
        string before = file.Tree.Line(key.Start.Line)[..(key.Start.Column - 1)];
        bool inBlock = before.All(c => c is ' ' or '-');
        if (!formatted.Contains('\n', StringComparison.Ordinal))
        {
            return new TextEdit(node.Start, End(file, node, key), Scalar(formatted, inBlock));
        }
        if (!inBlock)
        {
            return null;
        }
        // A first line that is indented itself must not set the indentation of the block.
        var block = new StringBuilder(formatted[0] == ' ' ? "|2-" : "|-");
        string indent = new(' ', key.Start.Column + 1);
        foreach (string line in formatted.Split('\n'))
        {
            block.Append('\n').Append(indent).Append(line);
        }
        return new TextEdit(node.Start, End(file, node, key), block.ToString());
    }

    /// <summary>The end of the scalar's own text: a block ends with its last line that is indented and not blank.</summary>
    private static TextPosition End(RuleFile file, YamlScalar node, YamlScalar key)
    {
        if (node.Style is not (YamlStyle.Literal or YamlStyle.Folded))
        {
            return node.End;
        }
        int last = node.Start.Line;
        for (int line = node.Start.Line + 1; line <= file.Tree.LineCount; line++)
        {
            string text = file.Tree.Line(line);
            if (text.Trim().Length == 0)
            {
                continue;
            }
            if (text.Length - text.TrimStart(' ').Length < key.Start.Column)
            {
                break;
            }
            last = line;
        }
        return new TextPosition(last, Encoding.UTF8.GetByteCount(file.Tree.Line(last)) + 1);
    }

    /// <summary>A YAML scalar on one line: as it is where that is safe, else in single quotes.</summary>
    private static string Scalar(string text, bool inBlock)
    {
        bool plain = inBlock && !text.Contains(": ", StringComparison.Ordinal) && !text.Contains(" #", StringComparison.Ordinal) && !text.EndsWith(':')
            && (char.IsAsciiLetter(text[0]) || text[0] is '_' or '(') && text is not ("true" or "false" or "null" or "yes" or "no" or "on" or "off" or "y" or "n");
        return plain ? text : $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
    }
}
