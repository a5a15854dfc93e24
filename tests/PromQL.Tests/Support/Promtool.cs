using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace OptiInfra.PromQL.Tests.Support;

/// <summary>Asks a real promtool.</summary>
internal sealed partial class Promtool(string version)
{
    private readonly string path = Tools.Find($"prom-{version}/promtool")!;

    /// <summary>
    /// promtool's verdict on each expression, null for accepted and otherwise "line:column: message". All go through one
    /// run of <c>check rules</c>, each as a rule of its own. An empty text is no rule and must not be asked about.
    /// </summary>
    public IReadOnlyList<string?> CheckExpressions(IReadOnlyList<string> expressions, params string[] extra)
    {
        var file = new StringBuilder("groups:\n- name: g\n  rules:\n");
        for (int i = 0; i < expressions.Count; i++)
        {
            file.Append(CultureInfo.InvariantCulture, $"  - {{record: \"r{i}\", expr: {YamlString(expressions[i])}}}\n");
        }
        var verdicts = new string?[expressions.Count];
        foreach (Match match in RuleError().Matches(CheckRules(file.ToString(), extra).Output))
        {
            verdicts[int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture)] ??= match.Groups[2].Value;
        }
        return verdicts;
    }

    public (int ExitCode, string Output) CheckRules(string yaml, params string[] extra)
    {
        string file = Path.Combine(Path.GetTempPath(), $"optiinfra-{Guid.NewGuid():N}.yml");
        File.WriteAllText(file, yaml);
        try
        {
            return Run([.. extra, "check", "rules", file]);
        }
        finally
        {
            File.Delete(file);
        }
    }

    public string Format(string expression) => Run(["--experimental", "promql", "format", expression]).Output;

    public (int ExitCode, string Output) Run(IEnumerable<string> arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(path, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd() + errors.Result;
        process.WaitForExit();
        return (process.ExitCode, output);
    }

    /// <summary>A double-quoted YAML scalar: control characters escaped, the rest as it is.</summary>
    private static string YamlString(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (char c in text)
        {
            if (c is '"' or '\\')
            {
                quoted.Append('\\').Append(c);
            }
            else if (c is < ' ' or (>= '\x7f' and < '\xa0') or '\u2028' or '\u2029' or '\ufeff')
            {
                quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            }
            else
            {
                quoted.Append(c);
            }
        }
        return quoted.Append('"').ToString();
    }

    [GeneratedRegex("""group "g", rule \d+, "r(\d+)": could not parse expression: (.*)""")]
    private static partial Regex RuleError();
}
