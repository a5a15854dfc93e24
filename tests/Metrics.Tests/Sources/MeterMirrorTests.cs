using System.Diagnostics.Metrics;
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
}
