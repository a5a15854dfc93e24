using System.Globalization;
using OptiInfra.PromQL.Data;
using OptiInfra.PromQL.Engine;
using OptiInfra.PromQL.Syntax;

namespace OptiInfra.PromQL.Testing;

/// <summary>Compares what a query gave with what a script expects; null means it is right.</summary>
internal static class ScriptCheck
{
    /// <summary>Relative difference of values that counts as equal.</summary>
    private const double Epsilon = 1e-6;

    public static string? Compare(ScriptCommand.Eval eval, QueryResult result, Steps steps)
    {
        if (result.Error is { } error)
        {
            Expectation? fail = eval.Expectations.FirstOrDefault(expectation => expectation.Kind == ExpectationKind.Fail);
            return fail is null ? "error evaluating the query: " + error
                : fail.Accepts(error) ? null
                : $"expected the error {fail.Message ?? fail.Pattern?.ToString()}, got: {error}";
        }
        if (eval.Expects(ExpectationKind.Fail))
        {
            return "expected an error, got none";
        }
        return Remarks(eval, result, isWarning: true, ExpectationKind.Warn, ExpectationKind.NoWarn)
            ?? Remarks(eval, result, isWarning: false, ExpectationKind.Info, ExpectationKind.NoInfo)
            ?? CompareValues(eval, result, steps);
    }

    public static string? CompareValues(ScriptCommand.Eval eval, QueryResult result, Steps steps)
    {
        if (result.Type == PromType.String)
        {
            return eval.ExpectedText is null || eval.ExpectedText == result.Text ? null
                : $"expected the string {StringSyntax.Quote(eval.ExpectedText)}, got {StringSyntax.Quote(result.Text ?? "")}";
        }
        if (result.Type == PromType.Scalar || (eval.ExpectedScalar is not null && !eval.IsRange))
        {
            return Scalar(eval, result);
        }
        bool ordered = eval.Expects(ExpectationKind.Ordered);
        // A series that is written twice is expected once: as it is written last.
        Dictionary<Labels, (int Place, List<SampleValue> Values)> expected = [];
        for (int i = 0; i < eval.Expected.Count; i++)
        {
            expected[eval.Expected[i].Labels] = (i, eval.Expected[i].Values);
        }
        for (int i = 0; i < result.Series.Count; i++)
        {
            ResultSeries series = result.Series[i];
            if (!expected.Remove(series.Labels, out (int Place, List<SampleValue> Values) wanted))
            {
                return $"unexpected series {series.Labels} with {Text(series)}";
            }
            if (ordered && wanted.Place != i)
            {
                return $"expected {series.Labels} at position {wanted.Place + 1}, it was at {i + 1}";
            }
            if (Points(series, wanted.Values, steps) is { } problem)
            {
                return problem;
            }
        }
        return expected.Count == 0 ? null : $"expected series {expected.Keys.First()} is missing";
    }

    private static string? Scalar(ScriptCommand.Eval eval, QueryResult result)
    {
        if (result.Type != PromType.Scalar)
        {
            return $"expected a scalar, got {result.Series.Count.ToString(CultureInfo.InvariantCulture)} series";
        }
        SampleValue actual = result.Series[0].Points[0].Value;
        return eval.ExpectedScalar is { } expected && Equal(expected, actual) ? null : $"expected {Text(eval.ExpectedScalar ?? SampleValue.None)}, got {Text(actual)}";
    }

    private static string? Points(ResultSeries series, List<SampleValue> wanted, Steps steps)
    {
        if (wanted.Count > steps.Count)
        {
            return string.Create(CultureInfo.InvariantCulture, $"expected {wanted.Count} values of {series.Labels}, but the query has {steps.Count} steps");
        }
        var expected = wanted.Select((value, i) => new ResultPoint(steps[i], value)).Where(point => point.Value.IsPresent).ToList();
        bool same = expected.Count == series.Points.Count
            && expected.Zip(series.Points).All(pair => pair.First.Time == pair.Second.Time && Equal(pair.First.Value, pair.Second.Value));
        return same ? null : $"{series.Labels}: expected {Text(series with { Points = expected })}, got {Text(series)}";
    }

    private static string? Remarks(ScriptCommand.Eval eval, QueryResult result, bool isWarning, ExpectationKind wanted, ExpectationKind none)
    {
        string kind = isWarning ? "warning" : "info";
        string[] actual = [.. result.Annotations.Where(a => a.IsWarning == isWarning).Select(a => a.ToString())];
        Expectation[] expected = [.. eval.Expectations.Where(e => e.Kind == wanted)];
        if (eval.Expects(none) && actual.Length > 0)
        {
            return $"unexpected {kind}: {actual[0]}";
        }
        if (expected.Length == 0)
        {
            return null;
        }
        if (expected.FirstOrDefault(e => !actual.Any(e.Accepts)) is { } missing)
        {
            return $"expected {kind} {missing.Message ?? missing.Pattern?.ToString()}, got: {(actual.Length == 0 ? "none" : string.Join("; ", actual))}";
        }
        return expected.Any(e => e.Strict) && actual.FirstOrDefault(a => !expected.Any(e => e.Accepts(a))) is { } extra ? $"unexpected {kind}: {extra}" : null;
    }

    private static bool Equal(SampleValue a, SampleValue b) => a.Histogram is { } left
        ? b.Histogram is { } right && left.Matches(right, (x, y) => AlmostEqual.Test(x, y, Epsilon))
        : b.Histogram is null && a.IsPresent == b.IsPresent && AlmostEqual.Test(a.Float, b.Float, Epsilon);

    private static string Text(ResultSeries series) =>
        string.Join(' ', series.Points.Select(point => string.Create(CultureInfo.InvariantCulture, $"{Text(point.Value)}@{point.Time / 1000.0}s")));

    private static string Text(SampleValue value) => value.Histogram?.ToNotation() ?? (value.IsPresent ? GoNumber.Format(value.Float) : "nothing");
}
