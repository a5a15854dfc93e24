using OptiInfra.PromQL.Data;
using OptiInfra.PromQL.Engine;
using OptiInfra.PromQL.Syntax;

namespace OptiInfra.PromQL.Builtins;

/// <summary>Timestamps of samples, and the parts of dates. All dates are UTC.</summary>
internal static class TimeFunctions
{
    /// <summary>When the samples of a plain selector were taken; of anything else, the evaluation time.</summary>
    public static List<EvalSeries> Timestamp(FunctionCall call)
    {
        Evaluator evaluator = call.Evaluator;
        if (call.Call.Args[0].Unparenthesized() is not VectorSelector selector)
        {
            call.Args[0] = evaluator.Eval(call.Call.Args[0], call.Steps);
            Steps steps = call.Steps;
            var stamped = new List<EvalSeries>();
            foreach (EvalSeries series in call.Args[0])
            {
                var output = new EvalSeries(evaluator.NameDropped(series.Labels), steps.Count) { DropName = true };
                for (int i = 0; i < steps.Count; i++)
                {
                    output[i] = series.Has(i) ? steps[i] / 1000.0 : SampleValue.None;
                }
                stamped.Add(output);
            }
            return call.Finished(stamped);
        }
        var result = new List<EvalSeries>();
        StoredSeries? current = null;
        evaluator.Look(selector, call.Steps, (series, step, time, _) =>
        {
            if (!ReferenceEquals(series, current))
            {
                result.Add(new EvalSeries(evaluator.NameDropped(series.Labels), call.Steps.Count) { DropName = true });
                current = series;
            }
            result[^1][step] = time / 1000.0;
        });
        return call.Finished(result);
    }

    /// <summary>A part of the date in each sample's value, or of the evaluation time when there is no argument.</summary>
    public static List<EvalSeries> Part(FunctionCall call, Func<UtcDate, long> part) => call.Args.Length == 0
        ? call.Scalar(i => part(UtcDate.At(call.Steps[i] / 1000)))
        : call.Map((value, _) => part(UtcDate.At(ToSeconds(value))));

    /// <summary>The conversion of Go on amd64: what does not fit becomes the smallest integer.</summary>
    private static long ToSeconds(double value) => value is > -9.2e18 and < 9.2e18 ? (long)value : long.MinValue;
}

/// <summary>A date of the Gregorian calendar in whatever year, from seconds since 1970.</summary>
internal readonly record struct UtcDate(long Year, int Month, int Day, int DayOfYear, int DayOfWeek, int Hour, int Minute)
{
    public bool IsLeapYear => Year % 4 == 0 && (Year % 100 != 0 || Year % 400 == 0);

    public int DaysInMonth => Month == 2 ? (IsLeapYear ? 29 : 28) : Month is 4 or 6 or 9 or 11 ? 30 : 31;

    public static UtcDate At(long seconds)
    {
        (long days, long second) = FloorDivide(seconds, 86400);
        // Count from 0000-03-01, so that the leap day is the last of the year: http://howardhinnant.github.io/date_algorithms.html.
        (long era, long dayOfEra) = FloorDivide(days + 719468, 146097);
        long yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365;
        long dayFromMarch = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
        long monthFromMarch = (5 * dayFromMarch + 2) / 153;
        int day = (int)(dayFromMarch - (153 * monthFromMarch + 2) / 5) + 1;
        int month = (int)(monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9);
        long year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
        var date = new UtcDate(year, month, day, 0, (int)FloorDivide(days + 4, 7).Remainder, (int)(second / 3600), (int)(second / 60 % 60));
        int dayOfYear = month <= 2 ? (int)dayFromMarch - 305 : (int)dayFromMarch + (date.IsLeapYear ? 61 : 60);
        return date with { DayOfYear = dayOfYear };
    }

    private static (long Quotient, long Remainder) FloorDivide(long value, long divisor)
    {
        long quotient = Math.DivRem(value, divisor, out long remainder);
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder);
    }
}
