using OptiInfra.PromQL.Builtins;
using OptiInfra.PromQL.Data;
using OptiInfra.PromQL.Syntax;

namespace OptiInfra.PromQL.Engine;

/// <summary>Aggregations that give one series per group.</summary>
internal static class Aggregations
{
    public static List<EvalSeries> Eval(Evaluator evaluator, Aggregation aggregation, Steps steps)
    {
        if (aggregation.Op == AggregateOp.CountValues)
        {
            return CountValues(evaluator, aggregation, steps);
        }
        EvalSeries? parameter = aggregation.Param is null ? null : evaluator.Scalar(aggregation.Param, steps);
        List<EvalSeries> input = evaluator.Eval(aggregation.Inner, steps);
        if (aggregation.Op is AggregateOp.Topk or AggregateOp.Bottomk or AggregateOp.Limitk or AggregateOp.LimitRatio)
        {
            return new TopAggregations(evaluator, aggregation, steps).Eval(input, parameter!);
        }
        if (aggregation.Op == AggregateOp.Quantile)
        {
            WarnOfQuantiles(evaluator, parameter!, steps);
        }
        var groups = Group(aggregation, input);
        var result = new List<EvalSeries>(groups.Count);
        for (int g = 0; g < groups.Count; g++)
        {
            (Labels labels, List<EvalSeries> members) = groups[g];
            // Prometheus takes the flag from the input at the group's own number; so must we, to drop the same names.
            var output = new EvalSeries(labels, steps.Count) { DropName = input[g].DropName };
            for (int i = 0; i < steps.Count; i++)
            {
                output[i] = new GroupValue(evaluator, aggregation.Op).Of(members, i, parameter);
            }
            result.Add(output);
        }
        result.RemoveAll(series => series.IsEmpty);
        return result;
    }

    /// <summary>The groups in the order in which they first appear.</summary>
    public static List<(Labels Labels, List<EvalSeries> Members)> Group(Aggregation aggregation, List<EvalSeries> input)
    {
        var numbers = new Dictionary<Labels, int>();
        var groups = new List<(Labels, List<EvalSeries>)>();
        HashSet<string> names = [.. aggregation.Grouping];
        foreach (EvalSeries series in input)
        {
            Labels key = aggregation.Without ? series.Labels.Without(names).WithoutName() : series.Labels.Keep(names);
            if (!numbers.TryGetValue(key, out int number))
            {
                numbers.Add(key, number = groups.Count);
                groups.Add((key, []));
            }
            groups[number].Item2.Add(series);
        }
        return groups;
    }

    private static void WarnOfQuantiles(Evaluator evaluator, EvalSeries parameter, Steps steps)
    {
        double[] values = [.. Enumerable.Range(0, steps.Count).Select(parameter.Float)];
        double[] suspects = values.Any(double.IsNaN) ? [double.NaN, values.Max(), values.Min()] : [values.Max(), values.Min()];
        foreach (double q in suspects)
        {
            Quantiles.WarnUnlessValid(evaluator.Notes, q);
        }
    }

    private static List<EvalSeries> CountValues(Evaluator evaluator, Aggregation aggregation, Steps steps)
    {
        string label = ((StringLiteral)aggregation.Param!.Unparenthesized()).Value;
        if (!LabelFunctions.IsValidName(label, evaluator.Options.Version))
        {
            throw new EvaluationException($"invalid label name {StringSyntax.Quote(label)}");
        }
        HashSet<string> names = [.. aggregation.Grouping];
        if (!aggregation.Without)
        {
            names.Add(label);
        }
        var result = new List<EvalSeries>();
        var numbers = new Dictionary<Labels, int>();
        foreach (EvalSeries series in evaluator.Eval(aggregation.Inner, steps))
        {
            for (int i = 0; i < steps.Count; i++)
            {
                if (series[i] is not { IsPresent: true } value)
                {
                    continue;
                }
                Labels counted = series.Labels.With(label, value.Histogram?.ToString() ?? GoNumber.FormatPlain(value.Float));
                Labels key = aggregation.Without ? counted.Without(names).WithoutName() : counted.Keep(names);
                if (!numbers.TryGetValue(key, out int number))
                {
                    numbers.Add(key, number = result.Count);
                    result.Add(new EvalSeries(key, steps.Count));
                }
                result[number][i] = (result[number].TryFloat(i, out double before) ? before : 0) + 1;
            }
        }
        return result;
    }

    /// <summary>The value of one group at one step.</summary>
    private readonly struct GroupValue(Evaluator evaluator, AggregateOp op)
    {
        public SampleValue Of(List<EvalSeries> members, int step, EvalSeries? parameter) => op switch
        {
            AggregateOp.Sum => Sum(members, step),
            AggregateOp.Avg => Average(members, step),
            AggregateOp.Count => Members(members, step) is > 0 and var count ? count : SampleValue.None,
            AggregateOp.Group => Members(members, step) > 0 ? 1.0 : SampleValue.None,
            AggregateOp.Min => Extreme(members, step, (candidate, best) => best > candidate),
            AggregateOp.Max => Extreme(members, step, (candidate, best) => best < candidate),
            AggregateOp.Quantile => FloatsOf(members, step) is { Count: > 0 } values ? Quantiles.Of(parameter!.Float(step), values) : SampleValue.None,
            AggregateOp.Stddev => Variance(members, step) is { } variance ? Math.Sqrt(variance) : SampleValue.None,
            _ => Variance(members, step) is { } variance ? variance : SampleValue.None,
        };

        private static int Members(List<EvalSeries> members, int step) => members.Count(member => member.Has(step));

        private SampleValue Sum(List<EvalSeries> members, int step)
        {
            var sum = new Compensated();
            double plain = 0;
            bool first = true;
            FloatHistogram? histogram = null;
            bool incompatible = false;
            foreach (EvalSeries member in members)
            {
                SampleValue value = member[step];
                if (value.Histogram is { } h)
                {
                    FloatHistogram? both = histogram is null ? h : incompatible ? histogram : histogram.Plus(h, out HistogramConflict conflict) ?? Refuse(conflict, member, ref incompatible);
                    histogram = both ?? histogram;
                }
                else if (value.IsPresent)
                {
                    sum = first ? new Compensated(value.Float) : sum.Plus(value.Float);
                    plain = first ? value.Float : plain + value.Float;
                    first = false;
                }
            }
            if (histogram is null)
            {
                return first ? SampleValue.None : evaluator.IsV3 ? sum.Total : plain;
            }
            return Histogram(first, incompatible, histogram);
        }

        private SampleValue Average(List<EvalSeries> members, int step)
        {
            List<double> floats = [];
            FloatHistogram? mean = null;
            bool incompatible = false;
            int count = 0;
            foreach (EvalSeries member in members)
            {
                SampleValue value = member[step];
                count += value.IsPresent ? 1 : 0;
                if (value.Histogram is not { } h)
                {
                    if (value.IsPresent)
                    {
                        floats.Add(value.Float);
                    }
                    continue;
                }
                if (!incompatible)
                {
                    FloatHistogram? next = mean is null ? h : OverTimeFunctions.MovedMean(mean, h, count, out HistogramConflict conflict) ?? Refuse(conflict, member, ref incompatible);
                    mean = next ?? mean;
                }
            }
            if (mean is null)
            {
                return floats.Count == 0 ? SampleValue.None : evaluator.IsV3 ? Means.Of(floats) : Means.Incremental(floats, compensated: false);
            }
            return Histogram(floats.Count == 0, incompatible, mean);
        }

        private SampleValue Histogram(bool noFloats, bool incompatible, FloatHistogram value)
        {
            if (!noFloats)
            {
                evaluator.Notes.Warn("encountered a mix of histograms and floats for aggregation");
                return SampleValue.None;
            }
            return incompatible ? SampleValue.None : SampleValue.Of(value.Compact());
        }

        private FloatHistogram? Refuse(HistogramConflict conflict, EvalSeries member, ref bool incompatible)
        {
            incompatible = true;
            evaluator.Notes.WarnOfConflict(conflict, member.Labels.Name);
            return null;
        }

        private SampleValue Extreme(List<EvalSeries> members, int step, Func<double, double, bool> isBetter)
        {
            SampleValue best = SampleValue.None;
            foreach (double value in FloatsOf(members, step))
            {
                if (!best.IsPresent || isBetter(value, best.Float) || double.IsNaN(best.Float))
                {
                    best = value;
                }
            }
            return best;
        }

        private double? Variance(List<EvalSeries> members, int step)
        {
            List<double> values = FloatsOf(members, step);
            if (values.Count == 0)
            {
                return null;
            }
            double mean = values[0];
            double squares = evaluator.IsV3 && !double.IsFinite(mean) ? double.NaN : 0;
            for (int i = 1; i < values.Count; i++)
            {
                double delta = values[i] - mean;
                mean += delta / (i + 1);
                squares += delta * (values[i] - mean);
            }
            return squares / values.Count;
        }

        private List<double> FloatsOf(List<EvalSeries> members, int step)
        {
            var values = new List<double>(members.Count);
            foreach (EvalSeries member in members)
            {
                SampleValue value = member[step];
                if (value.Histogram is not null)
                {
                    evaluator.Notes.Inform($"ignored histogram in {op.Text()} aggregation");
                }
                else if (value.IsPresent)
                {
                    values.Add(value.Float);
                }
            }
            return values;
        }
    }
}
