using OptiInfra.PromQL.Data;
using OptiInfra.PromQL.Engine;
using OptiInfra.PromQL.Syntax;

namespace OptiInfra.PromQL.Builtins;

/// <summary>What a function over a range is told besides the samples; the scalars are its other arguments at this step, in order.</summary>
internal readonly record struct RangeContext(Evaluator Evaluator, string MetricName, long Time, long RangeMs, double[] Scalars)
{
    public Annotations Notes => Evaluator.Notes;

    public double RangeSeconds => RangeMs / 1000.0;
}

internal delegate SampleValue RangeFunction(RangeWindow window, in RangeContext context);

/// <summary>Calls of functions over ranges: one series after the other, one window per step.</summary>
internal static class RangeCalls
{
    private static readonly string[] CounterSuffixes = ["_total", "_sum", "_count", "_bucket"];

    public static List<EvalSeries> Eval(Evaluator evaluator, Call call, RangeFunction function, Steps steps)
    {
        Expr range = call.Args.First(arg => arg.Type == PromType.Matrix);
        EvalSeries[] scalars = [.. call.Args.Where(arg => arg.Type == PromType.Scalar).Select(arg => evaluator.Scalar(arg, steps))];
        string name = call.Function.Name;
        bool dropName = name is not ("last_over_time" or "first_over_time");
        bool counter = name is "rate" or "increase";
        var result = new List<EvalSeries>();
        foreach (RangeSource source in evaluator.RangeOf(range, steps))
        {
            Labels labels = dropName ? evaluator.NameDropped(source.Labels) : source.Labels;
            var output = new EvalSeries(labels, steps.Count) { DropName = dropName };
            bool any = false;
            string metric = source.Labels.Name;
            var context = new RangeContext(evaluator, metric, 0, 0, new double[scalars.Length]);
            for (int i = 0; i < steps.Count; i++)
            {
                RangeWindow window = source.At(steps[i]);
                if (window.IsEmpty)
                {
                    continue;
                }
                for (int s = 0; s < scalars.Length; s++)
                {
                    context.Scalars[s] = scalars[s].Float(i);
                }
                SampleValue value = function(window, context with { Time = steps[i], RangeMs = window.End - window.Start });
                output[i] = value;
                any |= value.IsPresent;
            }
            if (any)
            {
                result.Add(output);
                WarnOfNonCounter(evaluator, counter && !output.HasHistograms ? metric : "");
            }
        }
        if (name == "absent_over_time")
        {
            return Absences(evaluator, range, result, steps);
        }
        if (!evaluator.Options.DelayedNameRemoval)
        {
            Evaluator.RequireDistinct(result);
        }
        return result;
    }

    private static void WarnOfNonCounter(Evaluator evaluator, string metric)
    {
        if (metric.Length > 0 && !CounterSuffixes.Any(suffix => metric.EndsWith(suffix, StringComparison.Ordinal)))
        {
            evaluator.Notes.Inform($"metric might not be a counter, name does not end in _total/_sum/_count/_bucket: {StringSyntax.Quote(metric)}");
        }
    }

    private static List<EvalSeries> Absences(Evaluator evaluator, Expr range, List<EvalSeries> present, Steps steps)
    {
        Labels labels = range.Unparenthesized() is MatrixSelector matrix ? LabelFunctions.OfSelector(matrix.Selector) : Labels.Empty;
        var absent = new EvalSeries(evaluator.NameDropped(labels), steps.Count) { DropName = true };
        for (int i = 0; i < steps.Count; i++)
        {
            if (!present.Exists(series => series.Has(i)))
            {
                absent[i] = 1.0;
            }
        }
        return absent.IsEmpty ? [] : [absent];
    }
}
