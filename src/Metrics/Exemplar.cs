using System.Diagnostics;
using System.Text;
using OptiInfra.Metrics.Exposition;

namespace OptiInfra.Metrics;

/// <summary>
/// Points from a sample to the trace it came from. Immutable: publishing one is one reference store, so readers never see half of it.
/// Shown only in OpenMetrics and protobuf.
/// </summary>
public sealed class Exemplar
{
    /// <summary>OpenMetrics allows this many code points of names and values together.</summary>
    public const int MaxLength = 128;

    private static readonly TimeSpan MinimumInterval = TimeSpan.FromSeconds(1);

    private readonly long _taken;

    private Exemplar(IReadOnlyList<KeyValuePair<string, string>> labels, byte[] text, double value, DateTimeOffset time, long taken)
    {
        Labels = labels;
        Text = text;
        Value = value;
        Time = time;
        _taken = taken;
    }

    public IReadOnlyList<KeyValuePair<string, string>> Labels { get; }

    /// <summary>What was observed.</summary>
    public double Value { get; }

    public DateTimeOffset Time { get; }

    internal byte[] Text { get; }

    /// <summary>An exemplar with own labels. Throws when the labels are longer than OpenMetrics allows.</summary>
    public static Exemplar Of(params ReadOnlySpan<(string Name, string Value)> labels)
    {
        var pairs = new List<KeyValuePair<string, string>>(labels.Length);
        var text = new StringBuilder();
        int length = 0;
        foreach ((string name, string value) in labels)
        {
            if (!MetricNames.IsLegacyLabel(name))
            {
                throw new ArgumentException($"exemplar label '{name}' must match [a-zA-Z_][a-zA-Z0-9_]*", nameof(labels));
            }

            pairs.Add(new(name, value));
            length += name.Length + value.EnumerateRunes().Count();
            LabelText.Append(text, name, value);
        }

        return length <= MaxLength
            ? new Exemplar(pairs, Encoding.UTF8.GetBytes(text.ToString()), 0, default, 0)
            : throw new ArgumentException($"exemplar labels take {length} characters, {MaxLength} are allowed", nameof(labels));
    }

    /// <summary>The same labels beside a value and the time of the clock.</summary>
    internal Exemplar At(double value, TimeProvider time) => new(Labels, Text, value, time.GetUtcNow(), time.GetTimestamp());

    /// <summary>Takes the current activity when it is sampled, at most once a second per sample. Costs nothing where no trace is recorded.</summary>
    internal static void Offer(ref Exemplar? place, double value, TimeProvider time)
    {
        Activity? activity = Activity.Current;
        if (activity is null || !activity.Recorded)
        {
            return;
        }

        Exemplar? present = Volatile.Read(ref place);
        if (present is null || time.GetElapsedTime(present._taken) >= MinimumInterval)
        {
            Exemplar taken = Of(("trace_id", activity.TraceId.ToHexString()), ("span_id", activity.SpanId.ToHexString()));
            Volatile.Write(ref place, taken.At(value, time));
        }
    }
}
