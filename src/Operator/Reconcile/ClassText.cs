using System.Text.RegularExpressions;
using OptiInfra.Compiler.Model;

namespace OptiInfra.Operator.Reconcile;

/// <summary>Reads back <c>classes.yml</c> as the compiler writes it: one job per class, whose name ends in the class's id.</summary>
internal static partial class ClassText
{
    public static IReadOnlyList<ScrapeClass> Parse(string text)
    {
        Match[] heads = [.. Head().Matches(text).Cast<Match>()];
        return [.. heads.Select((head, i) => new ScrapeClass(head.Groups[1].Value, text[head.Index..(i + 1 < heads.Length ? heads[i + 1].Index : text.Length)]))];
    }

    [GeneratedRegex("^ *- job_name: \"?optiinfra-([0-9a-f]+)\"?\\s*$", RegexOptions.Multiline)]
    private static partial Regex Head();
}
