using System.Diagnostics;
using System.IO.Compression;
using OptiInfra.Metrics;
using OptiInfra.Metrics.Exposition;

namespace OptiInfra.Bench.Metrics;

/// <summary>What a scrape costs, what a series weighs, and whether anything grows when labels come and go.</summary>
internal static class ScrapeMeasurements
{
    private const int Families = 100;
    private const int SeriesPerFamily = 1000;

    public static Measurement[] All { get; } =
    [
        new("metrics.scrape", ScrapeAsync),
        Measurement.Of("metrics.memory", Memory),
        Measurement.Of("metrics.churn", Churn),
    ];

    private static async Task<IReadOnlyList<Figure>> ScrapeAsync()
    {
        MetricRegistry registry = Filled();
        long first = Stopwatch.GetTimestamp();
        long size = await BodyAsync(registry, ExpositionFormat.Text);
        double firstTime = Stopwatch.GetElapsedTime(first).TotalMilliseconds;
        (double text, double allocated) = await RepeatAsync(registry, ExpositionFormat.Text);
        (double open, _) = await RepeatAsync(registry, ExpositionFormat.OpenMetrics);
        (double protobuf, _) = await RepeatAsync(registry, ExpositionFormat.Protobuf);
        double packed = await PackedAsync(registry);
        return
        [
            new Figure($"scrape of 100,000 series ({size / 1e6:0.0} MB text)", text, "ms", 6),
            new Figure("   allocated", allocated / 1024, "KiB", 32),
            new Figure("   the first one", firstTime, "ms"),
            new Figure("   as OpenMetrics", open, "ms"),
            new Figure("   as protobuf", protobuf, "ms"),
            new Figure("   with gzip", packed, "ms"),
        ];
    }

    private static async Task<(double Milliseconds, double Bytes)> RepeatAsync(MetricRegistry registry, ExpositionFormat format)
    {
        double best = double.MaxValue;
        double bytes = double.MaxValue;
        for (int run = 0; run < 50; run++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            long start = Stopwatch.GetTimestamp();
            await BodyAsync(registry, format);
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            bytes = Math.Min(bytes, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        return (best, bytes);
    }

    private static async Task<long> BodyAsync(MetricRegistry registry, ExpositionFormat format)
    {
        using SharedBody body = await registry.Scraper.ScrapeAsync(format, null, TimeSpan.FromSeconds(10), CancellationToken.None);
        return body.Buffer.Length;
    }

    private static async Task<double> PackedAsync(MetricRegistry registry)
    {
        double best = double.MaxValue;
        for (int run = 0; run < 5; run++)
        {
            long start = Stopwatch.GetTimestamp();
            using SharedBody body = await registry.Scraper.ScrapeAsync(ExpositionFormat.Text, null, TimeSpan.FromSeconds(10), CancellationToken.None);
            await using var gzip = new GZipStream(Stream.Null, CompressionLevel.Fastest);
            foreach (ReadOnlyMemory<byte> segment in body.Buffer.Segments())
            {
                gzip.Write(segment.Span);
            }

            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        return best;
    }

    private static IReadOnlyList<Figure> Memory()
    {
        const int count = 100_000;
        string[] models = [.. Enumerable.Range(0, count).Select(index => "model-" + index)];
        double counter = Weight(registry => registry.CreateCounter("a_total", "A.", new MetricOptions { SeriesLimit = count }, "provider", "model", "type"), (family, model) => ((Counter)family).WithLabels("openai", model, "input"));
        double histogram = Weight(registry => registry.CreateHistogram("a_seconds", "A.", new HistogramOptions { SeriesLimit = count, Buckets = HistogramOptions.Exponential(0.01, 2, 14) }, "provider", "model", "type"), (family, model) => ((Histogram)family).WithLabels("openai", model, "input"));
        return
        [
            new Figure("memory of a counter series of 3 labels", counter, "B", 300),
            new Figure("memory of a histogram series of 14 bounds, 3 labels", histogram, "B"),
        ];

        double Weight(Func<MetricRegistry, MetricFamily> create, Action<MetricFamily, string> use)
        {
            MetricFamily family = create(new MetricRegistry());
            long before = GC.GetTotalMemory(forceFullCollection: true);
            foreach (string model in models)
            {
                use(family, model);
            }

            long after = GC.GetTotalMemory(forceFullCollection: true);
            GC.KeepAlive(family);
            return (after - before) / (double)count;
        }
    }

    /// <summary>Two million label values come and go; what stays is measured, after a first part that fills the pools.</summary>
    private static IReadOnlyList<Figure> Churn()
    {
        Counter counter = new MetricRegistry().CreateCounter("a_total", "A.", "x");
        Turn(counter, 0, 200_000);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        Turn(counter, 200_000, 2_000_000);
        return [new Figure("memory grown by 2,000,000 label values coming and going", (GC.GetTotalMemory(forceFullCollection: true) - before) / 1024.0, "KiB", 64)];
    }

    private static void Turn(Counter counter, int start, int count)
    {
        for (int index = start; index < start + count; index++)
        {
            counter.WithLabels("value-" + index).Inc();
            counter.Remove("value-" + (index - 100));
        }
    }

    private static MetricRegistry Filled()
    {
        var registry = new MetricRegistry();
        for (int family = 0; family < Families; family++)
        {
            Counter counter = registry.CreateCounter($"agent_{family:00}_requests_total", "Requests by agent.", "agent", "model", "status");
            for (int series = 0; series < SeriesPerFamily; series++)
            {
                counter.WithLabels($"agent-{series % 10}", $"model-{series / 10 % 50}", series / 500 == 0 ? "success" : "error").Inc(series * 37);
            }
        }

        return registry;
    }
}
