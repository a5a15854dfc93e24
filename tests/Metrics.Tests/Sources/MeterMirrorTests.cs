using System.Diagnostics.Metrics;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OptiInfra.Metrics.Sources;

namespace OptiInfra.Metrics.Tests.Sources;

public sealed class MeterMirrorTests
{
    [Fact]
    public void A_listener_sees_what_the_registry_has()
    {
        var registry = new MetricRegistry(new MetricRegistryOptions { SelfMetrics = false, StaticLabels = new Dictionary<string, string> { ["service"] = "mirror-test" } });
        Counter counter = registry.CreateCounter("calls_total", "Calls.", "model");
        Histogram histogram = registry.CreateHistogram("wait_seconds", "Wait.", "model");
        using var mirror = new MeterMirror(registry);
        var seen = new Dictionary<string, (double Value, string Tags)>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == MeterMirror.MeterName && instrument.Meter.Tags?.Any(tag => tag.Value as string == "mirror-test") == true)
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => seen[instrument.Name] = (value, string.Join(',', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}"))));
        listener.Start();

        counter.WithLabels("m").Inc(3);
        histogram.WithLabels("m").Observe(0.25);
        listener.RecordObservableInstruments();
        Assert.Equal((3, "model=m"), seen["calls"]);
        Assert.Equal((0.25, "model=m"), seen["wait_seconds"]);

        registry.CreateGauge("later", "Later.").Set(1);
        registry.WriteText();
        listener.RecordObservableInstruments();
        Assert.Equal((1, ""), seen["later"]);
    }

    [Fact]
    public void OpenTelemetry_exports_the_same_totals_and_the_same_buckets()
    {
        var registry = new MetricRegistry(new MetricRegistryOptions { SelfMetrics = false });
        Counter counter = registry.CreateCounter("otel_calls_total", "Calls.", "model");
        Histogram histogram = registry.CreateHistogram("otel_wait_seconds", "Wait.", new HistogramOptions { Buckets = [1, 2] }, "model");
        using var mirror = new MeterMirror(registry);
        var exported = new Exported();
        using MeterProvider provider = Sdk.CreateMeterProviderBuilder().AddMeter(MeterMirror.MeterName).AddReader(new BaseExportingMetricReader(exported)).Build();
        counter.WithLabels("m").Inc(2.5);
        counter.WithLabels("m").Inc(1);
        histogram.WithLabels("m").Observe(0.5);
        histogram.WithLabels("m").Observe(5);
        provider.ForceFlush();
        Assert.Equal("3.5 model=m", exported.Points["otel_calls"]);
        Assert.Equal("5.5 1,0,1 model=m", exported.Points["otel_wait_seconds"]);
    }

    /// <summary>Keeps, in one line each, what OpenTelemetry would have sent.</summary>
    private sealed class Exported : BaseExporter<Metric>
    {
        public Dictionary<string, string> Points { get; } = [];

        public override ExportResult Export(in Batch<Metric> batch)
        {
            foreach (Metric metric in batch)
            {
                foreach (ref readonly MetricPoint point in metric.GetMetricPoints())
                {
                    Points[metric.Name] = Line(metric, point);
                }
            }

            return ExportResult.Success;
        }

        private static string Line(Metric metric, in MetricPoint point)
        {
            var tags = new List<string>();
            foreach (KeyValuePair<string, object?> tag in point.Tags)
            {
                tags.Add($"{tag.Key}={tag.Value}");
            }

            if (metric.MetricType != OpenTelemetry.Metrics.MetricType.Histogram)
            {
                double value = metric.MetricType == OpenTelemetry.Metrics.MetricType.DoubleSum ? point.GetSumDouble() : point.GetGaugeLastValueDouble();
                return $"{value} {string.Join(',', tags)}";
            }

            var counts = new List<long>();
            foreach (HistogramBucket bucket in point.GetHistogramBuckets())
            {
                counts.Add(bucket.BucketCount);
            }

            return $"{point.GetHistogramSum()} {string.Join(',', counts)} {string.Join(',', tags)}";
        }
    }
}
