using System.Text;

namespace OptiInfra.PromQL.Text;

/// <summary>Applies edits to a text.</summary>
public static class TextEdits
{
    /// <summary>The text with every edit applied, and how many were: an edit that overlaps an earlier one is left for the next run.</summary>
    public static (string Text, int Applied) Apply(string text, IEnumerable<TextEdit> edits)
    {
        int[] lineStarts = LineStarts(text);
        var result = new StringBuilder(text.Length);
        int done = 0, applied = 0;
        foreach ((int start, int end, string replacement) in edits
            .Select(edit => (Start: Offset(text, lineStarts, edit.Start), End: Offset(text, lineStarts, edit.End), edit.Replacement))
            .OrderBy(edit => edit.Start))
        {
            if (start >= done && end >= start)
            {
                result.Append(text, done, start - done).Append(replacement);
                done = end;
                applied++;
            }
        }
        return (result.Append(text, done, text.Length - done).ToString(), applied);
    }

    private static int Offset(string text, int[] lineStarts, TextPosition position)
    {
        if (position.Line > lineStarts.Length)
        {
            return text.Length;
        }
        int offset = lineStarts[Math.Max(position.Line, 1) - 1];
        for (int bytes = 1; bytes < position.Column && offset < text.Length;)
        {
            Rune.DecodeFromUtf16(text.AsSpan(offset), out Rune rune, out int length);
            bytes += rune.Utf8SequenceLength;
            offset += length;
        }
        return offset;
    }

    private static int[] LineStarts(string text)
    {
        var starts = new List<int> { 0 };
        for (int i = text.IndexOf('\n', StringComparison.Ordinal); i >= 0; i = text.IndexOf('\n', i + 1))
        {
            starts.Add(i + 1);
        }
        return [.. starts];
    }
}
