using System.Globalization;
using OptiInfra.PromQL.Data;
using OptiInfra.PromQL.Engine;

namespace OptiInfra.PromQL.Builtins;

/// <summary>Orders for instant queries. The result of a range query is sorted by labels whatever is asked.</summary>
internal static class SortFunctions
{
    /// <summary>By value, NaN last both ways; histograms have no order and are left out.</summary>
    public static List<EvalSeries> ByValue(FunctionCall call, bool descending)
    {
        List<EvalSeries> floats = call.Args[0];
        if (call.Steps.Count != 1)
        {
            return call.Evaluator.Merged(floats.ConvertAll(series => FloatsOnly(series, call.Steps.Count)), call.Steps);
        }
        floats = floats.FindAll(series => series.TryFloat(0, out _));
        IOrderedEnumerable<EvalSeries> numbersFirst = floats.OrderBy(series => double.IsNaN(series.Float(0)));
        return [.. descending ? numbersFirst.ThenByDescending(series => series.Float(0)) : numbersFirst.ThenBy(series => series.Float(0))];
    }

    /// <summary>By the given labels, numbers inside them by magnitude; then by all labels.</summary>
    public static List<EvalSeries> ByLabel(FunctionCall call, bool descending)
    {
        string[] names = [.. Enumerable.Range(1, call.Call.Args.Length - 1).Select(call.Text)];
        int sign = descending ? -1 : 1;
        // Prometheus 2.x breaks ties by value, 3.x by all labels; an ordered enumeration keeps the order of equals.
        bool byValue = !call.Evaluator.IsV3;
        List<EvalSeries> input = byValue ? ByValue(call, descending) : call.Args[0];
        return [.. input.Order(Comparer<EvalSeries>.Create((a, b) =>
        {
            foreach (string name in names)
            {
                int order = Natural(a.Labels[name], b.Labels[name]);
                if (order != 0)
                {
                    return sign * order;
                }
            }
            return byValue ? 0 : sign * a.Labels.CompareTo(b.Labels);
        }))];
    }

    private static EvalSeries FloatsOnly(EvalSeries series, int steps)
    {
        if (!series.HasHistograms)
        {
            return series;
        }
        var floats = new EvalSeries(series.Labels, steps) { DropName = series.DropName };
        for (int i = 0; i < steps; i++)
        {
            floats[i] = series.TryFloat(i, out double value) ? value : SampleValue.None;
        }
        return floats;
    }

    /// <summary>Runs of digits compare as numbers, everything between them as text.</summary>
    private static int Natural(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        while (!a.IsEmpty && !b.IsEmpty)
        {
            ReadOnlySpan<char> left = Run(a), right = Run(b);
            a = a[left.Length..];
            b = b[right.Length..];
            bool numbers = TryNumber(left, out decimal x) & TryNumber(right, out decimal y);
            int order = numbers ? x.CompareTo(y) : left.SequenceCompareTo(right);
            if (order != 0)
            {
                return order;
            }
        }
        return a.Length.CompareTo(b.Length);
    }

    private static ReadOnlySpan<char> Run(ReadOnlySpan<char> text)
    {
        bool digits = char.IsAsciiDigit(text[0]);
        int end = digits ? text.IndexOfAnyExceptInRange('0', '9') : text.IndexOfAnyInRange('0', '9');
        return end < 0 ? text : text[..end];
    }

    private static bool TryNumber(ReadOnlySpan<char> text, out decimal value) =>
        decimal.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
}
