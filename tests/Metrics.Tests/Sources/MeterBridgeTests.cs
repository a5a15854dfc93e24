using System.Diagnostics.Metrics;
using OptiInfra.Metrics.Agents;
using OptiInfra.Metrics.Sources;

namespace OptiInfra.Metrics.Tests.Sources;

public sealed class MeterBridgeTests : IDisposable
{
    private readonly MetricRegistry _registry = new();
    private readonly Meter _meter = new("test." + Guid.NewGuid());
    private readonly MeterBridge _bridge;

    public MeterBridgeTests() => _bridge = new MeterBridge(_registry, new MeterBridgeOptions { Meters = [_meter.Name] });

    public void Dispose()
    {
        _bridge.Dispose();
        _meter.Dispose();
    }

    [Fact]
    public void Every_kind_of_instrument_becomes_a_family()
    {
        _meter.CreateCounter<int>("orders", null, "Orders.").Add(2, new KeyValuePair<string, object?>("shop.name", "a"));
        _meter.CreateUpDownCounter<long>("open").Add(3);
        _meter.CreateGauge<float>("level", "Cel").Record(21.5f);
        _meter.CreateHistogram<double>("wait", "s").Record(0.02, new KeyValuePair<string, object?>("ok", true));
        _meter.CreateObservableCounter("ticks", () => 7L);
        _meter.CreateObservableGauge("queue", () => new[] { new Measurement<int>(4, new KeyValuePair<string, object?>("name", "q")) });
        string text = _registry.WriteText();
        Assert.Contains("# HELP orders_total Orders.\n", text, StringComparison.Ordinal);
        Assert.Contains("\norders_total{shop_name=\"a\"} 2\n", text, StringComparison.Ordinal);
        Assert.Contains("\nopen 3\n", text, StringComparison.Ordinal);
        Assert.Contains("\nlevel_celsius 21.5\n", text, StringComparison.Ordinal);
        Assert.Contains("\nwait_seconds_bucket{ok=\"true\",le=\"0.025\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("\nticks_total 7\n", text, StringComparison.Ordinal);
        Assert.Contains("\nqueue{name=\"q\"} 4\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Tags_in_any_order_and_number_end_in_the_right_series()
    {
        Counter<long> counter = _meter.CreateCounter<long>("calls");
        counter.Add(1, new("route", "/a"), new("status", 200));
        counter.Add(1, new("status", 200), new("route", "/a"));
        counter.Add(1, new KeyValuePair<string, object?>("status", 404));
        counter.Add(1, new("route", "/a"), new("status", 500), new("error", "io"));
        counter.Add(1, new("route", "/a"), new("status", 200));
        string[] lines = [.. _registry.WriteText().Split('\n').Where(line => line.StartsWith("calls_total{", StringComparison.Ordinal))];
        Assert.Equal(
            ["calls_total{route=\"/a\",status=\"200\"} 3", "calls_total{route=\"\",status=\"404\"} 1", "calls_total{route=\"/a\",status=\"500\",error=\"io\"} 1"],
            lines);
    }

    [Fact]
    public async Task Tags_that_appear_while_many_threads_measure_lose_nothing()
    {
        Counter<long> counter = _meter.CreateCounter<long>("calls");
        string[] keys = [.. Enumerable.Range(0, 12).Select(index => "key" + index)];
        await Task.WhenAll(Enumerable.Range(0, 8).Select(thread => Task.Run(() =>
        {
            for (int index = 0; index < 12_000; index++)
            {
                counter.Add(1, new(keys[(index / 1000 + thread) % 12], "v"), new("thread", thread));
            }
        })));
        var family = (Counter)_registry.Find("calls_total")!;
        Assert.Equal(8 * 12_000, family.AllSeries().Sum(series => series.Value));
        Assert.Equal(8 * 12, family.SeriesCount);
    }

    [Fact]
    public void A_negative_addition_is_refused()
    {
        Counter<long> counter = _meter.CreateCounter<long>("calls");
        counter.Add(-4);
        Assert.Contains("metrics_rejected_values_total{family=\"calls_total\"} 1\n", _registry.WriteText(), StringComparison.Ordinal);
    }

    [Fact]
    public void Advised_bounds_are_used()
    {
        _meter.CreateHistogram("size", "By", null, null, new InstrumentAdvice<long> { HistogramBucketBoundaries = [10, 20] }).Record(15);
        Assert.Equal([10, 20], ((Histogram)_registry.Find("size_bytes")!).Buckets);
    }

    [Fact]
    public void Constant_tags_of_meter_and_instrument_are_labels()
    {
        using var tagged = new Meter(new MeterOptions(_meter.Name) { Tags = [new("tier", "gold")] });
        tagged.CreateCounter<int>("sales").Add(1, new KeyValuePair<string, object?>("day", 3));
        Assert.Contains("\nsales_total{tier=\"gold\",day=\"3\"} 1\n", _registry.WriteText(), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_two_instruments_with_one_name_and_different_types_the_first_wins()
    {
        _meter.CreateUpDownCounter<int>("a.level").Add(1);
        _meter.CreateHistogram<int>("a_level").Record(1);
        string text = _registry.WriteText();
        Assert.Contains("\na_level 1\n", text, StringComparison.Ordinal);
        Assert.Contains($"metrics_bridge_skipped_instruments_total{{meter=\"{_meter.Name}\",reason=\"conflict\"}} 1\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Tags_without_bound_are_left_out_and_added_up()
    {
        Counter<int> counter = _meter.CreateCounter<int>("calls");
        counter.Add(1, new("user.id", "u1"), new("route", "/a"));
        counter.Add(1, new("user.id", "u2"), new("route", "/a"));
        Assert.Contains("\ncalls_total{route=\"/a\"} 2\n", _registry.WriteText(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_set_of_ones_own_keeps_the_AI_library_from_counting_twice()
    {
        var registry = new MetricRegistry();
        var own = new GenAiMetrics(registry);
        using var bridge = new MeterBridge(registry);
        using var library = new Meter("Experimental.Microsoft.Extensions.AI");
        library.CreateHistogram<double>("gen_ai.client.operation.duration", "s").Record(1);
        library.CreateHistogram<int>("gen_ai.client.token.usage", "{token}").Record(100);
        Assert.Equal(0, own.OperationDuration.SeriesCount);
        Assert.Null(registry.Find("gen_ai_client_token_usage"));

        var bare = new MetricRegistry();
        using var other = new MeterBridge(bare);
        library.CreateHistogram<double>("gen_ai.client.operation.duration", "s").Record(1);
        Assert.NotNull(bare.Find("gen_ai_client_operation_duration_seconds"));
    }

    [Fact]
    public void A_failing_observable_is_counted_and_the_others_are_read()
    {
        _meter.CreateObservableGauge<int>("broken", new Func<int>(() => throw new InvalidOperationException()));
        _meter.CreateObservableGauge("works", () => 1);
        string text = _registry.WriteText();
        Assert.Contains("\nworks 1\n", text, StringComparison.Ordinal);
        Assert.Contains("\nmetrics_callback_errors_total 1\n", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http.server.request.duration", "s", "http_server_request_duration_seconds")]
    [InlineData("already_seconds", "s", "already_seconds")]
    [InlineData("requests", "{request}", "requests")]
    [InlineData("ratio", "1", "ratio")]
    [InlineData("disk.io", "By/s", "disk_io_bytes_per_second")]
    [InlineData("load", "%", "load_percent")]
    [InlineData("heap.size", "MiBy", "heap_size_mebibytes")]
    [InlineData("a..b--c", null, "a_b_c")]
    [InlineData("1st", null, "_1st")]
    [InlineData("speed", "{packet}/min", "speed_per_minute")]
    public void Names_are_translated_once_and_the_same_everywhere(string instrument, string? unit, string expected) =>
        Assert.Equal(expected, MeterNames.FamilyName(instrument, unit));
}
