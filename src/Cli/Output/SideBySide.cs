namespace OptiInfra.Cli.Output;

/// <summary>Two lists next to each other, equal lines on the same height: expected on the left, actual on the right.</summary>
internal static class SideBySide
{
    private const int MinColumn = 20;

    public static IEnumerable<string> Lines(IReadOnlyList<string> expected, IReadOnlyList<string> actual, int width)
    {
        int longest = expected.Concat(actual).Select(line => line.Length).DefaultIfEmpty(0).Max();
        int column = Math.Max(MinColumn, Math.Min((width - 3) / 2, Math.Max(longest, "expected".Length)));
        yield return Row("expected", ' ', "actual", column);
        foreach ((string? left, string? right) in Pair(expected, actual))
        {
            char sign = left == right ? ' ' : left is null ? '>' : right is null ? '<' : '|';
            string[] leftParts = Wrap(left, column), rightParts = Wrap(right, column);
            for (int i = 0; i < Math.Max(leftParts.Length, rightParts.Length); i++)
            {
                yield return Row(leftParts.ElementAtOrDefault(i) ?? "", i == 0 ? sign : ' ', rightParts.ElementAtOrDefault(i) ?? "", column);
            }
        }

        if (expected.Count == 0 && actual.Count == 0)
        {
            yield return Row("nothing", ' ', "nothing", column);
        }
    }

    /// <summary>Equal lines are partners; between two pairs of them, what is left over is paired as it comes.</summary>
    private static IEnumerable<(string? Left, string? Right)> Pair(IReadOnlyList<string> expected, IReadOnlyList<string> actual)
    {
        int i = 0, j = 0;
        while (i < expected.Count || j < actual.Count)
        {
            int match = i < expected.Count ? IndexOf(actual, expected[i], j) : -1;
            if (match == j && match >= 0)
            {
                yield return (expected[i++], actual[j++]);
            }
            else if (i < expected.Count && match < 0)
            {
                bool partnerIsFree = j < actual.Count && IndexOf(expected, actual[j], i) < 0;
                yield return (expected[i++], partnerIsFree ? actual[j++] : null);
            }
            else
            {
                yield return (null, actual[j++]);
            }
        }
    }

    private static int IndexOf(IReadOnlyList<string> lines, string line, int from)
    {
        for (int i = from; i < lines.Count; i++)
        {
            if (lines[i] == line)
            {
                return i;
            }
        }

        return -1;
    }

    private static string[] Wrap(string? line, int column) =>
        string.IsNullOrEmpty(line) ? [""] : [.. line.Chunk(column).Select(part => new string(part))];

    private static string Row(string left, char sign, string right, int column) => $"{left.PadRight(column)} {sign} {right}".TrimEnd();
}
