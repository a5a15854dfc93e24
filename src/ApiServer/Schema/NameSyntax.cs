using System.Text.RegularExpressions;

namespace OptiInfra.ApiServer.Schema;

/// <summary>What names may look like. Each check returns what is wrong, in the real server's words; an empty list means nothing is.</summary>
internal static partial class NameSyntax
{
    private const string SubdomainText = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
    private const string LabelText = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
    private const string Label1035Text = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
    private const string QualifiedText = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
    private const string LabelValueText = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
    private const string EnvText = "a valid environment variable name must consist only of printable ASCII characters other than '='";
    private const string ConfigKeyText = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\z")]
    private static partial Regex Subdomain();

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?\z")]
    private static partial Regex Label();

    [GeneratedRegex(@"^[a-z]([-a-z0-9]*[a-z0-9])?\z")]
    private static partial Regex Label1035();

    [GeneratedRegex(@"^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]\z")]
    private static partial Regex NamePart();

    [GeneratedRegex(@"^[-._a-zA-Z0-9]+\z")]
    private static partial Regex ConfigKeySyntax();

    public static IReadOnlyList<string> DnsSubdomain(string name) => Check(name, 253, Subdomain(), SubdomainText);

    public static IReadOnlyList<string> DnsLabel(string name) => Check(name, 63, Label(), LabelText);

    public static IReadOnlyList<string> Dns1035Label(string name) => Check(name, 63, Label1035(), Label1035Text);

    public static IReadOnlyList<string> LabelValue(string value) =>
        value.Length == 0 ? [] : Check(value, 63, NamePart(), LabelValueText);

    public static IReadOnlyList<string> EnvVarName(string name) =>
        name.Length == 0 ? ["environment variable name must be non-empty"] : name.Any(static c => c is < ' ' or > '~' or '=') ? [EnvText] : [];

    public static IReadOnlyList<string> ConfigKey(string key) => key switch
    {
        "." => ["must not be '.'"],
        ".." => ["must not be '..'"],
        _ => [.. Check(key, 253, ConfigKeySyntax(), ConfigKeyText), .. key.StartsWith("..", StringComparison.Ordinal) ? ["must not start with '..'"] : Array.Empty<string>()],
    };

    /// <summary>Keys of labels and annotations: an optional DNS prefix, a slash, and a name.</summary>
    public static IReadOnlyList<string> QualifiedName(string key)
    {
        string[] parts = key.Split('/');
        if (parts.Length > 2)
        {
            return ["a qualified name " + QualifiedText["name part ".Length..].Replace("(e.g. 'MyName'", "(e.g. 'MyName'", StringComparison.Ordinal) + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"];
        }

        var errors = new List<string>();
        if (parts.Length == 2)
        {
            errors.AddRange(parts[0].Length == 0 ? ["prefix part must be non-empty"] : DnsSubdomain(parts[0]).Select(static error => "prefix part " + error));
        }

        string name = parts[^1];
        if (name.Length == 0)
        {
            errors.Add("name part must be non-empty");
        }
        else if (name.Length > 63)
        {
            errors.Add("name part must be no more than 63 characters");
        }

        if (!NamePart().IsMatch(name))
        {
            errors.Add(QualifiedText);
        }

        return errors;
    }

    private static List<string> Check(string name, int length, Regex syntax, string text)
    {
        var errors = new List<string>();
        if (name.Length > length)
        {
            errors.Add($"must be no more than {length} characters");
        }

        if (!syntax.IsMatch(name))
        {
            errors.Add(text);
        }

        return errors;
    }
}
