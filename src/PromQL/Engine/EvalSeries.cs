using OptiInfra.PromQL.Data;

namespace OptiInfra.PromQL.Engine;

/// <summary>The instants at which something is evaluated, in milliseconds, the last one at or before <paramref name="End"/>.</summary>
internal readonly record struct Steps(long Start, long End, long Interval)
{
    public int Count => End < Start ? 0 : (int)((End - Start) / Interval) + 1;

    public long this[int index] => Start + index * Interval;

    public Steps First => new(Start, Start, 1);
}

/// <summary>
/// One series during evaluation: a value, or nothing, at every step. Nothing is the staleness marker, so that a column of
/// floats is one array; histograms, which are rare, have a column of their own when there are any.
/// </summary>
internal sealed class EvalSeries
{
    private readonly double[] values;
    private FloatHistogram?[]? histograms;

    public EvalSeries(Labels labels, int steps)
    {
        Labels = labels;
        values = new double[steps];
        Array.Fill(values, StaleMarker.Value);
    }

    private EvalSeries(Labels labels, double[] values, FloatHistogram?[]? histograms)
    {
        Labels = labels;
        this.values = values;
        this.histograms = histograms;
    }

    public Labels Labels { get; }

    /// <summary>With delayed name removal: the metric name is to go when the whole expression has been evaluated.</summary>
    public bool DropName { get; init; }

    public bool HasHistograms => histograms is not null;

    public SampleValue this[int step]
    {
        get => histograms?[step] is { } histogram ? SampleValue.Of(histogram)
            : StaleMarker.Is(values[step]) ? SampleValue.None
            : values[step];
        set
        {
            if (!value.IsPresent)
            {
                values[step] = StaleMarker.Value;
                if (histograms is not null)
                {
                    histograms[step] = null;
                }
            }
            else if (value.Histogram is null)
            {
                values[step] = value.Float;
                if (histograms is not null)
                {
                    histograms[step] = null;
                }
            }
            else
            {
                (histograms ??= new FloatHistogram?[values.Length])[step] = value.Histogram;
            }
        }
    }

    public static EvalSeries Constant(Labels labels, int steps, double value)
    {
        var values = new double[steps];
        Array.Fill(values, value);
        return new EvalSeries(labels, values, null);
    }

    public bool Has(int step) => !StaleMarker.Is(values[step]) || histograms?[step] is not null;

    /// <summary>The float at a step where there is one for certain: a scalar's.</summary>
    public double Float(int step) => values[step];

    public bool TryFloat(int step, out double value)
    {
        value = values[step];
        return !StaleMarker.Is(value) && histograms?[step] is null;
    }

    public bool IsEmpty
    {
        get
        {
            for (int i = 0; i < values.Length; i++)
            {
                if (Has(i))
                {
                    return false;
                }
            }
            return true;
        }
    }

    /// <summary>The same samples under other labels; the columns are shared, so nobody may write to either any more.</summary>
    public EvalSeries Relabeled(Labels labels, bool dropName) => new(labels, values, histograms) { DropName = dropName };

    /// <summary>The single row of this column at every one of <paramref name="steps"/> steps.</summary>
    public EvalSeries Repeated(int steps)
    {
        var repeated = new double[steps];
        Array.Fill(repeated, values[0]);
        FloatHistogram?[]? repeatedHistograms = null;
        if (histograms is not null)
        {
            repeatedHistograms = new FloatHistogram?[steps];
            Array.Fill(repeatedHistograms, histograms[0]);
        }
        return new EvalSeries(Labels, repeated, repeatedHistograms) { DropName = DropName };
    }
}

/// <summary>The remarks of one query, each once.</summary>
internal sealed class Annotations
{
    private readonly HashSet<QueryAnnotation> all = [];

    public IReadOnlyCollection<QueryAnnotation> All => all;

    public void Warn(string text) => all.Add(new QueryAnnotation(true, text));

    public void Inform(string text) => all.Add(new QueryAnnotation(false, text));
}
