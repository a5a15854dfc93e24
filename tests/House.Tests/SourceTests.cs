namespace OptiInfra.House.Tests;

/// <summary>The house numbers of CONTRIBUTING.md that a machine can count.</summary>
public sealed class SourceTests
{
    /// <summary>Lexers, parsers and function tables may be this long, everything else 600 lines.</summary>
    private const int LongestTable = 1000;

    private static IReadOnlyList<string> Sources { get; } = [.. Repository.Files("src", "*.cs")];

    [Fact]
    public void No_file_is_longer_than_allowed() =>
        Assert.DoesNotContain(Sources, path => File.ReadLines(Repository.PathOf(path)).Count() > (IsTable(path) ? LongestTable : 600));

    [Fact]
    public void Folders_are_at_most_one_level_deep()
    {
        // src/Project/Folder/File.cs; lint rules may go one deeper.
        Assert.DoesNotContain(Sources, path => path.Split('/').Length > (path.Contains("/Lint/Rules/", StringComparison.Ordinal) ? 5 : 4));
    }

    [Fact]
    public void There_are_few_pragmas_and_no_regions()
    {
        string[] lines = [.. Sources.SelectMany(path => File.ReadLines(Repository.PathOf(path))).Select(line => line.TrimStart())];

        Assert.InRange(lines.Count(line => line.StartsWith("#pragma warning disable", StringComparison.Ordinal)), 0, 5);
        Assert.DoesNotContain(lines, line => line.StartsWith("#region", StringComparison.Ordinal));
    }

    [Fact]
    public void Names_say_what_a_type_is_not_that_it_is_one_of_many()
    {
        string[] suffixes = ["Helper", "Helpers", "Util", "Utils", "Manager", "Impl"];

        // "Field manager" is the API's own word.
        Assert.DoesNotContain(Sources.Except(["src/ApiServer/Apply/FieldManager.cs"]), path => suffixes.Any(suffix => Path.GetFileNameWithoutExtension(path).EndsWith(suffix, StringComparison.Ordinal)));
    }

    private static bool IsTable(string path) => Path.GetFileNameWithoutExtension(path) is var name
        && (name.EndsWith("Lexer", StringComparison.Ordinal) || name.EndsWith("Parser", StringComparison.Ordinal) || name.EndsWith("Syntax", StringComparison.Ordinal));
}
