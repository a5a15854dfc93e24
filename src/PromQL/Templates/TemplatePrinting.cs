using System.Globalization;
using System.Text;
using OptiInfra.PromQL.Data;
using OptiInfra.PromQL.Syntax;

namespace OptiInfra.PromQL.Templates;

/// <summary>Values as Go's fmt package prints them (https://pkg.go.dev/fmt).</summary>
internal static class TemplatePrinting
{
    /// <summary>The verb %v.</summary>
    public static string Print(object? value) => value switch
    {
        null => "<no value>",
        string text => text,
        double number => GoNumber.Format(number),
        long number => number.ToString(CultureInfo.InvariantCulture),
        bool boolean => boolean ? "true" : "false",
        DateTimeOffset time => time.ToString("yyyy-MM-dd HH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture) + " +0000 UTC",
        TimeSpan duration => PromDuration.FromSeconds(duration.TotalSeconds).ToString(),
        IReadOnlyDictionary<string, string> map => Map(map),
        IReadOnlyDictionary<string, object?> map => Map(map),
        IReadOnlyList<TemplateSample> list => $"[{string.Join(' ', list.Select(Print))}]",
        TemplateSample sample => $"{{{Print(sample.Labels)} {Print(sample.Value)}}}",
        TemplateData data => $"{{{Print(data.Labels)} {Print(data.ExternalLabels)} {data.ExternalUrl} {Print(data.Value)}}}",
        _ => value.ToString() ?? "",
    };

    /// <summary>All values one after the other, with a space between two that are no texts.</summary>
    public static string Sprint(object?[] values)
    {
        var text = new StringBuilder();
        for (int i = 0; i < values.Length; i++)
        {
            bool space = i > 0 && values[i] is not string && values[i - 1] is not string;
            text.Append(space ? " " : "").Append(values[i] is null ? "<nil>" : Print(values[i]));
        }
        return text.ToString();
    }

    public static string Printf(string format, object?[] values)
    {
        var text = new StringBuilder();
        int used = 0;
        for (int i = 0; i < format.Length; i++)
        {
            if (format[i] != '%')
            {
                text.Append(format[i]);
                continue;
            }
            Verb verb = Verb.Read(format, ref i);
            if (verb.Letter == '%')
            {
                text.Append('%');
            }
            else if (verb.Letter == '\0')
            {
                text.Append("%!(NOVERB)");
            }
            else
            {
                text.Append(used < values.Length ? verb.Apply(values[used]) : $"%!{verb.Letter}(MISSING)");
                used++;
            }
        }
        if (used < values.Length)
        {
            text.Append("%!(EXTRA ").AppendJoin(", ", values.Skip(used).Select(value => $"{TemplateFunctions.TypeName(value)}={Print(value)}")).Append(')');
        }
        return text.ToString();
    }

    private static string Map<T>(IReadOnlyDictionary<string, T> map) =>
        $"map[{string.Join(' ', map.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}:{Print(pair.Value)}"))}]";

    /// <summary>One <c>%[flags][width][.precision]letter</c>.</summary>
    private readonly record struct Verb(char Letter, string Flags, int Width, int? Precision)
    {
        public static Verb Read(string format, ref int i)
        {
            int start = ++i;
            while (i < format.Length && format[i] is '+' or '-' or '#' or ' ' or '0')
            {
                i++;
            }
            string flags = format[start..i];
            int width = ReadNumber(format, ref i) ?? 0;
            int? precision = null;
            if (i < format.Length && format[i] == '.')
            {
                i++;
                precision = ReadNumber(format, ref i) ?? 0;
            }
            return new Verb(i < format.Length ? format[i] : '\0', flags, width, precision);
        }

        public string Apply(object? value)
        {
            string? text = (Letter, value) switch
            {
                ('v', _) => value is null ? "<nil>" : value is double number && Precision is { } p ? GoNumber.FormatG(number, p) : Print(value),
                ('s', string s) => Precision is { } p && p < s.Length ? s[..p] : s,
                ('s', DateTimeOffset or TimeSpan or FloatHistogram) => Print(value),
                ('q', string s) => StringSyntax.Quote(s),
                ('d', long number) => number.ToString(CultureInfo.InvariantCulture),
                ('x', long number) => number.ToString("x", CultureInfo.InvariantCulture),
                ('X', long number) => number.ToString("X", CultureInfo.InvariantCulture),
                ('x', string s) => Convert.ToHexStringLower(Encoding.UTF8.GetBytes(s)),
                ('o', long number) => Convert.ToString(number, 8),
                ('b', long number) => Convert.ToString(number, 2),
                ('c', long number) => char.ConvertFromUtf32((int)number),
                ('f' or 'F', double number) => GoNumber.FormatFixed(number, Precision ?? 6),
                ('e', double number) => GoNumber.FormatE(number, Precision ?? 6),
                ('g' or 'G', double number) => Precision is { } p ? GoNumber.FormatG(number, Math.Max(1, p)) : GoNumber.Format(number),
                ('t', bool boolean) => boolean ? "true" : "false",
                ('T', _) => TemplateFunctions.TypeName(value),
                _ => null,
            };
            if (text is null)
            {
                return $"%!{Letter}({(value is null ? "<nil>" : $"{TemplateFunctions.TypeName(value)}={Print(value)}")})";
            }
            bool isNumber = value is double or long;
            text = Flags.Contains('+', StringComparison.Ordinal) && isNumber && text[0] is not ('-' or '+') ? "+" + text : text;
            bool zeros = Flags.Contains('0', StringComparison.Ordinal) && isNumber && !Flags.Contains('-', StringComparison.Ordinal);
            if (zeros && text[0] is '-' or '+')
            {
                return text[0] + text[1..].PadLeft(Width - 1, '0');
            }
            return Flags.Contains('-', StringComparison.Ordinal) ? text.PadRight(Width) : text.PadLeft(Width, zeros ? '0' : ' ');
        }

        private static int? ReadNumber(string format, ref int i)
        {
            int start = i;
            while (i < format.Length && i - start < 4 && char.IsAsciiDigit(format[i]))
            {
                i++;
            }
            return i > start ? int.Parse(format.AsSpan(start, i - start), NumberStyles.None, CultureInfo.InvariantCulture) : null;
        }
    }
}
