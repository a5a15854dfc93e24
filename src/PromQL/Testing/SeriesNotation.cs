using System.Globalization;
using System.Text;
using OptiInfra.PromQL.Data;
using OptiInfra.PromQL.Syntax;

namespace OptiInfra.PromQL.Testing;

/// <summary>
/// The notation of test files for series and their samples, one sample per interval from zero on
/// (https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/#series):
/// <c>up{job="x"} 1+2x3 _ _x4 stale 5x2 {{schema:0 count:1}}x2</c>.
/// </summary>
internal static class SeriesNotation
{
    /// <summary>So many samples fit into no test that anybody means; a mistyped repeat count would fill the memory.</summary>
    private const int MaxSamples = 10_000_000;

    /// <summary>A mistake in the notation; the caller knows file and line.</summary>
    public sealed class NotationException(string message) : Exception(message);

    /// <summary>Reads a series with its values.</summary>
    public static (Labels Labels, List<SampleValue> Values) ReadSeries(string text)
    {
        var reader = new Reader(text);
        Labels labels = reader.Metric();
        return (labels, reader.Values());
    }

    /// <summary>Reads labels alone, such as <c>up{job="x"}</c> or <c>{}</c>.</summary>
    public static Labels ReadLabels(string text)
    {
        var reader = new Reader(text);
        Labels labels = reader.Metric();
        reader.SkipSpace();
        return reader.AtEnd ? labels : throw new NotationException($"unexpected {StringSyntax.Quote(reader.Rest)} after the labels");
    }

    /// <summary>Reads values alone. A step without a sample is <see cref="SampleValue.None"/>.</summary>
    public static List<SampleValue> ReadValues(string text) => new Reader(text).Values();

    private struct Reader(string text)
    {
        private int position;

        public readonly bool AtEnd => position >= text.Length;

        public readonly string Rest => text[position..];

        private readonly char Current => AtEnd ? '\0' : text[position];

        public void SkipSpace()
        {
            while (Current is ' ' or '\t')
            {
                position++;
            }
        }

        public Labels Metric()
        {
            SkipSpace();
            int start = position;
            while (char.IsAsciiLetterOrDigit(Current) || Current is '_' or ':')
            {
                position++;
            }
            var labels = new List<Label>();
            if (position > start)
            {
                labels.Add(new Label(Labels.MetricName, text[start..position]));
                SkipSpace();
            }
            else if (AtEnd)
            {
                return Labels.Empty; // Nothing is a label set, too: the empty one.
            }
            else if (Current != '{')
            {
                throw new NotationException($"expected a metric name or '{{', got {StringSyntax.Quote(Rest)}");
            }
            if (Current == '{' && !text.AsSpan(position).StartsWith("{{"))
            {
                position++;
                LabelSet(labels);
            }
            return Labels.From(labels);
        }

        private void LabelSet(List<Label> labels)
        {
            while (true)
            {
                SkipSpace();
                if (Current == '}')
                {
                    position++;
                    return;
                }
                bool quoted = Current is '"' or '\'' or '`';
                string name = quoted ? Quoted() : Identifier();
                SkipSpace();
                if (Current == '=')
                {
                    position++;
                    SkipSpace();
                    labels.Add(new Label(name, Quoted()));
                }
                else if (quoted)
                {
                    labels.Add(new Label(Labels.MetricName, name));
                }
                else
                {
                    throw new NotationException($"expected '=' after label {name}");
                }
                SkipSpace();
                if (Current == ',')
                {
                    position++;
                }
                else if (Current != '}')
                {
                    throw new NotationException("expected ',' or '}' in the label set");
                }
            }
        }

        private string Identifier()
        {
            int start = position;
            while (char.IsAsciiLetterOrDigit(Current) || Current is '_' or ':')
            {
                position++;
            }
            return position > start ? text[start..position] : throw new NotationException($"expected a label name, got {StringSyntax.Quote(Rest)}");
        }

        private string Quoted()
        {
            char quote = Current;
            if (quote is not ('"' or '\'' or '`'))
            {
                throw new NotationException($"expected a quoted string, got {StringSyntax.Quote(Rest)}");
            }
            int start = position++;
            while (!AtEnd && Current != quote)
            {
                position += Current == '\\' && quote != '`' ? 2 : 1;
            }
            if (AtEnd)
            {
                throw new NotationException("unterminated quoted string");
            }
            position++;
            return StringSyntax.Unquote(Encoding.UTF8.GetBytes(text[start..position]));
        }

        public List<SampleValue> Values()
        {
            var values = new List<SampleValue>();
            SkipSpace();
            while (!AtEnd)
            {
                if (text.AsSpan(position).StartsWith("{{"))
                {
                    Histograms(values);
                }
                else
                {
                    int end = text.AsSpan(position).IndexOfAny(' ', '\t');
                    string item = end < 0 ? Rest : text[position..(position + end)];
                    position += item.Length;
                    Item(item, values);
                }
                if (!AtEnd && Current is not (' ' or '\t'))
                {
                    throw new NotationException($"expected a space before {StringSyntax.Quote(Rest)}");
                }
                SkipSpace();
            }
            return values;
        }

        private static void Item(string item, List<SampleValue> values)
        {
            if (item[0] == '_')
            {
                int blanks = item.Length == 1 ? 1 : item[1] == 'x' ? Times(item[2..], item) : throw Unexpected(item);
                Repeat(values, blanks, _ => SampleValue.None);
                return;
            }
            int used = item.StartsWith("stale", StringComparison.Ordinal) ? 5 : NumberLength(item, 0);
            double first = used == 5 && item[0] == 's' ? StaleMarker.Value : Number(item[..used], item);
            if (used == item.Length)
            {
                values.Add(first);
                return;
            }
            double step = 0;
            bool hasStep = item[used] is '+' or '-';
            if (hasStep)
            {
                int length = NumberLength(item, used);
                step = Number(item[used..(used + length)], item);
                used += length;
            }
            if (used >= item.Length || item[used] != 'x')
            {
                throw Unexpected(item);
            }
            double next = first;
            Repeat(values, Times(item[(used + 1)..], item) + 1, _ =>
            {
                double value = next;
                next = hasStep ? next + step : next;
                return value;
            });
        }

        private void Histograms(List<SampleValue> values)
        {
            FloatHistogram first = Histogram();
            FloatHistogram? step = null;
            char sign = Current;
            if (sign is '+' or '-' && text.AsSpan(position + 1).StartsWith("{{"))
            {
                position++;
                step = Histogram();
            }
            if (Current != 'x')
            {
                values.Add(step is null ? SampleValue.Of(first) : throw new NotationException("a histogram step needs a repeat count: {{…}}+{{…}}x5"));
                return;
            }
            int end = text.AsSpan(position).IndexOfAny(' ', '\t');
            string item = end < 0 ? Rest : text[position..(position + end)];
            position += item.Length;
            FloatHistogram next = first;
            Repeat(values, Times(item[1..], item) + 1, i =>
            {
                if (i > 0 && step is not null)
                {
                    if (next.Schema > step.Schema)
                    {
                        throw new NotationException(string.Create(CultureInfo.InvariantCulture,
                            $"error combining histograms: cannot merge from schema {step.Schema} to {next.Schema}"));
                    }
                    next = (sign == '+' ? next.Plus(step, out _) : next.Minus(step, out _))
                        ?? throw new NotationException("error combining histograms: their buckets do not go together");
                }
                return SampleValue.Of(next);
            });
        }

        private FloatHistogram Histogram()
        {
            int end = text.IndexOf("}}", position, StringComparison.Ordinal);
            if (end < 0)
            {
                throw new NotationException("unterminated histogram, expected }}");
            }
            string description = text[(position + 2)..end];
            position = end + 2;
            return HistogramNotation.Read(description);
        }

        private static void Repeat(List<SampleValue> values, int count, Func<int, SampleValue> next)
        {
            if (count > MaxSamples - values.Count)
            {
                throw new NotationException(string.Create(CultureInfo.InvariantCulture, $"more than {MaxSamples} samples in one series"));
            }
            for (int i = 0; i < count; i++)
            {
                values.Add(next(i));
            }
        }

        private static int Times(string digits, string item) =>
            int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int times) && times < int.MaxValue ? times : throw Unexpected(item);

        /// <summary>The length of the signed number that starts at <paramref name="start"/>.</summary>
        private static int NumberLength(string item, int start)
        {
            int i = start;
            if (i < item.Length && item[i] is '+' or '-')
            {
                i++;
            }
            bool hex = i + 2 < item.Length && item[i] == '0' && item[i + 1] is 'x' or 'X' && char.IsAsciiHexDigit(item[i + 2]) && !IsRepeatOfZero(item, i);
            i += hex ? 2 : 0;
            while (i < item.Length)
            {
                bool exponentSign = !hex && item[i] is '+' or '-' && i > start && item[i - 1] is 'e' or 'E';
                if (!(char.IsAsciiLetterOrDigit(item[i]) || item[i] is '.' or '_' || exponentSign) || (!hex && item[i] == 'x'))
                {
                    break;
                }
                i++;
            }
            return i - start;
        }

        /// <summary><c>0x5</c> is a zero repeated, not five: a repeat count has decimal digits only.</summary>
        private static bool IsRepeatOfZero(string item, int zero) => item[(zero + 2)..].All(char.IsAsciiDigit);

        private static double Number(string token, string item)
        {
            bool negative = token.StartsWith('-');
            string digits = negative || token.StartsWith('+') ? token[1..] : token;
            return digits.Length > 0 && NumberSyntax.TryParse(Encoding.UTF8.GetBytes(digits), out double value)
                ? (negative ? -value : value)
                : throw Unexpected(item);
        }

        private static NotationException Unexpected(string item) =>
            new($"{StringSyntax.Quote(item)} is no value: expected a number, 1+2x3, 1x3, _, _x3, stale or a histogram");
    }
}
