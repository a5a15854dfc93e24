using System.Globalization;
using System.Text.RegularExpressions;

namespace OptiInfra.Metrics.Tests.Exposition;

/// <summary>
/// Reads an OpenMetrics 1.0.0 text as strictly as the specification allows and lists what is wrong. Written from the specification,
/// not from the writer: it knows lines, families and their rules, and nothing of how they came about.
/// </summary>
internal static partial class OpenMetricsCheck
{
    private static readonly Dictionary<string, string[]> Suffixes = new()
    {
        ["counter"] = ["_total", "_created"],
        ["gauge"] = [""],
        ["histogram"] = ["_bucket", "_count", "_sum", "_created"],
        ["summary"] = ["", "_count", "_sum", "_created"],
        ["info"] = ["_info"],
        ["stateset"] = [""],
    };

    public static IReadOnlyList<string> Findings(string text)
    {
        var findings = new List<string>();
        if (!text.EndsWith("# EOF\n", StringComparison.Ordinal))
        {
            findings.Add("does not end with # EOF");
        }

        string[] lines = text.Split('\n')[..^2];
        string family = "";
        string type = "";
        bool sampled = false;
        var families = new HashSet<string>();
        var metadata = new HashSet<string>();
        var series = new HashSet<string>();
        var buckets = new Dictionary<string, double>();
        foreach (string line in lines)
        {
            if (Metadata().Match(line) is { Success: true } comment)
            {
                string name = comment.Groups["name"].Value;
                string keyword = comment.Groups["keyword"].Value;
                if (name != family)
                {
                    Add(families.Add(name), $"family {name} comes twice");
                    (family, type, sampled) = (name, "unknown", false);
                    metadata.Clear();
                }

                Add(metadata.Add(keyword), $"{keyword} of {name} comes twice");
                Add(!sampled, $"{keyword} of {name} comes after a sample");
                type = keyword == "TYPE" ? comment.Groups["text"].Value : type;
                Add(keyword != "TYPE" || Suffixes.ContainsKey(type), $"unknown type {type}");
                Add(keyword != "UNIT" || name.EndsWith("_" + comment.Groups["text"].Value, StringComparison.Ordinal), $"unit of {name} is not its suffix");
            }
            else if (Sample().Match(line) is { Success: true } sample)
            {
                sampled = true;
                CheckSample(sample, line);
            }
            else
            {
                findings.Add($"neither metadata nor sample: {line}");
            }
        }

        return findings;

        void Add(bool isRight, string finding)
        {
            if (!isRight)
            {
                findings.Add(finding);
            }
        }

        void CheckSample(Match sample, string line)
        {
            string name = sample.Groups["name"].Value;
            string labels = sample.Groups["labels"].Value;
            Add(name.StartsWith(family, StringComparison.Ordinal) && Suffixes.GetValueOrDefault(type, []).Contains(name[Math.Min(family.Length, name.Length)..]), $"{name} does not belong to {type} {family}");
            Add(series.Add(name + labels), $"{name}{labels} comes twice");
            bool exemplar = sample.Groups["exemplar"].Success;
            Add(!exemplar || name.EndsWith("_total", StringComparison.Ordinal) || name.EndsWith("_bucket", StringComparison.Ordinal), $"an exemplar on {name}");
            double value = Number(sample.Groups["value"].Value);
            bool counts = (type == "counter" && !name.EndsWith("_created", StringComparison.Ordinal)) || (type is "histogram" or "summary" && name != family);
            Add(!counts || value >= 0, $"negative or undefined: {line}");
            Add(type is not ("info" or "stateset") || sample.Groups["value"].Value is "0" or "1", $"neither 0 nor 1: {line}");
            if (name.EndsWith("_bucket", StringComparison.Ordinal) && type == "histogram")
            {
                string other = BoundLabel().Replace(labels, "");
                Add(!sample.Groups["value"].Value.Contains('.', StringComparison.Ordinal), $"a count with a point: {line}");
                Add(value >= buckets.GetValueOrDefault(name + other), $"buckets fall: {line}");
                buckets[name + other] = value;
            }
            else
            {
                Add(type is "info" or "stateset" || name.EndsWith("_count", StringComparison.Ordinal) || IsFloat().IsMatch(sample.Groups["value"].Value), $"a float that does not show it: {line}");
            }
        }
    }

    private static double Number(string text) => text switch
    {
        "+Inf" => double.PositiveInfinity,
        "-Inf" => double.NegativeInfinity,
        "NaN" => double.NaN,
        _ => double.Parse(text, CultureInfo.InvariantCulture),
    };

    [GeneratedRegex("^# (?<keyword>TYPE|UNIT|HELP) (?<name>[a-zA-Z_:][a-zA-Z0-9_:]*) (?<text>(?:[^\\\\\"\\n]|\\\\[\\\\\"n])*)$")]
    private static partial Regex Metadata();

    [GeneratedRegex("^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?<labels>\\{(?:[a-zA-Z_][a-zA-Z0-9_]*=\"(?:[^\\\\\"\\n]|\\\\[\\\\\"n])*\"(?:,(?!\\})|(?=\\})))*\\})? (?<value>[^ ]+)(?<exemplar> # \\{[^}]*\\} [^ ]+( [^ ]+)?)?$")]
    private static partial Regex Sample();

    [GeneratedRegex("^(NaN|[+-]Inf|-?[0-9]+\\.[0-9]+|-?[0-9](\\.[0-9]+)?e[+-][0-9]{2,3}|-?[0-9]+\\.[0-9]+e[+-][0-9]{2,3})$")]
    private static partial Regex IsFloat();

    [GeneratedRegex(",?le=\"[^\"]*\"")]
    private static partial Regex BoundLabel();
}
