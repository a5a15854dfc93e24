namespace OptiInfra.Compiler.Input;

/// <summary>"Did you mean": the known word that is nearest to a misspelt one.</summary>
internal static class Suggest
{
    public static string For(string word, IEnumerable<string> known)
    {
        string[] words = [.. known];
        (string Word, int Distance)? best = words
            .Select(candidate => ((string Word, int Distance)?)(candidate, Distance(word.ToLowerInvariant(), candidate.ToLowerInvariant())))
            .OrderBy(candidate => candidate!.Value.Distance)
            .FirstOrDefault();
        return best is { } found && found.Distance <= Math.Max(2, word.Length / 3)
            ? $"did you mean {found.Word}?"
            : $"it can be {string.Join(", ", words.Order(StringComparer.Ordinal))}";
    }

    /// <summary>How many letters must be changed, added, removed or swapped with their neighbour.</summary>
    private static int Distance(string a, string b)
    {
        int[,] table = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
        {
            for (int j = 0; j <= b.Length; j++)
            {
                table[i, j] = i == 0 || j == 0
                    ? i + j
                    : Math.Min(Math.Min(table[i - 1, j], table[i, j - 1]) + 1, table[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    table[i, j] = Math.Min(table[i, j], table[i - 2, j - 2] + 1);
                }
            }
        }

        return table[a.Length, b.Length];
    }
}
