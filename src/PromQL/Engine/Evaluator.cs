using OptiInfra.PromQL.Builtins;
using OptiInfra.PromQL.Data;
using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Types;

namespace OptiInfra.PromQL.Engine;

/// <summary>The walk over the tree for one query. A scalar is one series without labels that has a value at every step.</summary>
internal sealed class Evaluator(SeriesStore store, EngineOptions options, Steps query)
{
    private readonly Dictionary<Expr, bool> invariant = new(ReferenceEqualityComparer.Instance);

    public EngineOptions Options => options;

    public Annotations Notes { get; } = new();

    public bool IsV3 { get; } = options.Version >= PrometheusVersion.V30;

    /// <summary>Evaluates the whole query: with delayed name removal, names go here.</summary>
    public List<EvalSeries> Result(Expr expr, Steps steps)
    {
        List<EvalSeries> series = Eval(expr, steps);
        if (options.DelayedNameRemoval)
        {
            for (int i = 0; i < series.Count; i++)
            {
                if (series[i].DropName)
                {
                    series[i] = series[i].Relabeled(NameRemoved(series[i].Labels), dropName: false);
                }
            }
            RequireDistinct(series);
        }
        series.RemoveAll(s => s.IsEmpty);
        return series;
    }

    public List<EvalSeries> Eval(Expr expr, Steps steps)
    {
        if (steps.Count > 1 && expr is not (NumberLiteral or VectorSelector) && IsInvariant(expr))
        {
            return Eval(expr, steps.First).ConvertAll(series => series.Repeated(steps.Count));
        }
        return expr switch
        {
            NumberLiteral number => [EvalSeries.Constant(Labels.Empty, steps.Count, number.Value)],
            ParenExpr paren => Eval(paren.Inner, steps),
            UnaryExpr unary => Negate(unary, steps),
            BinaryExpr binary => new BinaryOperations(this, binary, steps).Eval(),
            Aggregation aggregation => Aggregations.Eval(this, aggregation, steps),
            VectorSelector selector => Select(selector, steps),
            Call call => EvalCall(call, steps),
            StringLiteral => [],
            _ => throw new InvalidOperationException($"{expr.GetType().Name} has no value at an instant"),
        };
    }

    /// <summary>The value of a scalar expression at every step.</summary>
    public EvalSeries Scalar(Expr expr, Steps steps) => Eval(expr, steps)[0];

    /// <summary>The labels a series has when its metric name no longer describes it.</summary>
    public Labels NameRemoved(Labels labels) => options.Version < PrometheusVersion.V35
        ? labels.WithoutName()
        : labels.Where(label => label.Name is not (Labels.MetricName or "__type__" or "__unit__"));

    /// <summary>As above, unless names are removed at the end.</summary>
    public Labels NameDropped(Labels labels) => options.DelayedNameRemoval ? labels : NameRemoved(labels);

    /// <summary>Series that have become equal by losing labels are one, unless they have values at the same step.</summary>
    public List<EvalSeries> Merged(List<EvalSeries> series, Steps steps)
    {
        if (series.Count < 2 || (options.DelayedNameRemoval && steps.Count == 1))
        {
            return series;
        }
        var byLabels = new Dictionary<Labels, int>(series.Count);
        var merged = new List<EvalSeries>(series.Count);
        foreach (EvalSeries next in series)
        {
            if (byLabels.TryAdd(next.Labels, merged.Count))
            {
                merged.Add(next);
                continue;
            }
            int place = byLabels[next.Labels];
            merged[place] = Overlay(merged[place], next, steps.Count);
        }
        return merged;
    }

    public static void RequireDistinct(List<EvalSeries> series)
    {
        var seen = new HashSet<Labels>(series.Count);
        foreach (EvalSeries one in series)
        {
            if (!one.IsEmpty && !seen.Add(one.Labels))
            {
                throw new EvaluationException("vector cannot contain metrics with the same labelset");
            }
        }
    }

    /// <summary>The series of a range selector or subquery with their samples around the given steps.</summary>
    public List<RangeSource> RangeOf(Expr expr, Steps steps)
    {
        switch (expr.Unparenthesized())
        {
            case MatrixSelector matrix:
                VectorSelector selector = matrix.Selector;
                var spec = new RangeSpec(
                    Durations.Resolve(matrix.Range, matrix.RangeExpr, mayBeNegative: false),
                    Durations.Resolve(selector.Offset, selector.OffsetExpr, mayBeNegative: true), FixedTime(selector.At), IsV3);
                return [.. store.Select(SeriesMatcher.For(selector, options.Version)).Select(series => new RangeSource(series, spec))];
            case SubqueryExpr subquery:
                return RangeOf(subquery, steps);
            default:
                throw new InvalidOperationException($"{expr.GetType().Name} is no range");
        }
    }

    /// <summary>The latest samples a selector sees; <paramref name="visit"/> is told series, step and the sample's own time.</summary>
    public void Look(VectorSelector selector, Steps steps, Action<StoredSeries, int, long, SampleValue> visit)
    {
        long offset = Durations.Resolve(selector.Offset, selector.OffsetExpr, mayBeNegative: true);
        long? at = FixedTime(selector.At);
        foreach (StoredSeries series in store.Select(SeriesMatcher.For(selector, options.Version)))
        {
            var lookup = new Lookback(series, (long)options.Lookback.TotalMilliseconds, IsV3);
            for (int i = 0; i < steps.Count; i++)
            {
                if (lookup.Find((at ?? steps[i]) - offset, out long time) is { IsPresent: true } value)
                {
                    visit(series, i, time, value);
                }
            }
        }
    }

    public SeriesStore Store => store;

    public long? FixedTime(AtModifier at) => at.Kind switch
    {
        AtKind.Timestamp => at.TimestampMs,
        AtKind.Start => query.Start,
        AtKind.End => query.End,
        _ => null,
    };

    private List<EvalSeries> Select(VectorSelector selector, Steps steps)
    {
        var result = new List<EvalSeries>();
        StoredSeries? current = null;
        Look(selector, steps, (series, step, _, value) =>
        {
            if (!ReferenceEquals(series, current))
            {
                result.Add(new EvalSeries(series.Labels, steps.Count));
                current = series;
            }
            result[^1][step] = value;
        });
        return result;
    }

    private List<RangeSource> RangeOf(SubqueryExpr subquery, Steps steps)
    {
        long range = Durations.Resolve(subquery.Range, subquery.RangeExpr, mayBeNegative: false);
        long offset = Durations.Resolve(subquery.Offset, subquery.OffsetExpr, mayBeNegative: true);
        long step = Durations.Resolve(subquery.Step, subquery.StepExpr, mayBeNegative: subquery.StepExpr is null);
        if (step == 0)
        {
            step = (long)options.DefaultSubqueryStep.TotalMilliseconds;
        }
        long? at = FixedTime(subquery.At);
        long first = (at ?? steps.Start) - offset - range;
        long last = (at ?? steps[steps.Count - 1]) - offset;
        // Steps are aligned to multiples of the step, so that they do not move with the evaluation time.
        long start = step * (first / step);
        if (IsV3 ? start <= first : start < first)
        {
            start += step;
        }
        var inner = new Steps(start, last, step);
        var spec = new RangeSpec(range, offset, at, IsV3);
        var sources = new List<RangeSource>();
        foreach (EvalSeries series in inner.Count == 0 ? [] : Eval(subquery.Inner, inner))
        {
            var stored = new StoredSeries(series.Labels);
            for (int i = 0; i < inner.Count; i++)
            {
                if (series[i] is { IsPresent: true } value)
                {
                    stored.Append(inner[i], WithoutResetHint(value));
                }
            }
            sources.Add(new RangeSource(stored, spec));
        }
        return sources;
    }

    /// <summary>A subquery may skip samples or see one twice, so what a sample says about the one before it no longer holds.</summary>
    private static SampleValue WithoutResetHint(SampleValue value) => value.Histogram is { Hint: ResetHint.Reset or ResetHint.NoReset } histogram
        ? SampleValue.Of(histogram with { Hint = ResetHint.Unknown })
        : value;

    private List<EvalSeries> Negate(UnaryExpr unary, Steps steps)
    {
        List<EvalSeries> series = Eval(unary.Inner, steps);
        if (!unary.IsNegative)
        {
            return series;
        }
        List<EvalSeries> negated = series.ConvertAll(input =>
        {
            var output = new EvalSeries(NameDropped(input.Labels), steps.Count) { DropName = true };
            for (int i = 0; i < steps.Count; i++)
            {
                SampleValue value = input[i];
                output[i] = !value.IsPresent ? value : value.Histogram is { } h ? SampleValue.Of(h.Times(-1)) : -value.Float;
            }
            return output;
        });
        if (!options.DelayedNameRemoval)
        {
            RequireDistinct(negated);
        }
        return negated;
    }

    private List<EvalSeries> EvalCall(Call call, Steps steps)
    {
        string name = call.Function.Name;
        if (FunctionTable.OverRange.TryGetValue(name, out RangeFunction? overRange))
        {
            return RangeCalls.Eval(this, call, overRange, steps);
        }
        var arguments = new List<EvalSeries>[call.Args.Length];
        if (!FunctionTable.TakesExpressions.Contains(name))
        {
            for (int i = 0; i < arguments.Length; i++)
            {
                arguments[i] = Eval(call.Args[i], steps);
            }
        }
        return FunctionTable.OnVectors[name](new FunctionCall(this, call, arguments, steps));
    }

    /// <summary>Whether the expression has the same value at every step, so that one evaluation will do.</summary>
    private bool IsInvariant(Expr expr)
    {
        if (invariant.TryGetValue(expr, out bool known))
        {
            return known;
        }
        bool result = expr switch
        {
            NumberLiteral or StringLiteral => true,
            VectorSelector selector => selector.At.IsSet,
            SubqueryExpr subquery => subquery.At.IsSet,
            Call call => !FunctionTable.DependsOnTime.Contains(call.Function.Name) && call.Args.All(IsInvariant),
            Aggregation aggregation => IsInvariant(aggregation.Inner), // Prometheus does not look at the parameter.
            _ => expr.Children.All(IsInvariant),
        };
        invariant.Add(expr, result);
        return result;
    }

    private static EvalSeries Overlay(EvalSeries under, EvalSeries over, int steps)
    {
        var both = new EvalSeries(under.Labels, steps) { DropName = under.DropName };
        for (int i = 0; i < steps; i++)
        {
            if (under.Has(i) && over.Has(i))
            {
                throw new EvaluationException("vector cannot contain metrics with the same labelset");
            }
            both[i] = under.Has(i) ? under[i] : over[i];
        }
        return both;
    }
}

/// <summary>Finds the sample that counts at an instant: the latest one, if it is recent enough and no staleness marker.</summary>
internal struct Lookback(StoredSeries series, long delta, bool leftOpen)
{
    private int nextFloat;
    private int nextHistogram;
    private long previous = long.MinValue;

    public SampleValue Find(long time, out long sampleTime)
    {
        if (time < previous)
        {
            nextFloat = nextHistogram = 0;
        }
        previous = time;
        ReadOnlySpan<FloatPoint> floats = series.FloatsAndMarkers;
        ReadOnlySpan<HistogramPoint> histograms = series.Histograms;
        nextFloat = Skip(floats, nextFloat, time);
        while (nextHistogram < histograms.Length && histograms[nextHistogram].Time <= time)
        {
            nextHistogram++;
        }
        long floatTime = nextFloat > 0 ? floats[nextFloat - 1].Time : long.MinValue;
        long histogramTime = nextHistogram > 0 ? histograms[nextHistogram - 1].Time : long.MinValue;
        sampleTime = Math.Max(floatTime, histogramTime);
        if (sampleTime == long.MinValue || (leftOpen ? sampleTime <= time - delta : sampleTime < time - delta))
        {
            return SampleValue.None;
        }
        if (histogramTime > floatTime)
        {
            return SampleValue.Of(histograms[nextHistogram - 1].Value);
        }
        double value = floats[nextFloat - 1].Value;
        return StaleMarker.Is(value) ? SampleValue.None : value;
    }

    /// <summary>The number of points up to <paramref name="time"/>: a few steps further from the last answer, or found by halving.</summary>
    private static int Skip(ReadOnlySpan<FloatPoint> points, int from, long time)
    {
        for (int tries = 0; tries < 8; tries++)
        {
            if (from == points.Length || points[from].Time > time)
            {
                return from;
            }
            from++;
        }
        int low = from, high = points.Length;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            (low, high) = points[middle].Time <= time ? (middle + 1, high) : (low, middle);
        }
        return low;
    }
}
