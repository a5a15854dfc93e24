namespace OptiInfra.Metrics;

/// <summary>What a family is, beyond its name, help and labels. The defaults are safe: a hard cap and no expiry.</summary>
public record MetricOptions
{
    /// <summary>Unit in its long form (<c>seconds</c>, <c>bytes</c>, <c>usd</c>). Taken from the name's suffix when left out.</summary>
    public string? Unit { get; init; }

    /// <summary>
    /// Most series this family may hold. Further label combinations are counted on one overflow series, whose label values
    /// are all <c>_other</c>, and in <c>metrics_series_overflow_total</c>. Zero means the registry's default.
    /// </summary>
    public int SeriesLimit { get; init; }

    /// <summary>
    /// Series that are not updated for this long leave the exposition; an update through a kept handle brings them back with
    /// their value. Null keeps them for ever.
    /// </summary>
    public TimeSpan? IdleTimeout { get; init; }

    /// <summary>Closed lists of values by label name. Any other value is recorded as <c>_other</c>.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>>? AllowedValues { get; init; }

    /// <summary>Label combinations that exist, at 0, before anything happened.</summary>
    public IReadOnlyList<string[]>? InitialSeries { get; init; }

    /// <summary>Records trace and span of the sampled current activity beside counter and histogram samples, at most one a second.</summary>
    public bool Exemplars { get; init; }

    /// <summary>Labels from the forbidden list which this family may have all the same, each a decision of its author.</summary>
    public IReadOnlyList<string> PermittedLabels { get; init; } = [];
}

/// <summary>Buckets of a histogram: classic bounds, native resolution, or both.</summary>
public sealed record HistogramOptions : MetricOptions
{
    /// <summary>Latencies of requests: 5 ms to 10 s.</summary>
    public static IReadOnlyList<double> RequestSeconds { get; } = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    /// <summary>Latencies of calls to language models: 100 ms to 60 s.</summary>
    public static IReadOnlyList<double> ModelSeconds { get; } = [0.1, 0.5, 1, 2, 5, 10, 30, 60];

    /// <summary>Durations of whole agent runs and workflows: 1 s to 2 h.</summary>
    public static IReadOnlyList<double> WorkflowSeconds { get; } = [1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200];

    /// <summary>Ratios and confidences between 0 and 1.</summary>
    public static IReadOnlyList<double> Ratio { get; } = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1];

    /// <summary>Finite upper bounds, ascending. An empty list with <see cref="Native"/> gives a purely native histogram.</summary>
    public IReadOnlyList<double> Buckets { get; init; } = RequestSeconds;

    /// <summary>Native (sparse, exponential) buckets, which Prometheus reads through protobuf.</summary>
    public NativeHistogramOptions? Native { get; init; }

    /// <summary>Equally wide buckets: <paramref name="count"/> bounds from <paramref name="start"/>.</summary>
    public static IReadOnlyList<double> Linear(double start, double width, int count) =>
        [.. Enumerable.Range(0, count).Select(index => start + (width * index))];

    /// <summary>Buckets which grow by a factor: <paramref name="count"/> bounds from <paramref name="start"/>.</summary>
    public static IReadOnlyList<double> Exponential(double start, double factor, int count) =>
        [.. Enumerable.Range(0, count).Select(index => start * Math.Pow(factor, index))];
}

/// <summary>Resolution of a native histogram.</summary>
public sealed record NativeHistogramOptions
{
    /// <summary>Each bucket is at most this much wider than the one before; 1.1 gives schema 3, an error below 5 %.</summary>
    public double GrowthFactor { get; init; } = 1.1;

    /// <summary>When more buckets than this are in use, the resolution is halved.</summary>
    public int MaxBuckets { get; init; } = 160;

    /// <summary>Observations closer to zero than this are counted in the zero bucket.</summary>
    public double ZeroThreshold { get; init; } = Math.Pow(2, -128);
}

/// <summary>Quantiles of a summary, over a sliding window.</summary>
public sealed record SummaryOptions : MetricOptions
{
    /// <summary>The quantiles to show, each between 0 and 1. The relative error of a value is below 0.6 %.</summary>
    public IReadOnlyList<double> Quantiles { get; init; } = [0.5, 0.9, 0.99];

    /// <summary>How far back the quantiles look.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>In how many steps the window moves.</summary>
    public int WindowSteps { get; init; } = 5;
}

/// <summary>Settings of a whole registry.</summary>
public sealed record MetricRegistryOptions
{
    /// <summary>Labels every series carries, such as <c>service</c>.</summary>
    public IReadOnlyDictionary<string, string> StaticLabels { get; init; } = new Dictionary<string, string>();

    /// <summary>Cap of a family that sets none of its own.</summary>
    public int SeriesLimit { get; init; } = 1000;

    /// <summary>Longer label values are cut and counted.</summary>
    public int LabelValueLimit { get; init; } = 128;

    /// <summary>Label names which no family may have, on top of the built-in list; <c>name*</c> forbids a prefix.</summary>
    public IReadOnlyList<string> ForbiddenLabels { get; init; } = [];

    /// <summary>Accepts any UTF-8 metric and label name; off, only names every Prometheus understands.</summary>
    public bool Utf8Names { get; init; }

    /// <summary>Whether the registry reports on itself (<c>metrics_series</c>, <c>metrics_series_overflow_total</c>, …).</summary>
    public bool SelfMetrics { get; init; } = true;

    /// <summary>Shows <c>_created</c> in OpenMetrics. Off, because it nearly doubles the number of samples.</summary>
    public bool CreatedSamples { get; init; }

    /// <summary>The clock of expiry, summaries, exemplars and <c>_created</c>.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
