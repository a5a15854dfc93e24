namespace OptiInfra.Cli.Output;

/// <summary>A table as kubectl prints one: upper-case heads, columns padded with three spaces, nothing else. Safe to cut and grep.</summary>
internal sealed class TextTable(params string[] heads)
{
    private readonly List<string[]> rows = [];

    public void Add(params string[] cells) => rows.Add(cells);

    public void Write(TextWriter output, string indent = "")
    {
        int[] widths = [.. heads.Select((head, column) => rows.Select(row => row[column].Length).Append(head.Length).Max())];
        foreach (string[] row in rows.Prepend(heads))
        {
            IEnumerable<string> cells = row.Select((cell, column) => cell.PadRight(widths[column]));
            output.WriteLine((indent + string.Join("   ", cells)).TrimEnd());
        }
    }
}
