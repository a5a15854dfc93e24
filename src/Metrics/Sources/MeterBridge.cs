using System.Diagnostics.Metrics;

namespace OptiInfra.Metrics.Sources;

// The tour. What others measure: instruments of System.Diagnostics.Metrics (here; BridgedFamily.cs puts their tags in order, MeterNames.cs
// translates their names), the process, the runtime and NVIDIA accelerators (…Collector.cs). All but the bridge's callbacks run only when
// somebody scrapes. The other way round, MeterMirror.cs shows the registry as a Meter, for export by OpenTelemetry. Guarantee: nothing
// here throws into the code it listens to, and an application without any of these sources pays nothing for them.

/// <summary>Which meters are taken in.</summary>
public sealed record MeterBridgeOptions
{
    /// <summary>
    /// Names of meters; a trailing star matches a prefix. Meters of the platform that are noisy or private are not among the defaults.
    /// </summary>
    public IReadOnlyList<string> Meters { get; init; } =
    [
        "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Net.Http", "Experimental.Microsoft.Extensions.AI",
    ];

    /// <summary>Instruments that are left out, by name.</summary>
    public IReadOnlyList<string> ExcludedInstruments { get; init; } = [];

    /// <summary>Tags that are left out, so that their series are added up.</summary>
    public IReadOnlyList<string> ExcludedTags { get; init; } = ["url.scheme", "network.protocol.name", "network.protocol.version", "network.peer.address", "server.port"];

    /// <summary>Series that an observable instrument no longer reports leave after this time.</summary>
    public TimeSpan ObservableTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Cap of each family.</summary>
    public int SeriesLimit { get; init; } = 1000;
}

/// <summary>
/// Takes measurements of System.Diagnostics.Metrics into the registry. Instruments whose Prometheus names agree share a family;
/// when type or meaning differ the first one wins and the other is counted as skipped. A family the program declared itself is
/// never fed from here, so nothing is counted twice: with the GenAI set present, Microsoft.Extensions.AI is left out.
/// A callback runs inside the instrumented code, so it never throws.
/// </summary>
public sealed class MeterBridge : IDisposable
{
    private const string ExtensionsAi = "Experimental.Microsoft.Extensions.AI";

    private readonly MetricRegistry _registry;
    private readonly MeterBridgeOptions _options;
    private readonly MeterListener _listener = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<string, BridgedFamily> _families = new(StringComparer.Ordinal);
    private readonly Counter _skipped;
    private readonly IDisposable _subscription;

    public MeterBridge(MetricRegistry registry, MeterBridgeOptions? options = null)
    {
        _registry = registry;
        _options = options ?? new MeterBridgeOptions();
        _skipped = registry.CreateCounter("metrics_bridge_skipped_instruments_total", "Instruments that could not be taken in, by reason.", "meter", "reason");
        _listener.InstrumentPublished = Published;

        // A type without a callback would be lost silently, so each of the seven has one.
        _listener.SetMeasurementEventCallback<byte>((_, value, tags, state) => Record(value, tags, state));
        _listener.SetMeasurementEventCallback<short>((_, value, tags, state) => Record(value, tags, state));
        _listener.SetMeasurementEventCallback<int>((_, value, tags, state) => Record(value, tags, state));
        _listener.SetMeasurementEventCallback<long>((_, value, tags, state) => Record(value, tags, state));
        _listener.SetMeasurementEventCallback<float>((_, value, tags, state) => Record(value, tags, state));
        _listener.SetMeasurementEventCallback<double>((_, value, tags, state) => Record(value, tags, state));
        _listener.SetMeasurementEventCallback<decimal>((_, value, tags, state) => Record((double)value, tags, state));
        _listener.Start();
        _subscription = registry.OnCollect(_listener.RecordObservableInstruments);
    }

    public void Dispose()
    {
        _subscription.Dispose();
        _listener.Dispose();
    }

    private void Published(Instrument instrument, MeterListener listener)
    {
        if (!Wanted(instrument))
        {
            return;
        }

        BridgedFamily? family;
        try
        {
            family = FamilyOf(instrument);
        }
        catch (Exception problem) when (problem is ArgumentException or InvalidOperationException)
        {
            // The registry refused the name or found it taken; the application's start must not fail for that.
            Skip(instrument, "refused");
            return;
        }

        if (family is not null)
        {
            listener.EnableMeasurementEvents(instrument, new BridgedInstrument(family, [.. instrument.Meter.Tags ?? [], .. instrument.Tags ?? []]));
        }
    }

    private bool Wanted(Instrument instrument) =>
        instrument.Meter.Name != MeterMirror.MeterName
        && !instrument.Meter.Name.StartsWith("Private.", StringComparison.Ordinal)
        && !_options.ExcludedInstruments.Contains(instrument.Name, StringComparer.Ordinal)
        && _options.Meters.Any(meter => meter.EndsWith('*') ? instrument.Meter.Name.StartsWith(meter[..^1], StringComparison.Ordinal) : instrument.Meter.Name == meter);

    private BridgedFamily? FamilyOf(Instrument instrument)
    {
        InstrumentKind kind = InstrumentKinds.Of(instrument);
        string name = MetricNames.FullName(MeterNames.FamilyName(instrument.Name, instrument.Unit), kind.Type);
        lock (_lock)
        {
            if (_families.TryGetValue(name, out BridgedFamily? known))
            {
                if (known.Kind == kind)
                {
                    return known;
                }

                Skip(instrument, "conflict");
                return null;
            }

            bool declared = _registry.Find(name) is not null
                || (instrument.Meter.Name == ExtensionsAi && _registry.Find("gen_ai_client_operation_duration_seconds") is not null && !_families.ContainsKey("gen_ai_client_operation_duration_seconds"));
            if (declared)
            {
                Skip(instrument, "declared");
                return null;
            }

            var family = new BridgedFamily(_registry, name, instrument, kind, _options);
            _families.Add(name, family);
            return family;
        }
    }

    private void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
    {
        try
        {
            var instrument = (BridgedInstrument)state!;
            instrument.Family.Record(value, tags, instrument.Constants);
        }
        catch (Exception)
        {
            _registry.Self.Failed();
        }
    }

    private void Skip(Instrument instrument, string reason) => _skipped.WithLabels(instrument.Meter.Name, reason).Inc();
}

/// <summary>What an instrument is, in the registry's terms.</summary>
/// <param name="Type">The family's type.</param>
/// <param name="IsAbsolute">Whether a measurement is the value itself and not a change of it.</param>
/// <param name="IsObservable">Whether it is asked at scrape time.</param>
internal readonly record struct InstrumentKind(MetricType Type, bool IsAbsolute, bool IsObservable);

/// <summary>Finds out the kind of an instrument, whose class is generic over seven number types.</summary>
internal static class InstrumentKinds
{
    public static InstrumentKind Of(Instrument instrument)
    {
        Type type = instrument.GetType();
        while (!type.IsGenericType && type.BaseType is { } parent)
        {
            type = parent;
        }

        Type definition = type.IsGenericType ? type.GetGenericTypeDefinition() : type;
        return definition == typeof(Counter<>) ? new(MetricType.Counter, false, false)
            : definition == typeof(ObservableCounter<>) ? new(MetricType.Counter, true, true)
            : definition == typeof(Histogram<>) ? new(MetricType.Histogram, false, false)
            : definition == typeof(UpDownCounter<>) ? new(MetricType.Gauge, false, false)
            : new(MetricType.Gauge, true, instrument.IsObservable);
    }

    /// <summary>The bounds an instrument advises, if it does.</summary>
    public static IReadOnlyList<double>? AdvisedBuckets(Instrument instrument) => instrument switch
    {
        Histogram<double> histogram => histogram.Advice?.HistogramBucketBoundaries,
        Histogram<float> histogram => Doubles(histogram.Advice?.HistogramBucketBoundaries),
        Histogram<long> histogram => Doubles(histogram.Advice?.HistogramBucketBoundaries),
        Histogram<int> histogram => Doubles(histogram.Advice?.HistogramBucketBoundaries),
        Histogram<short> histogram => Doubles(histogram.Advice?.HistogramBucketBoundaries),
        Histogram<byte> histogram => Doubles(histogram.Advice?.HistogramBucketBoundaries),
        Histogram<decimal> histogram => Doubles(histogram.Advice?.HistogramBucketBoundaries),
        _ => null,
    };

    private static double[]? Doubles<T>(IReadOnlyList<T>? bounds)
        where T : System.Numerics.INumber<T> => bounds is null ? null : [.. bounds.Select(double.CreateChecked)];
}
