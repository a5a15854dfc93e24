using System.Diagnostics;
using System.Diagnostics.Metrics;
using BenchmarkDotNet.Attributes;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OptiInfra.Metrics;

namespace OptiInfra.Bench.Metrics;

/// <summary>
/// What an update costs. Bound handles are compared with nothing, since neither Meter nor OpenTelemetry has them; per-call labels
/// are compared with per-call tags, with the same label strings.
/// </summary>
internal static class InstrumentMeasurements
{
    private static readonly string[] Providers = ["openai", "mistral", "aws.bedrock", "azure"];
    private static readonly string[] Models = ["gpt-4o", "gpt-4o-mini", "large", "small", "embed"];
    private static readonly string[] Types = ["input", "output"];

    public static Measurement[] All { get; } =
    [
        Measurement.Of("metrics.counter.bound", () => Updates("counter, bound: Inc()", 6, Bound().Counter)),
        Measurement.Of("metrics.counter.amount", () => Updates("counter, bound: Inc(12)", 6, Bound().Amount)),
        Measurement.Of("metrics.counter.fraction", () => Updates("counter, bound: Inc(0.25)", null, Bound().Fraction)),
        Measurement.Of("metrics.gauge.set", () => Updates("gauge, bound: Set(x)", 6, Bound().Set)),
        Measurement.Of("metrics.gauge.inc", () => Updates("gauge, bound: Inc()", 6, Bound().Rise)),
        Measurement.Of("metrics.histogram.bound", () => Updates("histogram of 14 bounds, bound: Observe(x)", 10, Bound().Observe)),
        Measurement.Of("metrics.histogram.native", () => Updates("native histogram, bound: Observe(x)", null, Bound().Native)),
        Measurement.Of("metrics.counter.labels", Labelled),
        Measurement.Of("metrics.counter.fresh-labels", FreshStrings),
        Measurement.Of("metrics.threads", Threads),
        Measurement.Of("metrics.series.new", NewSeries),
    ];

    internal sealed record Loops(Action<int> Counter, Action<int> Amount, Action<int> Fraction, Action<int> Set, Action<int> Rise, Action<int> Observe, Action<int> Native);

    internal static Loops Bound()
    {
        var registry = new MetricRegistry();
        CounterSeries counter = registry.CreateCounter("a_total", "A.", "provider", "model", "type").WithLabels("openai", "gpt-4o", "input");
        GaugeSeries gauge = registry.CreateGauge("b", "B.", "agent").WithLabels("cost");
        double[] bounds = [.. HistogramOptions.Exponential(0.01, 2, 14)];
        HistogramSeries histogram = registry.CreateHistogram("c_seconds", "C.", new HistogramOptions { Buckets = bounds }, "agent").WithLabels("cost");
        HistogramSeries native = registry.CreateHistogram("d_seconds", "D.", new HistogramOptions { Buckets = [], Native = new NativeHistogramOptions() }, "agent").WithLabels("cost");
        double[] values = Values();
        return new Loops(
            count => { for (int i = 0; i < count; i++) { counter.Inc(); } },
            count => { for (int i = 0; i < count; i++) { counter.Inc(12); } },
            count => { for (int i = 0; i < count; i++) { counter.Inc(0.25); } },
            count => { for (int i = 0; i < count; i++) { gauge.Set(i); } },
            count => { for (int i = 0; i < count; i++) { gauge.Inc(); } },
            count => { for (int i = 0; i < count; i++) { histogram.Observe(values[i & 1023]); } },
            count => { for (int i = 0; i < count; i++) { native.Observe(values[i & 1023]); } });
    }

    /// <summary>Latencies spread over all buckets, in an order that a branch predictor cannot learn.</summary>
    internal static double[] Values()
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, 1024).Select(_ => 0.005 * Math.Exp(random.NextDouble() * 9))];
    }

    private static IReadOnlyList<Figure> Updates(string what, double? budget, Action<int> loop) =>
    [
        new Figure(what, Timing.Nanoseconds(loop), "ns", budget),
        new Figure("   allocated", Timing.Bytes(loop), "B", 0),
    ];

    private static IReadOnlyList<Figure> Labelled()
    {
        OptiInfra.Metrics.Counter counter = new MetricRegistry().CreateCounter("a_total", "A.", "provider", "model", "type");
        Action<int> ours = count =>
        {
            for (int i = 0; i < count; i++)
            {
                counter.WithLabels(Providers[i & 3], Models[i % 5], Types[i & 1]).Inc();
            }
        };

        using var meter = new Meter("bench.labels");
        using MeterProvider provider = Sdk.CreateMeterProviderBuilder().AddMeter(meter.Name).AddReader(new BaseExportingMetricReader(new Nowhere())).Build();
        Counter<long> theirs = meter.CreateCounter<long>("a");
        double peer = Timing.Nanoseconds(count =>
        {
            for (int i = 0; i < count; i++)
            {
                theirs.Add(1, new("provider", Providers[i & 3]), new("model", Models[i % 5]), new("type", Types[i & 1]));
            }
        });
        return
        [
            new Figure("counter, 3 labels looked up each time", Timing.Nanoseconds(ours), "ns", 30, peer, "OpenTelemetry 1.20.1"),
            new Figure("   allocated", Timing.Bytes(ours), "B", 0),
        ];
    }

    private static IReadOnlyList<Figure> FreshStrings()
    {
        OptiInfra.Metrics.Counter counter = new MetricRegistry().CreateCounter("a_total", "A.", "provider", "model", "type");
        counter.WithLabels("openai", "gpt-4o", "input");
        string[] copies = [new string("openai"), new string("gpt-4o"), new string("input")];
        return Updates("counter, 3 labels, other instances of the strings", 30, count =>
        {
            for (int i = 0; i < count; i++)
            {
                counter.WithLabels(copies[0], copies[1], copies[2]).Inc();
            }
        });
    }

    /// <summary>Sixteen threads on one series: nothing may be lost, and the cost is that of the contended cache line.</summary>
    private static IReadOnlyList<Figure> Threads()
    {
        const int threads = 16;
        const int perThread = 500_000;
        var registry = new MetricRegistry();
        CounterSeries counter = registry.CreateCounter("a_total", "A.", "x").WithLabels("1");
        HistogramSeries histogram = registry.CreateHistogram("b_seconds", "B.", "x").WithLabels("1");
        long bare = 0;
        double counterTime = Together(threads, () => { for (int i = 0; i < perThread; i++) { counter.Inc(); } });
        double histogramTime = Together(threads, () => { for (int i = 0; i < perThread; i++) { histogram.Observe(0.3); } });
        double bareTime = Together(threads, () => { for (int i = 0; i < perThread; i++) { Interlocked.Increment(ref bare); } });
        const double operations = (double)threads * perThread;
        return
        [
            new Figure("16 threads, one counter", counterTime / operations, "ns", null, bareTime / operations, "Interlocked alone"),
            new Figure("16 threads, one histogram", histogramTime / operations, "ns"),
            new Figure("   updates lost", (2.0 * (threads + 1) * perThread) - counter.Value - histogram.Count, "", 0),
        ];
    }

    private static double Together(int threads, Action work)
    {
        work();
        using var gate = new Barrier(threads + 1);
        Thread[] running = [.. Enumerable.Range(0, threads).Select(_ => new Thread(() =>
        {
            gate.SignalAndWait();
            work();
        }))];
        foreach (Thread thread in running)
        {
            thread.Start();
        }

        gate.SignalAndWait();
        long start = Stopwatch.GetTimestamp();
        foreach (Thread thread in running)
        {
            thread.Join();
        }

        return Stopwatch.GetElapsedTime(start).TotalNanoseconds;
    }

    private static IReadOnlyList<Figure> NewSeries()
    {
        const int count = 50_000;
        string[] names = [.. Enumerable.Range(0, count).Select(index => "model-" + index)];
        double best = Enumerable.Range(0, 5).Min(_ =>
        {
            OptiInfra.Metrics.Counter counter = new MetricRegistry().CreateCounter("a_total", "A.", new MetricOptions { SeriesLimit = count }, "provider", "model", "type");
            long start = Stopwatch.GetTimestamp();
            foreach (string name in names)
            {
                counter.WithLabels("openai", name, "input").Inc();
            }

            return Stopwatch.GetElapsedTime(start).TotalNanoseconds / count;
        });
        return [new Figure("first use of a new series of 3 labels", best, "ns")];
    }

    private sealed class Nowhere : BaseExporter<Metric>
    {
        public override ExportResult Export(in Batch<Metric> batch) => ExportResult.Success;
    }
}

/// <summary>The same loops under BenchmarkDotNet, for whoever trusts nothing else.</summary>
[MemoryDiagnoser]
public class InstrumentBenchmarks
{
    private const int Operations = 1000;

    private readonly InstrumentMeasurements.Loops _loops = InstrumentMeasurements.Bound();

    [Benchmark(OperationsPerInvoke = Operations)]
    public void Counter() => _loops.Counter(Operations);

    [Benchmark(OperationsPerInvoke = Operations)]
    public void Gauge() => _loops.Set(Operations);

    [Benchmark(OperationsPerInvoke = Operations)]
    public void Histogram() => _loops.Observe(Operations);
}
