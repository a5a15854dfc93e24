using System.Text;

namespace OptiInfra.Metrics.Exposition;

/// <summary>Labels as all text formats write them: <c>name="value"</c>, comma-separated, without braces.</summary>
internal static class LabelText
{
    private static readonly System.Buffers.SearchValues<char> Special = System.Buffers.SearchValues.Create("\\\"\n");

    public static void Append(StringBuilder text, string name, string value)
    {
        if (text.Length > 0)
        {
            text.Append(',');
        }

        AppendName(text, name);
        text.Append("=\"");
        AppendEscaped(text, value);
        text.Append('"');
    }

    /// <summary>Quotes a name which is not plain.</summary>
    public static void AppendName(StringBuilder text, string name)
    {
        if (MetricNames.IsLegacyLabel(name))
        {
            text.Append(name);
            return;
        }

        text.Append('"');
        AppendEscaped(text, name);
        text.Append('"');
    }

    /// <summary>Escapes backslash, quote and line feed.</summary>
    public static void AppendEscaped(StringBuilder text, string value)
    {
        if (value.AsSpan().IndexOfAny(Special) < 0)
        {
            text.Append(value);
            return;
        }

        foreach (char character in value)
        {
            _ = character switch
            {
                '\\' => text.Append("\\\\"),
                '"' => text.Append("\\\""),
                '\n' => text.Append("\\n"),
                _ => text.Append(character),
            };
        }
    }
}
