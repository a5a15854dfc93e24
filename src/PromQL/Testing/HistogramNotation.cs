using System.Globalization;
using System.Text;
using OptiInfra.PromQL.Data;
using OptiInfra.PromQL.Syntax;

namespace OptiInfra.PromQL.Testing;

/// <summary>
/// Native histograms in test files: <c>{{schema:1 sum:4 count:3 z_bucket:1 z_bucket_w:0.1 offset:-1 buckets:[1 2] n_buckets:[…]
/// n_offset:… custom_values:[5 10] counter_reset_hint:gauge}}</c>, every item optional.
/// </summary>
internal static class HistogramNotation
{
    /// <summary>Reads what stands between the double braces.</summary>
    public static FloatHistogram Read(string description)
    {
        var histogram = new FloatHistogram();
        int offset = 0, negativeOffset = 0;
        double[] counts = [], negativeCounts = [];
        foreach ((string key, string value) in Items(description))
        {
            switch (key)
            {
                case "schema": histogram = histogram with { Schema = Integer(value) }; break;
                case "sum": histogram = histogram with { Sum = Number(value) }; break;
                case "count": histogram = histogram with { Count = Number(value) }; break;
                case "z_bucket": histogram = histogram with { ZeroCount = Number(value) }; break;
                case "z_bucket_w": histogram = histogram with { ZeroThreshold = Number(value) }; break;
                case "custom_values": histogram = histogram with { CustomBounds = Numbers(value) }; break;
                case "counter_reset_hint": histogram = histogram with { Hint = Hint(value) }; break;
                case "offset": offset = Integer(value); break;
                case "n_offset": negativeOffset = Integer(value); break;
                case "buckets": counts = Numbers(value); break;
                case "n_buckets": negativeCounts = Numbers(value); break;
                default: throw new SeriesNotation.NotationException($"unknown histogram item {StringSyntax.Quote(key)}, expected for example buckets:[5 10 7]");
            }
        }
        return histogram with { Positive = HistogramBuckets.From(offset, counts), Negative = HistogramBuckets.From(negativeOffset, negativeCounts) };
    }

    private static IEnumerable<(string Key, string Value)> Items(string description)
    {
        string rest = description.Trim();
        while (rest.Length > 0)
        {
            int colon = rest.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0)
            {
                throw new SeriesNotation.NotationException($"expected key:value in a histogram, got {StringSyntax.Quote(rest)}");
            }
            int end = rest.IndexOf(rest.AsSpan(colon + 1).StartsWith("[") ? ']' : ' ', colon);
            end = end < 0 ? rest.Length : rest[end] == ']' ? end + 1 : end;
            yield return (rest[..colon], rest[(colon + 1)..end]);
            rest = rest[end..].TrimStart();
        }
    }

    private static ResetHint Hint(string value) => value switch
    {
        "unknown" => ResetHint.Unknown,
        "reset" => ResetHint.Reset,
        "not_reset" => ResetHint.NoReset,
        "gauge" => ResetHint.Gauge,
        _ => throw new SeriesNotation.NotationException($"unknown counter_reset_hint {value}"),
    };

    private static double[] Numbers(string value) => value.StartsWith('[') && value.EndsWith(']')
        ? [.. value[1..^1].Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Number)]
        : throw new SeriesNotation.NotationException($"expected numbers in brackets, got {value}");

    private static int Integer(string value) => int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number)
        ? number
        : throw new SeriesNotation.NotationException($"{StringSyntax.Quote(value)} is no whole number");

    private static double Number(string value)
    {
        bool negative = value.StartsWith('-');
        string digits = negative || value.StartsWith('+') ? value[1..] : value;
        return NumberSyntax.TryParse(Encoding.UTF8.GetBytes(digits), out double number)
            ? (negative ? -number : number)
            : throw new SeriesNotation.NotationException($"{StringSyntax.Quote(value)} is no number");
    }
}
