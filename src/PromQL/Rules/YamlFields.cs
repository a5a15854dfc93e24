using System.Collections.Immutable;
using System.Globalization;
using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Templates;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Rules;

/// <summary>A label or annotation as written.</summary>
public sealed record NamedText(string Name, string Value, YamlScalar NameNode, YamlScalar ValueNode)
{
    /// <summary>The parsed template; null when there is nothing to fill in, or when it is broken.</summary>
    public Template? Template { get; init; }
}

/// <summary>
/// Reads typed fields out of a YAML mapping the way Go's decoder does for Prometheus: any scalar is a text, nothing (<c>~</c>) is the
/// zero value, an unknown field is an error. Everything it finds wrong goes to one list.
/// </summary>
internal sealed class YamlFields(ImmutableArray<Diagnostic>.Builder diagnostics, string id)
{
    public ImmutableArray<Diagnostic>.Builder Diagnostics => diagnostics;

    public void Report(YamlNode place, string message, string? hint = null) =>
        diagnostics.Add(new Diagnostic(id, Severity.Error, message) { Start = place.Start, End = place.End, Hint = hint });

    /// <summary>The node as a mapping whose keys are all known; null when it is none. Nothing at all is an empty mapping.</summary>
    public YamlMapping? Mapping(YamlNode node, string what, params string[] known)
    {
        if (node is YamlScalar { IsNull: true })
        {
            return new YamlMapping([]) { Start = node.Start, End = node.End };
        }
        if (node is not YamlMapping mapping)
        {
            Report(node, $"{what} must be a mapping, not {Describe(node)}");
            return null;
        }
        foreach (YamlEntry entry in mapping.Entries)
        {
            if (!known.Contains(entry.Key.Value, StringComparer.Ordinal))
            {
                string? nearest = Nearest.To(entry.Key.Value, known);
                Report(entry.Key, $"field \"{entry.Key.Value}\" not found in {what}", nearest is null ? null : $"did you mean \"{nearest}\"?");
            }
        }
        return mapping;
    }

    public ImmutableArray<YamlNode> Sequence(YamlMapping mapping, string field)
    {
        switch (mapping.Find(field))
        {
            case null or YamlScalar { IsNull: true }:
                return [];
            case YamlSequence sequence:
                return sequence.Items;
            case var node:
                Report(node, $"\"{field}\" must be a list, not {Describe(node)}");
                return [];
        }
    }

    public (string Value, YamlScalar? Node) Text(YamlMapping mapping, string field)
    {
        switch (mapping.Find(field))
        {
            case null:
                return ("", null);
            case YamlScalar scalar:
                return (scalar.IsNull ? "" : scalar.Value, scalar);
            case var node:
                Report(node, $"\"{field}\" must be a text, not {Describe(node)}");
                return ("", null);
        }
    }

    /// <summary>A duration, or null when the field is absent or wrong.</summary>
    public PromDuration? Duration(YamlMapping mapping, string field)
    {
        (string text, YamlScalar? node) = Text(mapping, field);
        if (node is null || node.IsNull)
        {
            return null;
        }
        if (PromDuration.TryParse(text, out PromDuration duration, out string error))
        {
            return duration;
        }
        Report(node, $"\"{field}\": {error}");
        return null;
    }

    public long Integer(YamlMapping mapping, string field)
    {
        (string text, YamlScalar? node) = Text(mapping, field);
        if (node is null || node.IsNull)
        {
            return 0;
        }
        string digits = text.Replace("_", "", StringComparison.Ordinal);
        if (node.Style == YamlStyle.Plain)
        {
            if (TryInteger(digits, out long integer))
            {
                return integer;
            }
            if (digits.Any(char.IsAsciiDigit) && double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out double number)
                && Math.Abs(number) < long.MaxValue)
            {
                return (long)number;
            }
        }
        Report(node, $"\"{field}\" must be a whole number, not \"{text}\"");
        return 0;
    }

    private static bool TryInteger(string digits, out long value)
    {
        bool negative = digits.StartsWith('-');
        string unsigned = digits.TrimStart('+', '-');
        int radix = unsigned.Length < 2 || unsigned[0] != '0' ? 10 : char.ToLowerInvariant(unsigned[1]) switch { 'x' => 16, 'o' => 8, 'b' => 2, _ => 8 };
        string number = radix == 10 ? unsigned : char.IsAsciiLetter(unsigned[1]) ? unsigned[2..] : unsigned[1..];
        value = 0;
        if (number.Length == 0)
        {
            return false;
        }
        foreach (char c in number)
        {
            int digit = char.IsAsciiHexDigit(c) ? Convert.ToInt32(c.ToString(), 16) : radix;
            if (digit >= radix || value > (long.MaxValue - digit) / radix)
            {
                return false;
            }
            value = (value * radix) + digit;
        }
        value = negative ? -value : value;
        return true;
    }

    public ImmutableArray<NamedText> Texts(YamlMapping mapping, string field)
    {
        switch (mapping.Find(field))
        {
            case null or YamlScalar { IsNull: true }:
                return [];
            case YamlMapping texts:
                var read = ImmutableArray.CreateBuilder<NamedText>(texts.Entries.Length);
                foreach ((YamlScalar key, YamlNode value) in texts.Entries)
                {
                    if (value is YamlScalar scalar)
                    {
                        read.Add(new NamedText(key.Value, scalar.IsNull ? "" : scalar.Value, key, scalar));
                    }
                    else
                    {
                        Report(value, $"\"{field}.{key.Value}\" must be a text, not {Describe(value)}");
                    }
                }
                return read.DrainToImmutable();
            case var node:
                Report(node, $"\"{field}\" must be a mapping, not {Describe(node)}");
                return [];
        }
    }

    public static string Describe(YamlNode node) => node switch
    {
        YamlMapping => "a mapping",
        YamlSequence => "a list",
        _ => "a text",
    };
}

/// <summary>Finds what somebody probably meant.</summary>
public static class Nearest
{
    /// <summary>The candidate with the fewest edits, when there are few enough for a typing mistake; null otherwise.</summary>
    public static string? To(string name, IEnumerable<string> candidates)
    {
        string? best = null;
        int bestDistance = Math.Max(2, name.Length / 3) + 1;
        foreach (string candidate in candidates)
        {
            if (Math.Abs(candidate.Length - name.Length) < bestDistance)
            {
                int distance = Distance(name, candidate, bestDistance);
                if (distance < bestDistance)
                {
                    (best, bestDistance) = (candidate, distance);
                }
            }
        }
        return best;
    }

    private static int Distance(string a, string b, int limit)
    {
        Span<int> row = b.Length < 256 ? stackalloc int[b.Length + 1] : new int[b.Length + 1];
        for (int j = 0; j <= b.Length; j++)
        {
            row[j] = j;
        }
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            int smallest = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int above = row[j];
                row[j] = Math.Min(Math.Min(row[j] + 1, row[j - 1] + 1), diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = above;
                smallest = Math.Min(smallest, row[j]);
            }
            if (smallest >= limit)
            {
                return limit;
            }
        }
        return row[^1];
    }
}
