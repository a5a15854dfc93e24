using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.RegularExpressions;
using OptiInfra.PromQL.Rules;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Alerting;

/// <summary>
/// Reads alertmanager.yml strictly and with positions. In flow order: <see cref="YamlTree"/> gives the tree, <see cref="AlertmanagerSchema"/>
/// the fields of each type, then <see cref="AlertmanagerChecks"/> apply what Alertmanager demands of the whole. The guarantee: no error
/// diagnostics exactly when <c>amtool check-config</c> 0.28 accepts the file. Template files are not opened.
/// </summary>
public sealed partial class AlertmanagerConfig
{
    private static readonly FrozenSet<string> True = FrozenSet.ToFrozenSet(["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"]);
    private static readonly FrozenSet<string> False = FrozenSet.ToFrozenSet(["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"]);

    private readonly YamlFields fields;

    private AlertmanagerConfig(YamlTree tree, string? source)
    {
        var diagnostics = ImmutableArray.CreateBuilder<Diagnostic>();
        diagnostics.AddRange(tree.Diagnostics);
        fields = new YamlFields(diagnostics, "alertmanager/syntax");
        if (diagnostics.Count == 0)
        {
            YamlNode? root = tree.Documents is [{ } first, ..] ? first : null;
            if (root is not null)
            {
                ReadObject(root, "config", "the configuration");
            }
            new AlertmanagerChecks(fields).Check(root as YamlMapping);
        }
        Diagnostics = [.. diagnostics.Select(d => d with { Source = source })];
    }

    public ImmutableArray<Diagnostic> Diagnostics { get; }

    public bool IsValid => Diagnostics.IsEmpty;

    /// <summary>Whether a text is meant for Alertmanager: it has a route and receivers at the top.</summary>
    public static bool LooksLikeOne(string text) => RouteLine().IsMatch(text) && ReceiversLine().IsMatch(text);

    public static AlertmanagerConfig Parse(string text, string? source = null) => new(YamlTree.Parse(text, firstOnly: true), source);

    private void ReadObject(YamlNode node, string type, string what)
    {
        FieldSchema[] schema = AlertmanagerSchema.Fields(type);
        if (node is YamlScalar { IsNull: true } || fields.Mapping(node, what, [.. schema.Select(field => field.Name)]) is not { } mapping)
        {
            return;
        }
        foreach (FieldSchema field in schema)
        {
            if (mapping.Find(field.Name) is { } value and not YamlScalar { IsNull: true })
            {
                ReadField(mapping, field, value);
            }
        }
    }

    private void ReadField(YamlMapping mapping, FieldSchema field, YamlNode value)
    {
        switch (field.Kind)
        {
            case FieldKind.Text:
                fields.Text(mapping, field.Name);
                break;
            case FieldKind.Flag:
                if (value is not YamlScalar { Style: YamlStyle.Plain } flag || !(True.Contains(flag.Value) || False.Contains(flag.Value)))
                {
                    fields.Report(value, $"\"{field.Name}\" must be true or false");
                }
                break;
            case FieldKind.Integer:
                fields.Integer(mapping, field.Name);
                break;
            case FieldKind.Duration:
                fields.Duration(mapping, field.Name);
                break;
            case FieldKind.GoDuration:
                CheckText(mapping, field.Name, text => GoDuration().IsMatch(text) || text is "0" ? null : $"\"{text}\" is no duration");
                break;
            case FieldKind.Url:
                CheckText(mapping, field.Name, text => text == "<secret>" ? null : UrlError(text));
                break;
            case FieldKind.HostPort:
                CheckText(mapping, field.Name, HostPortError);
                break;
            case FieldKind.Texts:
                foreach (YamlNode item in fields.Sequence(mapping, field.Name).Where(item => item is not YamlScalar))
                {
                    fields.Report(item, $"the items of \"{field.Name}\" must be texts");
                }
                break;
            case FieldKind.TextMap or FieldKind.RegexMap:
                fields.Texts(mapping, field.Name);
                break;
            case FieldKind.Matchers:
                ReadMatchers(mapping, field.Name);
                break;
            case FieldKind.Object:
                ReadObject(value, field.Type, $"\"{field.Name}\"");
                break;
            case FieldKind.Objects:
                foreach (YamlNode item in fields.Sequence(mapping, field.Name))
                {
                    ReadObject(item, field.Type, $"an item of \"{field.Name}\"");
                }
                break;
        }
    }

    private void CheckText(YamlMapping mapping, string field, Func<string, string?> check)
    {
        (string text, YamlScalar? node) = fields.Text(mapping, field);
        if (node is not null && check(text) is { } error)
        {
            fields.Report(node, $"\"{field}\": {error}");
        }
    }

    private void ReadMatchers(YamlMapping mapping, string field)
    {
        foreach (YamlNode item in fields.Sequence(mapping, field))
        {
            if (item is not YamlScalar scalar)
            {
                fields.Report(item, $"the items of \"{field}\" must be texts");
            }
            else if (AlertMatchers.Parse(scalar.IsNull ? "" : scalar.Value).Error is { } error)
            {
                fields.Report(item, error);
            }
        }
    }

    private static string? UrlError(string text)
    {
        int scheme = text.IndexOf("://", StringComparison.Ordinal);
        if (scheme < 0 || text[..scheme].ToLowerInvariant() is not ("http" or "https"))
        {
            return $"unsupported scheme for URL \"{text}\"; use http or https";
        }
        string rest = text[(scheme + 3)..];
        int end = rest.IndexOfAny(['/', '?', '#']);
        string authority = end < 0 ? rest : rest[..end];
        string host = authority[(authority.LastIndexOf('@') + 1)..];
        return host.Length == 0 ? $"missing host for URL \"{text}\""
            : host.Contains(' ', StringComparison.Ordinal) || text.Any(char.IsControl) || BadPort(host) ? $"\"{text}\" is no URL" : null;
    }

    private static bool BadPort(string host)
    {
        int colon = host.LastIndexOf(':');
        return colon >= 0 && !host.EndsWith(']') && host[(colon + 1)..].Any(c => !char.IsAsciiDigit(c));
    }

    private static string? HostPortError(string text)
    {
        if (text.Length == 0)
        {
            return null;
        }
        int colon = text.LastIndexOf(':');
        string host = colon < 0 ? text : text[..colon];
        bool bracketed = host.StartsWith('[') && host.EndsWith(']');
        return colon < 0 || (!bracketed && host.Contains(':', StringComparison.Ordinal)) || colon == text.Length - 1
            ? $"\"{text}\" is no host:port" : null;
    }

    [GeneratedRegex(@"^route:", RegexOptions.Multiline)]
    private static partial Regex RouteLine();

    [GeneratedRegex(@"^receivers:", RegexOptions.Multiline)]
    private static partial Regex ReceiversLine();

    [GeneratedRegex(@"^[-+]?((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$")]
    private static partial Regex GoDuration();
}
