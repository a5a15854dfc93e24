using System.Text.RegularExpressions;
using OptiInfra.PromQL.Syntax;

namespace OptiInfra.Compiler.Alerting;

/// <summary>One matcher of Alertmanager, such as <c>severity=~"warning|critical"</c>.</summary>
/// <param name="Name">The label.</param>
/// <param name="Op">=, !=, =~ or !~.</param>
/// <param name="Value">The value, without quotes.</param>
public sealed partial record AlertMatcher(string Name, string Op, string Value)
{
    /// <summary>Reads a matcher with or without quotes around its value; null when it is none.</summary>
    public static AlertMatcher? Parse(string text)
    {
        Match match = Form().Match(text);
        if (!match.Success)
        {
            return null;
        }

        string value = match.Groups["quoted"].Success
            ? Escape().Replace(match.Groups["quoted"].Value, escape => escape.Groups[1].Value == "n" ? "\n" : escape.Groups[1].Value)
            : match.Groups["bare"].Value;
        var matcher = new AlertMatcher(match.Groups["name"].Value, match.Groups["op"].Value, value);
        return matcher.IsRegex && RegexSyntax.Check(value).Error is not null ? null : matcher;
    }

    private bool IsRegex => Op is "=~" or "!~";

    /// <summary>Whether an alert with these labels is matched; a label that is not there counts as empty.</summary>
    public bool Matches(IReadOnlyDictionary<string, string> labels)
    {
        ArgumentNullException.ThrowIfNull(labels);
        string actual = labels.GetValueOrDefault(Name) ?? "";
        return Op switch
        {
            "=" => actual == Value,
            "!=" => actual != Value,
            "=~" => Regex.IsMatch(actual, $"^(?:{Value})$", RegexOptions.CultureInvariant),
            _ => !Regex.IsMatch(actual, $"^(?:{Value})$", RegexOptions.CultureInvariant),
        };
    }

    public override string ToString() => $"{Name}{Op}\"{Value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)}\"";

    [GeneratedRegex("""^\s*(?<name>[a-zA-Z_][a-zA-Z0-9_]*)\s*(?<op>=~|!~|!=|=)\s*(?:"(?<quoted>(?:[^"\\]|\\.)*)"|(?<bare>[^"{}!=~,\\\s]*))\s*$""")]
    private static partial Regex Form();

    [GeneratedRegex(@"\\(.)")]
    private static partial Regex Escape();
}
