using System.Collections.Immutable;
using OptiInfra.PromQL.Data;
using OptiInfra.PromQL.Engine;
using OptiInfra.PromQL.Rules;
using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;
using OptiInfra.PromQL.Types;

namespace OptiInfra.PromQL.Testing;

/// <summary>What did not come out as expected: both sides, one line per alert or sample; or an error in their place.</summary>
/// <param name="What">The alert or expression, and the time.</param>
/// <param name="Position">Where the expectation stands in the test file.</param>
public sealed record RuleTestFailure(string What, TextPosition Position)
{
    public ImmutableArray<string> Expected { get; init; } = [];

    public ImmutableArray<string> Actual { get; init; } = [];

    public string? Error { get; init; }
}

public sealed record RuleTestResult(string Name, ImmutableArray<RuleTestFailure> Failures)
{
    public bool IsPassed => Failures.IsEmpty;
}

/// <summary>
/// Runs rule tests on our own engine; the verdict is that of <c>promtool test rules</c>. In flow order: series are read from their
/// notation, <see cref="RuleEvaluation"/> evaluates all groups at every evaluation interval on the samples up to then, alerts are
/// compared at their times, and expressions at the end. Reads no files: the caller brings test and rules.
/// </summary>
public static class RuleTestRunner
{
    public static ImmutableArray<RuleTestResult> Run(RuleTestFile file, IReadOnlyList<RuleFile> rules, ParserOptions? options = null)
    {
        ParserOptions parserOptions = options ?? ParserOptions.Default;
        IEnumerable<RuleGroup> groups = rules.SelectMany(one => one.Groups).OrderBy(group => Math.Max(0, file.GroupOrder.IndexOf(group.Name)));
        return [.. file.Tests.Select(test => new RuleTestResult(test.Name, [.. new TestRun(file, test, [.. groups], parserOptions).Failures()]))];
    }

    /// <summary>One test. It has a store, alerts and a clock of its own.</summary>
    private sealed class TestRun(RuleTestFile file, RuleTest test, IReadOnlyList<RuleGroup> groups, ParserOptions parserOptions)
    {
        private readonly SeriesStore store = new();
        private readonly EngineOptions engine = new()
        {
            Version = parserOptions.Version,
            DefaultSubqueryStep = TimeSpan.FromMilliseconds(file.EvaluationInterval.Milliseconds),
        };

        private readonly List<RuleTestFailure> failures = [];

        public List<RuleTestFailure> Failures()
        {
            if (Input() is not { } input)
            {
                return failures;
            }
            var evaluation = new RuleEvaluation(groups, test, store, engine, parserOptions);
            ILookup<long, AlertTest> alerts = test.Alerts.ToLookup(alert => alert.At.Milliseconds);
            long[] times = [.. alerts.Select(group => group.Key).Order()];
            long interval = file.EvaluationInterval.Milliseconds;
            long last = times.Concat(test.Expressions.Select(expression => expression.At.Milliseconds)).DefaultIfEmpty(0).Max();
            int next = 0;
            for (long time = 0; time <= last; time += interval)
            {
                if (Load(input, test.StartMs + time))
                {
                    List<(Rule Rule, string Error)> errors = evaluation.At(test.StartMs + time);
                    if (errors.Count > 0)
                    {
                        failures.AddRange(errors.Select(error => Failed($"rule: {error.Rule.Name}, time: {PromDuration.FromMilliseconds(time)}", default, error.Error)));
                        return failures;
                    }
                }
                for (; next < times.Length && times[next] < time + interval; next++)
                {
                    foreach (AlertTest alert in alerts[times[next]])
                    {
                        Compare(alert, evaluation);
                    }
                }
            }
            foreach (ExprTest expression in test.Expressions)
            {
                Compare(expression);
            }
            return failures;
        }

        private sealed record InputSeries(Labels Labels, List<SampleValue> Values)
        {
            public int Loaded { get; set; }
        }

        private List<InputSeries>? Input()
        {
            var input = new Dictionary<Labels, InputSeries>();
            foreach (TestSeries series in test.Series)
            {
                try
                {
                    (Labels labels, List<SampleValue> values) = SeriesNotation.ReadSeries($"{series.Series} {series.Values}");
                    input[labels] = new InputSeries(labels, values);
                }
                catch (SeriesNotation.NotationException error)
                {
                    failures.Add(Failed($"series: {series.Series}", series.Position, error.Message));
                }
            }
            return failures.Count == 0 ? [.. input.Values] : null;
        }

        /// <summary>Stores the input up to a time; false when a sample is refused because a rule has given that series already.</summary>
        private bool Load(List<InputSeries> input, long until)
        {
            long gap = (test.Interval ?? file.EvaluationInterval).Milliseconds;
            bool ok = true;
            foreach (InputSeries series in input)
            {
                for (; series.Loaded < series.Values.Count && test.StartMs + series.Loaded * gap <= until; series.Loaded++)
                {
                    SampleValue value = series.Values[series.Loaded];
                    if (value.IsPresent && store.Append(series.Labels, test.StartMs + series.Loaded * gap, value) != AppendResult.Added)
                    {
                        failures.Add(Failed($"series: {series.Labels.ToSeriesString()}", default, "a rule has given a sample of this series for the same time or later"));
                        ok = false;
                    }
                }
            }
            return ok;
        }

        private void Compare(AlertTest expectation, RuleEvaluation evaluation)
        {
            List<(string Labels, string Annotations)> expected = [.. expectation.Expected
                .Select(alert => (Text(alert.Labels.SetItem("alertname", expectation.Alert)), Text(alert.Annotations))).Order()];
            List<(string Labels, string Annotations)> actual = [.. evaluation.Alerts
                .Where(state => state.Rule.Alert == expectation.Alert)
                .SelectMany(state => state.Active.Values)
                .Where(alert => alert.State == AlertState.Firing)
                .Select(alert => (Text(alert.Labels.ToImmutableDictionary(label => label.Name, label => label.Value)), Text(alert.Annotations))).Order()];
            if (!expected.SequenceEqual(actual))
            {
                failures.Add(new RuleTestFailure($"alertname: {expectation.Alert}, time: {expectation.At}", expectation.Position)
                {
                    Expected = [.. expected.Select(alert => $"{alert.Labels} {alert.Annotations}")],
                    Actual = [.. actual.Select(alert => $"{alert.Labels} {alert.Annotations}")],
                });
            }
        }

        private static string Text(IReadOnlyDictionary<string, string> map) => "{" + string.Join(", ", map
            .OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={StringSyntax.Quote(pair.Value)}")) + "}";

        private void Compare(ExprTest expectation)
        {
            string what = $"expr: {StringSyntax.Quote(expectation.Expr)}, time: {expectation.At}";
            ParseResult parsed = PromQLParser.Parse(expectation.Expr, parserOptions);
            if (parsed.Expr is not { } expr)
            {
                failures.Add(Failed(what, expectation.Position, $"{parsed.Diagnostics[0].Start}: parse error: {parsed.Diagnostics[0].Message}"));
                return;
            }
            QueryResult result = QueryEngine.Instant(expr, store, test.StartMs + expectation.At.Milliseconds, engine);
            if (result.Error is not null || result.Type is not (PromType.Vector or PromType.Scalar))
            {
                failures.Add(Failed(what, expectation.Position, result.Error ?? "rule result is not a vector or scalar"));
                return;
            }
            try
            {
                List<(Labels Labels, SampleValue Value)> expected = [.. expectation.Expected.Select(Expected).OrderBy(sample => sample.Labels)];
                List<(Labels Labels, SampleValue Value)> actual = [.. result.Series.Select(series => (series.Labels, series.Points[0].Value)).OrderBy(sample => sample.Labels)];
                bool same = expected.Count == actual.Count
                    && expected.Zip(actual).All(pair => pair.First.Labels.Equals(pair.Second.Labels) && Equal(pair.First.Value, pair.Second.Value));
                if (!same)
                {
                    failures.Add(new RuleTestFailure(what, expectation.Position) { Expected = [.. expected.Select(Text)], Actual = [.. actual.Select(Text)] });
                }
            }
            catch (SeriesNotation.NotationException error)
            {
                failures.Add(Failed(what, expectation.Position, error.Message));
            }
        }

        private static (Labels Labels, SampleValue Value) Expected(ExpectedSample sample)
        {
            Labels labels = SeriesNotation.ReadLabels(sample.Labels);
            if (sample.Histogram.Length == 0)
            {
                return (labels, sample.Value);
            }
            return SeriesNotation.ReadValues(sample.Histogram) is [{ Histogram: not null } histogram]
                ? (labels, histogram)
                : throw new SeriesNotation.NotationException($"expected one histogram, got {StringSyntax.Quote(sample.Histogram)}");
        }

        /// <summary>Exactly equal, as promtool has it: NaN equals nothing, and histograms are compared as they are written.</summary>
        private bool Equal(SampleValue expected, SampleValue actual)
        {
            if (expected.Histogram is not null || actual.Histogram is not null)
            {
                // Before 3.0 the notation left out whether a counter had been reset.
                bool hints = parserOptions.Version >= PrometheusVersion.V30;
                return Notation(expected.Histogram) == Notation(actual.Histogram);
                string? Notation(FloatHistogram? histogram) => (hints || histogram is null ? histogram : histogram with { Hint = ResetHint.Unknown })?.ToNotation();
            }
            double a = expected.Float, b = actual.Float;
            return a == b || (file.FuzzyCompare && (Math.BitIncrement(a) == b || Math.BitDecrement(a) == b));
        }

        private static string Text((Labels Labels, SampleValue Value) sample) =>
            $"{sample.Labels.ToSeriesString()} {sample.Value.Histogram?.ToNotation() ?? GoNumber.FormatE(sample.Value.Float, null).Replace('e', 'E')}";

        private static RuleTestFailure Failed(string what, TextPosition position, string error) => new(what, position) { Error = error };
    }
}
