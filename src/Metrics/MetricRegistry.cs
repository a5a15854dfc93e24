using System.Buffers;
using System.Text;
using OptiInfra.Metrics.Exposition;

namespace OptiInfra.Metrics;

// The tour. A program creates families here once (CreateCounter, CreateHistogram, …) and keeps them, or the series that
// WithLabels returns (MetricFamily.cs, Counter.cs, Gauge.cs, Histogram.cs, Summary.cs, Info.cs, StateSet.cs). Looking a series up
// is lock-free (SeriesTable.cs); updating one touches only the series itself. A scrape runs the collect callbacks, lets idle series
// go, and writes every family in the reader's language (Exposition/). Guarantees: what can be created can be exposed, in every
// format; no family grows past its cap; an update never throws for its value and never blocks on a scrape; what was refused
// is counted (SelfMetrics.cs). Not here: HTTP (AspNetCore/), ready-made metrics (Agents/), other sources (Sources/).

/// <summary>All metrics of a process, or of a part of it.</summary>
public sealed class MetricRegistry
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, MetricFamily> _bySampleName = new(StringComparer.Ordinal);
    private MetricFamily[] _families = [];
    private MetricRegistry[] _included = [];
    private Action[] _callbacks = [];
    private Func<CancellationToken, Task>[] _asyncCallbacks = [];

    public MetricRegistry()
        : this(new MetricRegistryOptions())
    {
    }

    public MetricRegistry(MetricRegistryOptions options)
    {
        Options = options;
        var labels = new StringBuilder();
        foreach ((string name, string value) in options.StaticLabels)
        {
            if (!MetricNames.IsLegacyLabel(name))
            {
                throw new ArgumentException($"static label '{name}' must match [a-zA-Z_][a-zA-Z0-9_]*", nameof(options));
            }

            LabelText.Append(labels, name, value);
        }

        StaticLabelText = labels.ToString();
        Self = new SelfMetrics(this);
        Scraper = new Scraper(this);
        Self.Start();
    }

    public MetricRegistryOptions Options { get; }

    /// <summary>All families in order of creation.</summary>
    public IReadOnlyList<MetricFamily> Families => Volatile.Read(ref _families);

    internal string StaticLabelText { get; }

    internal SelfMetrics Self { get; }

    internal Scraper Scraper { get; }

    /// <summary>A family of totals. <c>_total</c> is appended to the name unless it is there.</summary>
    public Counter CreateCounter(string name, string help, params string[] labelNames) => CreateCounter(name, help, new MetricOptions(), labelNames);

    /// <inheritdoc cref="CreateCounter(string, string, string[])"/>
    public Counter CreateCounter(string name, string help, MetricOptions options, params string[] labelNames) =>
        GetOrCreate(MetricType.Counter, name, help, options, labelNames, fullName => new Counter(this, fullName, help, labelNames, options));

    /// <summary>A family of values that go up and down.</summary>
    public Gauge CreateGauge(string name, string help, params string[] labelNames) => CreateGauge(name, help, new MetricOptions(), labelNames);

    /// <inheritdoc cref="CreateGauge(string, string, string[])"/>
    public Gauge CreateGauge(string name, string help, MetricOptions options, params string[] labelNames) =>
        GetOrCreate(MetricType.Gauge, name, help, options, labelNames, fullName => new Gauge(this, fullName, help, labelNames, options));

    /// <summary>A family of distributions with the buckets of request latencies.</summary>
    public Histogram CreateHistogram(string name, string help, params string[] labelNames) => CreateHistogram(name, help, new HistogramOptions(), labelNames);

    /// <summary>A family of distributions.</summary>
    public Histogram CreateHistogram(string name, string help, HistogramOptions options, params string[] labelNames) =>
        GetOrCreate(MetricType.Histogram, name, help, options, labelNames, fullName => new Histogram(this, fullName, help, labelNames, options));

    /// <summary>A family of distributions with quantiles computed here.</summary>
    public Summary CreateSummary(string name, string help, params string[] labelNames) => CreateSummary(name, help, new SummaryOptions(), labelNames);

    /// <inheritdoc cref="CreateSummary(string, string, string[])"/>
    public Summary CreateSummary(string name, string help, SummaryOptions options, params string[] labelNames) =>
        GetOrCreate(MetricType.Summary, name, help, options, labelNames, fullName => new Summary(this, fullName, help, labelNames, options));

    /// <summary>Facts as labels. <c>_info</c> is appended to the name unless it is there.</summary>
    public Info CreateInfo(string name, string help, params string[] labelNames) => CreateInfo(name, help, new MetricOptions(), labelNames);

    /// <inheritdoc cref="CreateInfo(string, string, string[])"/>
    public Info CreateInfo(string name, string help, MetricOptions options, params string[] labelNames) =>
        GetOrCreate(MetricType.Info, name, help, options, labelNames, fullName => new Info(this, fullName, help, labelNames, options));

    /// <summary>Named states, each 0 or 1.</summary>
    public StateSet CreateStateSet(string name, string help, string[] states, params string[] labelNames) =>
        CreateStateSet(name, help, states, new MetricOptions(), labelNames);

    /// <inheritdoc cref="CreateStateSet(string, string, string[], string[])"/>
    public StateSet CreateStateSet(string name, string help, string[] states, MetricOptions options, params string[] labelNames) =>
        GetOrCreate(MetricType.StateSet, name, help, options, labelNames, fullName => new StateSet(this, fullName, help, states, labelNames, options));

    /// <summary>The family with this full name, or null.</summary>
    public MetricFamily? Find(string name) => Array.Find(Volatile.Read(ref _families), family => family.Name == name);

    /// <summary>
    /// Shows the families of another registry in this one's scrapes, for a library that has a registry of its own. A family that would
    /// write a name of this registry stays out.
    /// </summary>
    public void Include(MetricRegistry other)
    {
        lock (_lock)
        {
            Volatile.Write(ref _included, [.. _included, other]);
        }
    }

    /// <summary>Takes a family out of the registry. Its handles go on working, unseen.</summary>
    public bool Unregister(MetricFamily family)
    {
        lock (_lock)
        {
            if (!_families.Contains(family))
            {
                return false;
            }

            foreach (string name in MetricNames.SampleNames(family.BaseName, family.Type))
            {
                _bySampleName.Remove(name);
            }

            Volatile.Write(ref _families, [.. _families.Where(other => other != family)]);
            return true;
        }
    }

    /// <summary>
    /// Runs before every scrape, to set values that are only known by asking. An exception is counted and hurts nothing else.
    /// Dispose the result to stop it.
    /// </summary>
    public IDisposable OnCollect(Action callback)
    {
        lock (_lock)
        {
            Volatile.Write(ref _callbacks, [.. _callbacks, callback]);
        }

        return new Subscription(() => Volatile.Write(ref _callbacks, [.. _callbacks.Where(other => other != callback)]), _lock);
    }

    /// <summary>The same for values that take waiting. A callback that is not done in time is counted, and its last values are shown.</summary>
    public IDisposable OnCollectAsync(Func<CancellationToken, Task> callback)
    {
        lock (_lock)
        {
            Volatile.Write(ref _asyncCallbacks, [.. _asyncCallbacks, callback]);
        }

        return new Subscription(() => Volatile.Write(ref _asyncCallbacks, [.. _asyncCallbacks.Where(other => other != callback)]), _lock);
    }

    /// <summary>
    /// Writes all metrics; <paramref name="names"/>, when given, selects families or samples by name.
    /// Runs the synchronous callbacks; the asynchronous ones run only in a scrape over HTTP.
    /// </summary>
    public void Write(IBufferWriter<byte> output, ExpositionFormat format, IReadOnlySet<string>? names = null)
    {
        Collect();
        WriteCollected(output, format, names);
    }

    /// <summary>All metrics as text, for tests and for looking at them.</summary>
    public string WriteText(ExpositionFormat? format = null)
    {
        var output = new ArrayBufferWriter<byte>();
        Write(output, format ?? ExpositionFormat.Text);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    internal void WriteCollected(IBufferWriter<byte> output, ExpositionFormat format, IReadOnlySet<string>? names)
    {
        if (format.Kind == ExpositionKind.Protobuf)
        {
            ProtobufExposition.Write(output, Selected(names), format);
        }
        else
        {
            TextExposition.Write(output, Selected(names), format);
        }
    }

    /// <summary>Runs all callbacks, the asynchronous ones side by side and for no longer than the reader waits.</summary>
    internal async Task CollectAsync(TimeSpan patience)
    {
        if (_asyncCallbacks.Length + _included.Length > 0)
        {
            using var deadline = new CancellationTokenSource(patience, Options.Time);
            await AskAsync(deadline.Token);
        }

        Collect();
    }

    private Task AskAsync(CancellationToken deadline) => Task.WhenAll(
    [
        .. Volatile.Read(ref _asyncCallbacks).Select(callback => Self.GuardAsync(callback, deadline)),
        .. Volatile.Read(ref _included).Select(registry => registry.AskAsync(deadline)),
    ]);

    /// <summary>Brings callback-fed values up to date and lets idle series go.</summary>
    internal void Collect()
    {
        foreach (Action callback in Volatile.Read(ref _callbacks))
        {
            Self.Guard(callback);
        }

        long now = Options.Time.GetTimestamp();
        foreach (MetricFamily family in Volatile.Read(ref _families))
        {
            family.Sweep(now);
        }

        foreach (MetricRegistry included in Volatile.Read(ref _included))
        {
            included.Collect();
        }

        Self.Refresh();
    }

    /// <summary>The own families, then those of the included registries whose names nobody before them writes.</summary>
    private MetricFamily[] AllFamilies()
    {
        MetricFamily[] families = Volatile.Read(ref _families);
        MetricRegistry[] included = Volatile.Read(ref _included);
        if (included.Length == 0)
        {
            return families;
        }

        var all = new List<MetricFamily>(families);
        var taken = families.SelectMany(SampleNamesOf).ToHashSet(StringComparer.Ordinal);
        foreach (MetricFamily family in included.SelectMany(registry => registry.AllFamilies()))
        {
            if (!SampleNamesOf(family).Any(taken.Contains))
            {
                taken.UnionWith(SampleNamesOf(family));
                all.Add(family);
            }
        }

        return [.. all];
    }

    private static IEnumerable<string> SampleNamesOf(MetricFamily family) => MetricNames.SampleNames(family.BaseName, family.Type);

    private MetricFamily[] Selected(IReadOnlySet<string>? names)
    {
        MetricFamily[] families = AllFamilies();
        return names is null or { Count: 0 }
            ? families
            : [.. families.Where(family => names.Contains(family.Name) || SampleNamesOf(family).Any(names.Contains))];
    }

    private TFamily GetOrCreate<TFamily>(MetricType type, string name, string help, MetricOptions options, string[] labelNames, Func<string, TFamily> create)
        where TFamily : MetricFamily
    {
        string fullName = MetricNames.FullName(name, type);
        MetricNames.Check(fullName, labelNames, type, options, Options);
        lock (_lock)
        {
            string[] claimed = [.. MetricNames.SampleNames(MetricNames.BaseName(fullName, type), type)];
            MetricFamily? rival = claimed.Select(sample => _bySampleName.GetValueOrDefault(sample)).FirstOrDefault(family => family is not null);
            if (rival is not null)
            {
                return rival is TFamily same && same.Name == fullName && same.LabelNames.SequenceEqual(labelNames) && SameShape(same.Options, options)
                    ? same
                    : throw new InvalidOperationException(
                        $"{Describe(type, fullName, labelNames)} collides with {Describe(rival.Type, rival.Name, rival.LabelNames)}: both would write '{claimed.First(_bySampleName.ContainsKey)}'");
            }

            TFamily created = create(fullName);
            foreach (string sample in claimed)
            {
                _bySampleName.Add(sample, created);
            }

            // OpenMetrics wants target_info before everything else.
            Volatile.Write(ref _families, fullName == "target_info" ? [created, .. _families] : [.. _families, created]);
            return created;
        }
    }

    /// <summary>Two definitions agree when their samples would look alike; caps and expiry of the first one win.</summary>
    private static bool SameShape(MetricOptions first, MetricOptions second) =>
        first is not HistogramOptions histogram || (second is HistogramOptions other && histogram.Buckets.SequenceEqual(other.Buckets) && histogram.Native == other.Native);

    private static string Describe(MetricType type, string name, IReadOnlyList<string> labels) =>
        $"{type.ToString().ToLowerInvariant()} {name}{{{string.Join(",", labels)}}}";

    private sealed class Subscription(Action remove, Lock gate) : IDisposable
    {
        public void Dispose()
        {
            lock (gate)
            {
                remove();
            }
        }
    }
}
