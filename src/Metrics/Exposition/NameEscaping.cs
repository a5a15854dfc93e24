using System.Globalization;
using System.Text;

namespace OptiInfra.Metrics.Exposition;

/// <summary>Turns a UTF-8 name into one a reader understands, as the reader asked for it. Plain names pass unchanged where the scheme allows.</summary>
internal static class NameEscaping
{
    public static string NameOf(EscapingScheme scheme) => scheme switch
    {
        EscapingScheme.AllowUtf8 => "allow-utf-8",
        EscapingScheme.Dots => "dots",
        EscapingScheme.Values => "values",
        _ => "underscores",
    };

    public static EscapingScheme? Parse(string? name) => name switch
    {
        "allow-utf-8" => EscapingScheme.AllowUtf8,
        "dots" => EscapingScheme.Dots,
        "values" => EscapingScheme.Values,
        "underscores" => EscapingScheme.Underscores,
        _ => null,
    };

    /// <summary>The escaped name. Only <see cref="EscapingScheme.Dots"/> changes plain names too, so that it can be undone.</summary>
    public static string Escape(string name, EscapingScheme scheme, bool isLabel = false)
    {
        bool plain = isLabel ? MetricNames.IsLegacyLabel(name) : MetricNames.IsLegacyName(name);
        return scheme switch
        {
            EscapingScheme.AllowUtf8 => name,
            EscapingScheme.Underscores => plain ? name : Build(name, isLabel, Underscore),
            EscapingScheme.Dots => Build(name, isLabel, Dot),
            _ => plain ? name : Build(name, isLabel, Value).Insert(0, "U__"),
        };
    }

    private static string Build(string name, bool isLabel, Action<StringBuilder, Rune, bool> append)
    {
        var text = new StringBuilder();
        bool first = true;
        foreach (Rune rune in name.EnumerateRunes())
        {
            bool legal = rune.Value == '_' || (rune.Value == ':' && !isLabel) || (rune.IsAscii && char.IsAsciiLetter((char)rune.Value))
                || (!first && rune.IsAscii && char.IsAsciiDigit((char)rune.Value));
            append(text, rune, legal);
            first = false;
        }

        return text.ToString();
    }

    private static void Underscore(StringBuilder text, Rune rune, bool legal) => text.Append(legal ? (char)rune.Value : '_');

    private static void Dot(StringBuilder text, Rune rune, bool legal)
    {
        string escaped = rune.Value switch
        {
            '.' => "_dot_",
            '_' => "__",
            _ => legal ? rune.ToString() : "__",
        };
        text.Append(escaped);
    }

    private static void Value(StringBuilder text, Rune rune, bool legal)
    {
        if (rune.Value == '_')
        {
            text.Append("__");
        }
        else if (legal)
        {
            text.Append((char)rune.Value);
        }
        else
        {
            text.Append('_').Append(rune.Value.ToString("x", CultureInfo.InvariantCulture)).Append('_');
        }
    }
}
