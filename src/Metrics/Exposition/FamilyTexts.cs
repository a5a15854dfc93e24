using System.Text;

namespace OptiInfra.Metrics.Exposition;

/// <summary>One sample name as bytes: alone, and opened for labels.</summary>
/// <param name="Bare">The name with nothing after it but the value: <c>requests_total </c>.</param>
/// <param name="Open">The name up to the first label: <c>requests_total{</c>.</param>
internal sealed record SampleName(byte[] Bare, byte[] Open)
{
    /// <summary>A name that is not plain moves into the braces, in quotes.</summary>
    public static SampleName Of(string name)
    {
        if (MetricNames.IsLegacyName(name))
        {
            return new(Encoding.UTF8.GetBytes(name + " "), Encoding.UTF8.GetBytes(name + "{"));
        }

        var text = new StringBuilder("{");
        LabelText.AppendName(text, name);
        return new(Encoding.UTF8.GetBytes(text + "} "), Encoding.UTF8.GetBytes(text + ","));
    }
}

/// <summary>Everything about a family that every scrape in one format repeats.</summary>
internal sealed class FamilyText
{
    public required byte[] Preamble { get; init; }

    /// <summary>The main sample: the counter's total, the gauge's value, the summary's quantile.</summary>
    public required SampleName Sample { get; init; }

    public required SampleName Bucket { get; init; }

    public required SampleName Sum { get; init; }

    public required SampleName Count { get; init; }

    public required SampleName Created { get; init; }

    /// <summary><c>le="0.5"} </c> for each bucket, +Inf last; or <c>quantile="0.9"} </c> for each quantile; or <c>health="ok"} </c> for each state.</summary>
    public required byte[][] Extra { get; init; }

    /// <summary>False when label names had to be escaped, so that the kept fragments cannot be used.</summary>
    public required bool PlainLabels { get; init; }
}

/// <summary>The texts of one family, built when a format is first asked for.</summary>
internal sealed class FamilyTexts(MetricFamily family)
{
    private readonly FamilyText?[] _texts = new FamilyText?[12];

    public FamilyText For(ExpositionFormat format)
    {
        int index = ((int)format.Kind * 4) + (int)format.Escaping;
        return _texts[index] ??= Build(format);
    }

    private FamilyText Build(ExpositionFormat format)
    {
        bool open = format.Kind == ExpositionKind.OpenMetrics;
        EscapingScheme scheme = format.Escaping;
        string escaped = NameEscaping.Escape(family.BaseName, scheme);
        string full = family.Type switch
        {
            MetricType.Counter => escaped + "_total",
            MetricType.Info => escaped + "_info",
            _ => escaped,
        };
        return new FamilyText
        {
            Preamble = open ? OpenPreamble(escaped) : TextPreamble(full),
            Sample = SampleName.Of(full),
            Bucket = SampleName.Of(escaped + "_bucket"),
            Sum = SampleName.Of(escaped + "_sum"),
            Count = SampleName.Of(escaped + "_count"),
            Created = SampleName.Of(escaped + "_created"),
            Extra = [.. ExtraLabels(open, escaped).Select(label => Encoding.UTF8.GetBytes(label + "} "))],
            PlainLabels = family.LabelNames.Concat(family.Registry.Options.StaticLabels.Keys)
                .All(label => scheme != EscapingScheme.Dots && MetricNames.IsLegacyLabel(label)),
        };
    }

    private byte[] TextPreamble(string name)
    {
        string type = family.Type switch
        {
            MetricType.Counter => "counter",
            MetricType.Histogram => "histogram",
            MetricType.Summary => "summary",
            _ => "gauge",
        };
        string shown = Quoted(name);
        string help = family.Help.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        return Encoding.UTF8.GetBytes($"# HELP {shown} {help}\n# TYPE {shown} {type}\n");
    }

    private byte[] OpenPreamble(string name)
    {
        string shown = Quoted(name);
        bool hasUnit = family.Unit is { Length: > 0 } && family.Type is not (MetricType.Info or MetricType.StateSet) && name.EndsWith("_" + family.Unit, StringComparison.Ordinal);
        var text = new StringBuilder($"# TYPE {shown} {family.Type.ToString().ToLowerInvariant()}\n");
        if (hasUnit)
        {
            text.Append($"# UNIT {shown} {family.Unit}\n");
        }

        if (family.Help.Length > 0)
        {
            text.Append($"# HELP {shown} ");
            LabelText.AppendEscaped(text, family.Help);
            text.Append('\n');
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private IEnumerable<string> ExtraLabels(bool open, string escapedName) => family switch
    {
        Histogram histogram => histogram.Buckets.Append(double.PositiveInfinity).Select(bound => $"le=\"{NumberText.Bound(bound, open)}\""),
        Summary summary => summary.Settings.Quantiles.Select(quantile => $"quantile=\"{NumberText.Bound(quantile, open)}\""),
        StateSet states => states.States.Select(state => StateLabel(escapedName, state)),
        _ => [],
    };

    private static string StateLabel(string name, string state)
    {
        var text = new StringBuilder();
        LabelText.Append(text, name, state);
        return text.ToString();
    }

    private static string Quoted(string name)
    {
        if (MetricNames.IsLegacyName(name))
        {
            return name;
        }

        var text = new StringBuilder();
        LabelText.AppendName(text, name);
        return text.ToString();
    }
}
