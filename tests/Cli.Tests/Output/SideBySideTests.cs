namespace OptiInfra.Cli.Output;

public sealed class SideBySideTests
{
    [Fact]
    public void Equal_lines_stand_on_the_same_height()
    {
        IEnumerable<string> lines = SideBySide.Lines(["a", "b", "c"], ["b", "x", "c", "d"], 100);

        Assert.Equal(
            [
                "expected               actual",
                "a                    <",
                "b                      b",
                "                     > x",
                "c                      c",
                "                     > d",
            ],
            lines);
    }

    [Fact]
    public void Long_lines_are_wrapped_within_their_column()
    {
        string[] lines = [.. SideBySide.Lines([new string('a', 50)], [new string('b', 30)], 63)];

        Assert.All(lines, line => Assert.True(line.Length <= 63));
        Assert.Equal(50, lines.Sum(line => line.Count(c => c == 'a')) - lines[0].Count(c => c == 'a'));
    }
}
