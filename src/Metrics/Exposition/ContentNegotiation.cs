using System.Globalization;

namespace OptiInfra.Metrics.Exposition;

/// <summary>
/// Picks the format of a response from the Accept header: the known media type with the highest weight, the earlier one on a tie.
/// Without a header, or when nothing in it is known, the answer is text 0.0.4, which every reader understands.
/// </summary>
internal static class ContentNegotiation
{
    public static ExpositionFormat Choose(string? accept)
    {
        ExpositionFormat best = ExpositionFormat.Text;
        double bestWeight = 0;
        foreach (string range in Split(accept ?? "", ','))
        {
            (string type, Dictionary<string, string> parameters) = Parse(range);
            double weight = Weight(parameters);
            if (weight > bestWeight && Known(type, parameters) is { } format)
            {
                best = format;
                bestWeight = weight;
            }
        }

        return best;
    }

    /// <summary>Whether an Accept-Encoding header allows gzip.</summary>
    public static bool AcceptsGzip(string? acceptEncoding)
    {
        double gzip = -1;
        double any = -1;
        foreach (string range in Split(acceptEncoding ?? "", ','))
        {
            (string coding, Dictionary<string, string> parameters) = Parse(range);
            if (coding is "gzip" or "x-gzip")
            {
                gzip = Weight(parameters);
            }
            else if (coding == "*")
            {
                any = Weight(parameters);
            }
        }

        return gzip >= 0 ? gzip > 0 : any > 0;
    }

    private static ExpositionFormat? Known(string type, Dictionary<string, string> parameters)
    {
        string? version = parameters.GetValueOrDefault("version");
        EscapingScheme scheme = NameEscaping.Parse(parameters.GetValueOrDefault("escaping")) ?? EscapingScheme.Underscores;
        return type switch
        {
            "application/openmetrics-text" or "application/*" when version is null or "1.0.0" => new(ExpositionKind.OpenMetrics, scheme),
            "text/plain" when version == "1.0.0" => new(ExpositionKind.Text100, scheme),
            "text/plain" when version is null or "0.0.4" => ExpositionFormat.Text,
            "text/*" or "*/*" => ExpositionFormat.Text,
            "application/vnd.google.protobuf" when parameters.GetValueOrDefault("proto") == "io.prometheus.client.MetricFamily"
                && parameters.GetValueOrDefault("encoding") == "delimited" => new(ExpositionKind.Protobuf, scheme),
            _ => null,
        };
    }

    private static (string Type, Dictionary<string, string> Parameters) Parse(string range)
    {
        string[] parts = Split(range, ';');
        var parameters = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (string part in parts.Skip(1))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0)
            {
                parameters[part[..equals].Trim()] = part[(equals + 1)..].Trim().Trim('"');
            }
        }

        return (parts.Length > 0 ? parts[0].ToLowerInvariant() : "", parameters);
    }

    private static string[] Split(string text, char separator) =>
        text.Split(separator, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    /// <summary>A weight that cannot be read excludes its range, as a weight of 0 does.</summary>
    private static double Weight(Dictionary<string, string> parameters) =>
        !parameters.TryGetValue("q", out string? text) ? 1
        : double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double weight) && weight is >= 0 and <= 1 ? weight
        : 0;
}
