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

    /// <summary>All labels of a series as UTF-8, after text that is ready already.</summary>
    public static byte[] Encode(string before, ReadOnlySpan<string> names, ReadOnlySpan<string> values)
    {
        if (values.Length == 0 && before.Length == 0)
        {
            return [];
        }

        // A character takes at most three bytes; two quotes, an equals sign and a comma for each label.
        int limit = before.Length * 3;
        for (int index = 0; index < values.Length; index++)
        {
            limit += ((names[index].Length + values[index].Length + 2) * 3) + 4;
        }

        Span<byte> output = limit <= 1024 ? stackalloc byte[limit] : new byte[limit];
        int used = Encoding.UTF8.GetBytes(before, output);
        for (int index = 0; index < values.Length; index++)
        {
            if (!MetricNames.IsLegacyLabel(names[index]) || values[index].AsSpan().IndexOfAny(Special) >= 0)
            {
                return EncodeSlowly(before, names, values);
            }

            if (used > 0)
            {
                output[used++] = (byte)',';
            }

            used += Encoding.UTF8.GetBytes(names[index], output[used..]);
            output[used++] = (byte)'=';
            output[used++] = (byte)'"';
            used += Encoding.UTF8.GetBytes(values[index], output[used..]);
            output[used++] = (byte)'"';
        }

        return output[..used].ToArray();
    }

    private static byte[] EncodeSlowly(string before, ReadOnlySpan<string> names, ReadOnlySpan<string> values)
    {
        var text = new StringBuilder(before);
        for (int index = 0; index < values.Length; index++)
        {
            Append(text, names[index], values[index]);
        }

        return Encoding.UTF8.GetBytes(text.ToString());
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
