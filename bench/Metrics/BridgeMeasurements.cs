using System.Diagnostics.Metrics;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OptiInfra.Metrics;
using OptiInfra.Metrics.Sources;

namespace OptiInfra.Bench.Metrics;

/// <summary>What System.Diagnostics.Metrics costs with nobody listening, with our bridge and with OpenTelemetry.</summary>
internal static class BridgeMeasurements
{
    private static readonly object Ok = 200;

    public static Measurement[] All { get; } =
    [
        Measurement.Of("metrics.meter.counter", () => Compare("Meter counter, 3 tags, through the bridge", 40, meter =>
        {
            Counter<long> counter = meter.CreateCounter<long>("calls");
            return count =>
            {
                for (int i = 0; i < count; i++)
                {
                    counter.Add(1, new("http.request.method", "GET"), new("http.route", "/api"), new("http.response.status_code", Ok));
                }
            };
        })),
        Measurement.Of("metrics.meter.histogram", () => Compare("Meter histogram, 3 tags, through the bridge", null, meter =>
        {
            Histogram<double> histogram = meter.CreateHistogram<double>("duration", "s");
            return count =>
            {
                for (int i = 0; i < count; i++)
                {
                    histogram.Record(0.3, new("http.request.method", "GET"), new("http.route", "/api"), new("http.response.status_code", Ok));
                }
            };
        })),
    ];

    private static IReadOnlyList<Figure> Compare(string what, double? budget, Func<Meter, Action<int>> create)
    {
        using var alone = new Meter("bench.alone");
        double raw = Timing.Nanoseconds(create(alone));

        using var observed = new Meter("bench.otel");
        using MeterProvider provider = Sdk.CreateMeterProviderBuilder().AddMeter(observed.Name).AddReader(new BaseExportingMetricReader(new Nowhere())).Build();
        double peer = Timing.Nanoseconds(create(observed));

        var registry = new MetricRegistry();
        using var bridge = new MeterBridge(registry, new MeterBridgeOptions { Meters = ["bench.bridge"] });
        using var bridged = new Meter("bench.bridge");
        Action<int> loop = create(bridged);
        return
        [
            new Figure(what, Timing.Nanoseconds(loop), "ns", budget, peer, "OpenTelemetry 1.20.1"),
            new Figure("   allocated", Timing.Bytes(loop), "B", 0),
            new Figure("   nobody listens", raw, "ns"),
        ];
    }

    private sealed class Nowhere : BaseExporter<Metric>
    {
        public override ExportResult Export(in Batch<Metric> batch) => ExportResult.Success;
    }
}
