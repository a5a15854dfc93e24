using System.Runtime.CompilerServices;
using System.Text;
using OptiInfra.Metrics.Exposition;

namespace OptiInfra.Metrics;

/// <summary>
/// A metric as declared: name, help, type, labels and settings. Its series live in the typed subclasses.
/// Everything a catalogue or a dashboard wants to know about the metric is readable here.
/// </summary>
public abstract class MetricFamily
{
    /// <summary>The value that stands for every refused or unlisted label value.</summary>
    public const string OtherValue = "_other";

    private protected readonly Lock Gate = new();
    private protected readonly SeriesTable Table = new();
    private string[] _labelNames;
    private readonly bool _isOpen;
    private bool _extensible;

    private protected MetricFamily(MetricRegistry registry, string name, string help, MetricType type, string[] labelNames, MetricOptions options)
    {
        Registry = registry;
        Name = name;
        BaseName = MetricNames.BaseName(name, type);
        Help = help;
        Type = type;
        Options = options;
        Unit = options.Unit ?? MetricNames.UnitOf(BaseName);
        SeriesLimit = options.SeriesLimit > 0 ? options.SeriesLimit : registry.Options.SeriesLimit;
        HasExtras = options.Exemplars;
        _isOpen = options.AllowedValues is null;
        _labelNames = labelNames;
        Texts = new FamilyTexts(this);
    }

    /// <summary>The full name, with the suffix its type demands: <c>requests_total</c>.</summary>
    public string Name { get; }

    public string Help { get; }

    public MetricType Type { get; }

    public string? Unit { get; }

    public IReadOnlyList<string> LabelNames => _labelNames;

    public MetricOptions Options { get; }

    public int SeriesLimit { get; }

    /// <summary>How many series the family holds now.</summary>
    public int SeriesCount => Table.Count;

    internal MetricRegistry Registry { get; }

    /// <summary>The name without type suffix, as OpenMetrics calls the family.</summary>
    internal string BaseName { get; }

    /// <summary>Whether an update has more to do than to update: an exemplar, a mirror. Read on every update.</summary>
    internal bool HasExtras { get; private protected set; }

    /// <summary>The family's names and headers as bytes, by format.</summary>
    internal FamilyTexts Texts { get; }

    internal ReadOnlySpan<Series?> Snapshot() => Table.Snapshot();

    /// <summary>All labels of a series, the registry's static ones first.</summary>
    internal IEnumerable<KeyValuePair<string, string>> LabelPairs(Series series) =>
        Registry.Options.StaticLabels.Concat(_labelNames.Select((name, index) => KeyValuePair.Create(name, index < series.Values.Length ? series.Values[index] : "")));

    /// <summary>Removes every series. Families without labels keep theirs.</summary>
    public void Clear()
    {
        lock (Gate)
        {
            foreach (Series? series in Table.Snapshot())
            {
                if (series is not null && _labelNames.Length > 0)
                {
                    Detach(series, SeriesState.Removed);
                }
            }
        }
    }

    /// <summary>Removes the series with these label values. False when there is none.</summary>
    public bool Remove(params ReadOnlySpan<string> values)
    {
        lock (Gate)
        {
            if (_labelNames.Length == 0 || Table.Find(values, SeriesTable.HashOf(values)) is not { } series)
            {
                return false;
            }

            Detach(series, SeriesState.Removed);
            return true;
        }
    }

    /// <summary>Removes all series whose label <paramref name="name"/> has <paramref name="value"/>, and says how many.</summary>
    public int RemoveWhere(string name, string value)
    {
        int label = Array.IndexOf(_labelNames, name);
        int removed = 0;
        lock (Gate)
        {
            foreach (Series? series in Table.Snapshot())
            {
                if (series is not null && label >= 0 && series.Values[label] == value)
                {
                    Detach(series, SeriesState.Removed);
                    removed++;
                }
            }
        }

        return removed;
    }

    /// <summary>Lets go of the series that were not updated for the idle timeout. Called before each scrape.</summary>
    internal void Sweep(long now)
    {
        if (Options.IdleTimeout is not { } timeout)
        {
            return;
        }

        lock (Gate)
        {
            foreach (Series? series in Table.Snapshot())
            {
                // Another thread may set Live at any moment; then the exchange fails or the next sweep sees it.
                if (series is null || _labelNames.Length == 0)
                {
                    continue;
                }

                if (Interlocked.CompareExchange(ref series.State, SeriesState.Idle, SeriesState.Live) == SeriesState.Live)
                {
                    series.LastActive = now;
                }
                else if (Registry.Options.Time.GetElapsedTime(series.LastActive, now) >= timeout)
                {
                    Detach(series, SeriesState.Expired);
                }
            }
        }
    }

    /// <summary>The slow path of an update to a series that is not live. False when the update must be dropped.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal bool Revive(Series series)
    {
        if (Interlocked.CompareExchange(ref series.State, SeriesState.Live, SeriesState.Idle) is SeriesState.Idle or SeriesState.Live)
        {
            return true;
        }

        lock (Gate)
        {
            if (series.State == SeriesState.Expired && Table.Count < SeriesLimit && Table.Find(series.Values, series.Hash) is null)
            {
                Table.Add(series);
                series.State = SeriesState.Live;
            }

            return series.State == SeriesState.Live;
        }
    }

    /// <summary>Lets labels be added later, for sources that say only bit by bit which there are. The series without labels goes.</summary>
    internal void BecomeExtensible()
    {
        lock (Gate)
        {
            _extensible = true;
            foreach (Series? series in Table.Snapshot())
            {
                if (series is not null)
                {
                    Detach(series, SeriesState.Removed);
                }
            }
        }
    }

    /// <summary>Adds a label; the series that exist get this value for it. They keep their text, since an empty label is no label.</summary>
    internal void ExtendLabels(string label, string value)
    {
        lock (Gate)
        {
            Table.Rekey(values => [.. values, value]);
            Volatile.Write(ref _labelNames, [.. _labelNames, label]);
        }
    }

    /// <summary>The series of an extensible family, or null when its labels have grown since the values were put in order.</summary>
    internal Series? TryResolve(ReadOnlySpan<string> values) =>
        values.Length != Volatile.Read(ref _labelNames).Length ? null : Table.Find(values, SeriesTable.HashOf(values)) ?? ResolveSlowly(values);

    /// <summary>The series whose label values are these tags' values, in this order, if it exists.</summary>
    internal Series? Find(ReadOnlySpan<KeyValuePair<string, object?>> tags) => Table.Find(tags);

    private protected abstract Series NewSeries(string[] values, int hash);

    /// <summary>Finds or creates the series. The fast path is one hash, one probe and one compare per label.</summary>
    private protected Series Resolve(ReadOnlySpan<string> values)
    {
        if (_isOpen && values.Length == _labelNames.Length)
        {
            Series? found = Table.Find(values, SeriesTable.HashOf(values));
            if (found is not null)
            {
                return found;
            }
        }

        // Null is only for extensible families, whose handles nobody but the bridge asks for.
        return ResolveSlowly(values)!;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private Series? ResolveSlowly(ReadOnlySpan<string> values)
    {
        if (values.Length != _labelNames.Length)
        {
            if (_extensible)
            {
                return null;
            }

            throw new ArgumentException($"metric '{Name}' has {_labelNames.Length} labels ({string.Join(", ", _labelNames)}), but {values.Length} values were given");
        }

        LabelBuffer buffer = default;
        Span<string> cleaned = buffer[..values.Length];
        Clean(values, cleaned);
        int hash = SeriesTable.HashOf(cleaned);
        if (Table.Find(cleaned, hash) is { } known)
        {
            return known;
        }

        lock (Gate)
        {
            if (cleaned.Length != _labelNames.Length)
            {
                return null;
            }

            if (Table.Find(cleaned, hash) is { } raced)
            {
                return raced;
            }

            // The overflow series itself is beyond the limit: a family holds at most limit + 1 series.
            if (Table.Count < SeriesLimit)
            {
                return Attach(cleaned.ToArray(), hash);
            }
        }

        Registry.Self.Overflowed(this);
        cleaned.Fill(OtherValue);
        hash = SeriesTable.HashOf(cleaned);
        lock (Gate)
        {
            return cleaned.Length != _labelNames.Length ? null : Table.Find(cleaned, hash) ?? Attach(cleaned.ToArray(), hash);
        }
    }

    /// <summary>Null becomes empty, long values are cut, values outside a closed list become <see cref="OtherValue"/>.</summary>
    private void Clean(ReadOnlySpan<string> values, Span<string> cleaned)
    {
        for (int index = 0; index < values.Length; index++)
        {
            string value = WellFormed(values[index] ?? "");
            if (value.Length > Registry.Options.LabelValueLimit)
            {
                value = Cut(value, Registry.Options.LabelValueLimit);
                Registry.Self.Truncated(this);
            }

            if (Options.AllowedValues is { } allowed && allowed.TryGetValue(_labelNames[index], out IReadOnlyList<string>? list) && !list.Contains(value, StringComparer.Ordinal))
            {
                value = OtherValue;
            }

            cleaned[index] = value;
        }
    }

    /// <summary>
    /// Two values that differ only in halves of surrogate pairs would become the same UTF-8, and a series written twice makes a
    /// reader refuse the whole scrape.
    /// </summary>
    private static string WellFormed(string value) =>
        value.AsSpan().IndexOfAnyInRange('\ud800', '\udfff') < 0 ? value : Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(value));

    /// <summary>Never cuts a surrogate pair in two.</summary>
    private static string Cut(string value, int limit) => value[..(char.IsHighSurrogate(value[limit - 1]) ? limit - 1 : limit)];

    private protected Series Attach(string[] values, int hash)
    {
        Series series = NewSeries(values, hash);
        series.LastActive = Registry.Options.Time.GetTimestamp();
        Table.Add(series);
        return series;
    }

    private void Detach(Series series, SeriesState state)
    {
        series.State = state;
        Table.Remove(series);
    }

    /// <summary>The labels of a series as text formats show them, escaped once and kept.</summary>
    private protected byte[] FragmentOf(string[] values) => LabelText.Encode(Registry.StaticLabelText, _labelNames, values);
}

/// <summary>A family whose series are of one type.</summary>
public abstract class MetricFamily<TSeries> : MetricFamily
    where TSeries : Series
{
    private protected MetricFamily(MetricRegistry registry, string name, string help, MetricType type, string[] labelNames, MetricOptions options)
        : base(registry, name, help, type, labelNames, options)
    {
    }

    /// <summary>The one series of a family without labels.</summary>
    private protected TSeries Sole { get; private set; } = null!;

    /// <summary>
    /// The series with these label values, in declared order. The result may be kept: updating through it costs no lookup.
    /// Beyond the family's cap this is the overflow series; it is never null and never throws for a value.
    /// </summary>
    public TSeries WithLabels(params ReadOnlySpan<string> values) => Unsafe.As<TSeries>(Resolve(values));

    /// <summary>The series of a typed label set.</summary>
    public TSeries WithLabels<TLabels>(TLabels labels)
        where TLabels : struct, ILabels
    {
        LabelBuffer buffer = default;
        Span<string> values = buffer[..LabelNames.Count];
        labels.CopyTo(values);
        return WithLabels(values);
    }

    /// <summary>The series that exist now.</summary>
    public IReadOnlyList<TSeries> AllSeries() => [.. Snapshot().ToArray().OfType<TSeries>()];

    /// <summary>Creates the series that exist from the start.</summary>
    private protected void Start()
    {
        if (LabelNames.Count == 0)
        {
            lock (Gate)
            {
                Sole = Unsafe.As<TSeries>(Attach([], SeriesTable.HashOf([])));
            }
        }

        foreach (string[] values in Options.InitialSeries ?? [])
        {
            WithLabels(values);
        }
    }

    /// <summary>The series of a family without labels; asking a labelled family for it is a mistake in the program.</summary>
    private protected TSeries Only => Sole ?? throw new InvalidOperationException(
        $"metric '{Name}' has labels ({string.Join(", ", LabelNames)}): call WithLabels first");
}

/// <summary>A typed set of label values; makes it impossible to swap two labels by accident.</summary>
public interface ILabels
{
    /// <summary>The label names, in the order of <see cref="CopyTo"/>.</summary>
    static abstract string[] Names { get; }

    /// <summary>Writes the values in the order of <see cref="Names"/>.</summary>
    void CopyTo(Span<string> values);
}

/// <summary>Room for the values of one lookup on the stack.</summary>
[InlineArray(Capacity)]
internal struct LabelBuffer
{
    /// <summary>No family may have more labels than this.</summary>
    public const int Capacity = 12;

    private string _first;
}
