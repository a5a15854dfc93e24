using System.Collections.Frozen;
using OptiInfra.PromQL.Data;
using OptiInfra.PromQL.Engine;
using OptiInfra.PromQL.Syntax;

namespace OptiInfra.PromQL.Builtins;

/// <summary>A call with its arguments evaluated (unless the function is in <see cref="FunctionTable.TakesExpressions"/>).</summary>
internal readonly record struct FunctionCall(Evaluator Evaluator, Call Call, List<EvalSeries>[] Args, Steps Steps)
{
    public string Text(int argument) => ((StringLiteral)Call.Args[argument].Unparenthesized()).Value;

    /// <summary>Computes every float of the first argument anew; the metric name goes, histograms go.</summary>
    public List<EvalSeries> Map(Func<double, int, double> compute)
    {
        var result = new List<EvalSeries>(Args[0].Count);
        foreach (EvalSeries input in Args[0])
        {
            var output = new EvalSeries(Evaluator.NameDropped(input.Labels), Steps.Count) { DropName = true };
            for (int i = 0; i < Steps.Count; i++)
            {
                if (input.TryFloat(i, out double value))
                {
                    output[i] = compute(value, i);
                }
            }
            result.Add(output);
        }
        return Finished(result);
    }

    /// <summary>A scalar with a value at every step.</summary>
    public List<EvalSeries> Scalar(Func<int, double> compute)
    {
        var output = new EvalSeries(Labels.Empty, Steps.Count);
        for (int i = 0; i < Steps.Count; i++)
        {
            output[i] = compute(i);
        }
        return [output];
    }

    public List<EvalSeries> Finished(List<EvalSeries> series)
    {
        series.RemoveAll(s => s.IsEmpty);
        return Evaluator.Merged(series, Steps);
    }
}

internal delegate List<EvalSeries> VectorFunction(FunctionCall call);

/// <summary>Every function the engine can compute, by name. Which of them a version has is the parser's business.</summary>
internal static class FunctionTable
{
    /// <summary>Functions with a range as argument.</summary>
    public static readonly FrozenDictionary<string, RangeFunction> OverRange = new Dictionary<string, RangeFunction>
    {
        ["rate"] = RateFunctions.Rate,
        ["increase"] = RateFunctions.Increase,
        ["delta"] = RateFunctions.Delta,
        ["irate"] = RateFunctions.InstantRate,
        ["idelta"] = RateFunctions.InstantDelta,
        ["deriv"] = RateFunctions.Slope,
        ["predict_linear"] = RateFunctions.Predict,
        ["resets"] = RateFunctions.Resets,
        ["changes"] = RateFunctions.Changes,
        ["double_exponential_smoothing"] = RateFunctions.Smooth,
        ["holt_winters"] = RateFunctions.Smooth,
        ["avg_over_time"] = OverTimeFunctions.Average,
        ["sum_over_time"] = OverTimeFunctions.Sum,
        ["count_over_time"] = OverTimeFunctions.Count,
        ["min_over_time"] = OverTimeFunctions.Min,
        ["max_over_time"] = OverTimeFunctions.Max,
        ["last_over_time"] = OverTimeFunctions.Last,
        ["first_over_time"] = OverTimeFunctions.First,
        ["present_over_time"] = OverTimeFunctions.One,
        ["absent_over_time"] = OverTimeFunctions.One,
        ["quantile_over_time"] = OverTimeFunctions.Quantile,
        ["stddev_over_time"] = OverTimeFunctions.Deviation,
        ["stdvar_over_time"] = OverTimeFunctions.Variance,
        ["mad_over_time"] = OverTimeFunctions.MedianDeviation,
        ["ts_of_min_over_time"] = OverTimeFunctions.TimeOfMin,
        ["ts_of_max_over_time"] = OverTimeFunctions.TimeOfMax,
        ["ts_of_last_over_time"] = OverTimeFunctions.TimeOfLast,
        ["ts_of_first_over_time"] = OverTimeFunctions.TimeOfFirst,
    }.ToFrozenDictionary();

    /// <summary>All others.</summary>
    public static readonly FrozenDictionary<string, VectorFunction> OnVectors = new Dictionary<string, VectorFunction>
    {
        ["clamp"] = MathFunctions.Clamp,
        ["clamp_min"] = MathFunctions.ClampMin,
        ["clamp_max"] = MathFunctions.ClampMax,
        ["round"] = MathFunctions.Round,
        ["pi"] = call => call.Scalar(_ => Math.PI),
        ["scalar"] = MathFunctions.Scalar,
        ["vector"] = call => call.Args[0],
        ["max_of"] = call => call.Scalar(i => Math.Max(call.Args[0][0].Float(i), call.Args[1][0].Float(i))),
        ["min_of"] = call => call.Scalar(i => Math.Min(call.Args[0][0].Float(i), call.Args[1][0].Float(i))),
        ["time"] = call => call.Scalar(i => call.Steps[i] / 1000.0),
        ["timestamp"] = TimeFunctions.Timestamp,
        ["year"] = call => TimeFunctions.Part(call, date => date.Year),
        ["month"] = call => TimeFunctions.Part(call, date => date.Month),
        ["day_of_month"] = call => TimeFunctions.Part(call, date => date.Day),
        ["day_of_week"] = call => TimeFunctions.Part(call, date => date.DayOfWeek),
        ["day_of_year"] = call => TimeFunctions.Part(call, date => date.DayOfYear),
        ["days_in_month"] = call => TimeFunctions.Part(call, date => date.DaysInMonth),
        ["hour"] = call => TimeFunctions.Part(call, date => date.Hour),
        ["minute"] = call => TimeFunctions.Part(call, date => date.Minute),
        ["absent"] = LabelFunctions.Absent,
        ["label_replace"] = LabelFunctions.Replace,
        ["label_join"] = LabelFunctions.Join,
        ["info"] = InfoFunction.Eval,
        ["sort"] = call => SortFunctions.ByValue(call, descending: false),
        ["sort_desc"] = call => SortFunctions.ByValue(call, descending: true),
        ["sort_by_label"] = call => SortFunctions.ByLabel(call, descending: false),
        ["sort_by_label_desc"] = call => SortFunctions.ByLabel(call, descending: true),
        ["histogram_quantile"] = HistogramFunctions.Quantile,
        ["histogram_fraction"] = HistogramFunctions.Fraction,
        ["histogram_count"] = call => HistogramFunctions.Map(call, h => h.Count),
        ["histogram_sum"] = call => HistogramFunctions.Map(call, h => h.Sum),
        ["histogram_avg"] = call => HistogramFunctions.Map(call, h => h.Sum / h.Count),
        ["histogram_stdvar"] = call => HistogramFunctions.Map(call, h => HistogramFunctions.Variance(h, call.Evaluator)),
        ["histogram_stddev"] = call => HistogramFunctions.Map(call, h => Math.Sqrt(HistogramFunctions.Variance(h, call.Evaluator))),
    }.Concat(MathFunctions.Elementwise).ToFrozenDictionary();

    /// <summary>Functions that look at their arguments as they are written.</summary>
    public static readonly FrozenSet<string> TakesExpressions = FrozenSet.Create("absent", "timestamp", "label_replace", "label_join", "info");

    /// <summary>Functions whose value changes with the evaluation time although their arguments do not.</summary>
    public static readonly FrozenSet<string> DependsOnTime = FrozenSet.Create(
        "days_in_month", "day_of_month", "day_of_week", "day_of_year", "hour", "minute", "month", "year", "predict_linear", "time", "timestamp");
}
