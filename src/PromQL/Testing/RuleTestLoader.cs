using System.Collections.Immutable;
using System.Text;
using System.Text.RegularExpressions;
using OptiInfra.PromQL.Rules;
using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Testing;

/// <summary>Tests with the rules that they are about, all read. <see cref="Diagnostics"/> tells what is wrong with any of them.</summary>
/// <param name="Name">The test file, or the policy that the tests stand in.</param>
/// <param name="File">The tests.</param>
/// <param name="Rules">The rules.</param>
/// <param name="Diagnostics">Mistakes in either.</param>
public sealed record LoadedRuleTests(string Name, RuleTestFile File, ImmutableArray<RuleFile> Rules, ImmutableArray<Diagnostic> Diagnostics)
{
    public bool IsValid => !Diagnostics.Any(d => d.IsError);

    /// <summary>The policy that the tests stand in, as namespace/name; null for a test file.</summary>
    public string? Policy { get; init; }
}

/// <summary>Reads rule tests: promtool's files with the rule files that their patterns name, and the tests in AlertPolicies.</summary>
public static class RuleTestLoader
{
    /// <summary>Whether a YAML text holds tests, so that a folder can be searched for them. What is no YAML holds none.</summary>
    public static bool HoldsTests(string text) => text.Contains("tests:", StringComparison.Ordinal)
        && YamlTree.Parse(text) is var tree && tree.Documents.Any(root => IsTestFile(root) || PolicyTests(root) is not null);

    /// <summary>Everything a file has to test: itself, or each of the policies in it. Of a policy, the rules are its own groups; who can compile packs replaces them.</summary>
    /// <exception cref="IOException">A file is missing or cannot be read.</exception>
    public static IReadOnlyList<LoadedRuleTests> LoadAll(string path, ParserOptions options)
    {
        YamlTree tree = YamlTree.Parse(File.ReadAllText(path));
        return tree.Documents.Any(root => IsPolicy(root))
            ? [.. tree.Documents.Where(root => PolicyTests(root) is not null).Select(root => Policy(tree, (YamlMapping)root!, path, options))]
            : [Load(path, options)];
    }

    /// <exception cref="IOException">A file is missing or cannot be read.</exception>
    public static LoadedRuleTests Load(string path, ParserOptions options)
    {
        RuleTestFile file = RuleTestFile.Parse(File.ReadAllText(path), options.Version, path);
        string folder = Path.GetDirectoryName(path) is { Length: > 0 } parent ? parent : ".";
        var rules = ImmutableArray.CreateBuilder<RuleFile>();
        var diagnostics = file.Diagnostics.ToBuilder();
        foreach (string pattern in file.RuleFiles)
        {
            string[] found = Glob(pattern.Length == 0 || Path.IsPathRooted(pattern) ? pattern : Path.Combine(folder, pattern));
            if (found.Length == 0)
            {
                diagnostics.Add(new Diagnostic("rule-test/no-files", Severity.Warning, $"no file matches the pattern {pattern}") { Source = path });
            }
            foreach (string name in found)
            {
                RuleFile ruleFile = RuleFile.Parse(File.ReadAllText(name), options, name);
                rules.Add(ruleFile);
                diagnostics.AddRange(ruleFile.Diagnostics);
            }
        }
        return new LoadedRuleTests(path, file, rules.ToImmutable(), diagnostics.ToImmutable());
    }

    private static bool IsTestFile(YamlNode? root) => root is YamlMapping mapping && mapping.Find("tests") is YamlSequence;

    private static bool IsPolicy(YamlNode? root) => root is YamlMapping mapping && mapping.Find("kind") is YamlScalar { Value: "AlertPolicy" };

    private static YamlSequence? PolicyTests(YamlNode? root) =>
        IsPolicy(root) && ((YamlMapping)root!).Find("spec") is YamlMapping spec && spec.Find("tests") is YamlSequence tests ? tests : null;

    private static LoadedRuleTests Policy(YamlTree tree, YamlMapping root, string path, ParserOptions options)
    {
        var metadata = root.Find("metadata") as YamlMapping;
        string name = $"{(metadata?.Find("namespace") as YamlScalar)?.Value ?? "default"}/{(metadata?.Find("name") as YamlScalar)?.Value}";
        var spec = (YamlMapping)root.Find("spec")!;
        var groups = new YamlMapping([.. spec.Entries.Where(entry => entry.Key.Value == "groups")]) { Start = spec.Start, End = spec.End };
        RuleFile rules = RuleFile.Read(tree, groups, options, path);
        RuleTestFile tests = RuleTestFile.Read(PolicyTests(root)!, options.Version, path);
        return new LoadedRuleTests($"{path}: AlertPolicy {name}", tests, [rules], [.. tests.Diagnostics, .. rules.Diagnostics]) { Policy = name };
    }

    /// <summary>Go's filepath.Glob: * and ? within a path element, character classes, \ to escape; in the order of the names.</summary>
    private static string[] Glob(string pattern)
    {
        if (!pattern.AsSpan().ContainsAny('*', '?', '['))
        {
            return File.Exists(pattern) ? [pattern] : [];
        }
        string[] elements = pattern.Split('/');
        IEnumerable<string> found = [Path.IsPathRooted(pattern) ? "/" : "."];
        foreach ((string element, int i) in elements.Select((element, i) => (element, i)).Where(entry => entry.element.Length > 0))
        {
            bool last = i == elements.Length - 1;
            found = [.. found.SelectMany(folder => Entries(folder, element, last))];
        }
        return [.. found.Select(Path.TrimEndingDirectorySeparator)];
    }

    private static IEnumerable<string> Entries(string folder, string element, bool last)
    {
        if (!element.AsSpan().ContainsAny('*', '?', '['))
        {
            string path = Path.Combine(folder, element);
            return (last ? File.Exists(path) : Directory.Exists(path)) ? [path] : [];
        }
        var regex = new Regex(ToRegex(element), RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
        IEnumerable<string> all = last ? Directory.EnumerateFiles(folder) : Directory.EnumerateDirectories(folder);
        return all.Where(path => regex.IsMatch(Path.GetFileName(path))).Order(StringComparer.Ordinal);
    }

    private static string ToRegex(string element)
    {
        var regex = new StringBuilder("^");
        bool inClass = false;
        foreach (char c in element)
        {
            regex.Append((c, inClass) switch
            {
                ('*', false) => ".*",
                ('?', false) => ".",
                ('[' or ']' or '-' or '^', _) => c.ToString(),
                _ => Regex.Escape(c.ToString()),
            });
            inClass = c == '[' || (inClass && c != ']');
        }
        return regex.Append("\\z").ToString();
    }
}
