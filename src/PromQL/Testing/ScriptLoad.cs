using System.Globalization;
using OptiInfra.PromQL.Data;

namespace OptiInfra.PromQL.Testing;

/// <summary>The load command: samples into the store, and on demand classic histograms once more as native ones with explicit buckets.</summary>
internal static class ScriptLoad
{
    private static readonly string[] Suffixes = ["_bucket", "_count", "_sum"];

    /// <summary>Null, or why a sample could not be stored.</summary>
    public static string? Apply(ScriptCommand.Load load, SeriesStore store)
    {
        string? problem = null;
        // A series written twice counts as it is written last.
        Dictionary<Labels, List<SampleValue>> series = [];
        foreach ((Labels labels, List<SampleValue> values) in load.Series)
        {
            series[labels] = values;
        }
        foreach ((Labels labels, List<SampleValue> values) in series)
        {
            Append(labels, values);
        }
        if (load.WithCustomBuckets)
        {
            foreach ((Labels labels, List<SampleValue> values) in NativeFromClassic(series))
            {
                Append(labels, values);
            }
        }
        return problem;

        void Append(Labels labels, List<SampleValue> values)
        {
            for (int i = 0; i < values.Count; i++)
            {
                if (values[i].IsPresent && store.Append(labels, i * load.Gap.Milliseconds, values[i]) is not AppendResult.Added and var result)
                {
                    problem ??= string.Create(CultureInfo.InvariantCulture, $"sample {i + 1} of {labels} is {(result == AppendResult.Duplicate ? "a duplicate" : "out of order")}");
                }
            }
        }
    }

    private static Dictionary<Labels, List<SampleValue>> NativeFromClassic(Dictionary<Labels, List<SampleValue>> classic)
    {
        var parts = new Dictionary<Labels, List<(string Kind, double Bound, List<SampleValue> Values)>>();
        foreach ((Labels labels, List<SampleValue> values) in classic)
        {
            string? suffix = Suffixes.FirstOrDefault(s => labels.Name.EndsWith(s, StringComparison.Ordinal));
            double bound = 0;
            if (suffix is null || (suffix == "_bucket" && !TryBound(labels[Labels.BucketBound], out bound)))
            {
                continue;
            }
            Labels whole = labels.With(Labels.MetricName, labels.Name[..^suffix.Length]).Without(Labels.BucketBound);
            if (!parts.TryGetValue(whole, out var list))
            {
                parts.Add(whole, list = []);
            }
            list.Add((suffix, bound, values));
        }
        return parts.ToDictionary(pair => pair.Key, pair => Enumerable.Range(0, pair.Value.Max(part => part.Values.Count))
            .Select(i => Convert([.. pair.Value.Where(p => i < p.Values.Count && p.Values[i] is { IsPresent: true, Histogram: null }).Select(p => (p.Kind, p.Bound, p.Values[i].Float))]))
            .ToList());
    }

    private static SampleValue Convert(List<(string Kind, double Bound, double Value)> parts)
    {
        if (parts.Count == 0)
        {
            return SampleValue.None;
        }
        List<(double Bound, double Count)> buckets = [.. parts.Where(p => p.Kind == "_bucket").Select(p => (p.Bound, p.Value)).OrderBy(b => b.Bound)];
        double count = parts.Where(p => p.Kind == "_count").Select(p => p.Value).DefaultIfEmpty(buckets.Count > 0 ? buckets[^1].Count : 0).First();
        if (buckets.Count == 0 || !double.IsPositiveInfinity(buckets[^1].Bound))
        {
            buckets.Add((double.PositiveInfinity, count));
        }
        double[] counts = [.. buckets.Select((bucket, i) => i == 0 ? bucket.Count : bucket.Count - buckets[i - 1].Count)];
        return SampleValue.Of(new FloatHistogram
        {
            Schema = HistogramBuckets.CustomSchema,
            Count = count,
            Sum = parts.Where(p => p.Kind == "_sum").Select(p => p.Value).DefaultIfEmpty(0).First(),
            CustomBounds = [.. buckets.SkipLast(1).Select(bucket => bucket.Bound)],
            Positive = HistogramBuckets.From(0, counts),
        }.Compact());
    }

    private static bool TryBound(string text, out double bound)
    {
        bound = text is "+Inf" or "Inf" ? double.PositiveInfinity : 0;
        return bound > 0 || double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out bound);
    }
}
