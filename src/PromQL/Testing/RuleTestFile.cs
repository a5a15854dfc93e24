using System.Collections.Immutable;
using System.Globalization;
using OptiInfra.PromQL.Rules;
using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;
using OptiInfra.PromQL.Types;

namespace OptiInfra.PromQL.Testing;

/// <summary>One group of tests: series that come in, and what rules and expressions make of them.</summary>
public sealed record RuleTest
{
    /// <summary>The name given, or its number among the tests of the file.</summary>
    public string Name { get; init; } = "";

    /// <summary>Time between two samples of the series; the file's evaluation interval when absent.</summary>
    public PromDuration? Interval { get; init; }

    public ImmutableArray<TestSeries> Series { get; init; } = [];

    public ImmutableArray<AlertTest> Alerts { get; init; } = [];

    public ImmutableArray<ExprTest> Expressions { get; init; } = [];

    public ImmutableArray<KeyValuePair<string, string>> ExternalLabels { get; init; } = [];

    public string ExternalUrl { get; init; } = "";

    /// <summary>When the test begins, in milliseconds since the epoch (3.9).</summary>
    public long StartMs { get; init; }
}

/// <summary>A series of the input with its values, both in the notation of test files.</summary>
public sealed record TestSeries(string Series, string Values, TextPosition Position = default);

/// <summary>The alerts of one name that must be firing at a time: all of them, and no others.</summary>
public sealed record AlertTest(PromDuration At, string Alert, ImmutableArray<ExpectedAlert> Expected, TextPosition Position = default);

public sealed record ExpectedAlert(ImmutableDictionary<string, string> Labels, ImmutableDictionary<string, string> Annotations);

/// <summary>What an expression must give at a time.</summary>
public sealed record ExprTest(string Expr, PromDuration At, ImmutableArray<ExpectedSample> Expected, TextPosition Position = default);

/// <param name="Labels">The series in the notation of test files, such as <c>up{job="x"}</c>.</param>
/// <param name="Value">Its value, unless <paramref name="Histogram"/> is set.</param>
/// <param name="Histogram">A native histogram in the notation of test files, or "".</param>
public sealed record ExpectedSample(string Labels, double Value, string Histogram = "");

/// <summary>
/// A rule test file in promtool's format (https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/), read
/// strictly: what promtool refuses is a diagnostic here.
/// </summary>
public sealed record RuleTestFile
{
    private static readonly PrometheusVersion FuzzyCompareSince = new(3, 0);
    private static readonly PrometheusVersion StartTimestampSince = new(3, 9);

    /// <summary>Patterns of rule files, relative to the test file.</summary>
    public ImmutableArray<string> RuleFiles { get; init; } = [];

    public PromDuration EvaluationInterval { get; init; } = PromDuration.FromMilliseconds(60_000);

    /// <summary>Names of groups in the order of their evaluation; groups not named come first.</summary>
    public ImmutableArray<string> GroupOrder { get; init; } = [];

    /// <summary>Values may differ by the last bit.</summary>
    public bool FuzzyCompare { get; init; }

    public ImmutableArray<RuleTest> Tests { get; init; } = [];

    public ImmutableArray<Diagnostic> Diagnostics { get; init; } = [];

    public bool IsValid => !Diagnostics.Any(d => d.IsError);

    public static RuleTestFile Parse(string text, PrometheusVersion version, string? source = null)
    {
        YamlTree tree = YamlTree.Parse(text, firstOnly: true);
        var diagnostics = ImmutableArray.CreateBuilder<Diagnostic>();
        diagnostics.AddRange(tree.Diagnostics);
        RuleTestFile file = tree.Documents is [{ } root, ..] ? new Reader(diagnostics, version).File(root) : new RuleTestFile();
        return file with { Diagnostics = [.. diagnostics.Select(d => d with { Source = source })] };
    }

    /// <summary>Reads the tests in a larger document, such as an AlertPolicy: a list of test groups.</summary>
    public static RuleTestFile Read(YamlNode tests, PrometheusVersion version, string? source = null)
    {
        var diagnostics = ImmutableArray.CreateBuilder<Diagnostic>();
        var holder = new YamlMapping([new YamlEntry(new YamlScalar("tests", YamlStyle.Plain), tests)]) { Start = tests.Start, End = tests.End };
        RuleTestFile file = new Reader(diagnostics, version).File(holder);
        return file with { Diagnostics = [.. diagnostics.Select(d => d with { Source = source })] };
    }

    private sealed class Reader(ImmutableArray<Diagnostic>.Builder diagnostics, PrometheusVersion version)
    {
        private readonly YamlFields fields = new(diagnostics, "rule-test/syntax");

        public RuleTestFile File(YamlNode root)
        {
            string[] known = ["rule_files", "evaluation_interval", "group_eval_order", "tests", .. version >= FuzzyCompareSince ? ["fuzzy_compare"] : (string[])[]];
            if (fields.Mapping(root, "a rule test file", known) is not { } file)
            {
                return new RuleTestFile();
            }
            ImmutableArray<string> order = Texts(file, "group_eval_order");
            if (order.GroupBy(name => name).FirstOrDefault(names => names.Count() > 1) is { } repeated)
            {
                fields.Report(file.Find("group_eval_order")!, $"group name repeated in evaluation order: {repeated.Key}");
            }
            PromDuration interval = fields.Duration(file, "evaluation_interval") ?? default;
            return new RuleTestFile
            {
                RuleFiles = Texts(file, "rule_files"),
                EvaluationInterval = interval.Nanoseconds == 0 ? PromDuration.FromMilliseconds(60_000) : interval,
                GroupOrder = order,
                FuzzyCompare = Boolean(file, "fuzzy_compare"),
                Tests = [.. fields.Sequence(file, "tests").Select(Test).OfType<RuleTest>()],
            };
        }

        private RuleTest? Test(YamlNode node, int number)
        {
            string[] known =
            [
                "interval", "input_series", "alert_rule_test", "promql_expr_test", "external_labels", "external_url", "name",
                .. version >= StartTimestampSince ? ["start_timestamp"] : (string[])[],
            ];
            if (fields.Mapping(node, "a test", known) is not { } test)
            {
                return null;
            }
            string name = fields.Text(test, "name").Value;
            return new RuleTest
            {
                Name = name.Length > 0 ? name : string.Create(CultureInfo.InvariantCulture, $"unnamed#{number}"),
                Interval = fields.Duration(test, "interval") is { Nanoseconds: > 0 } interval ? interval : null,
                Series = [.. fields.Sequence(test, "input_series").Select(Series).OfType<TestSeries>()],
                Alerts = [.. fields.Sequence(test, "alert_rule_test").Select(Alert).OfType<AlertTest>()],
                Expressions = [.. fields.Sequence(test, "promql_expr_test").Select(Expression).OfType<ExprTest>()],
                ExternalLabels = [.. fields.Texts(test, "external_labels").Select(label => KeyValuePair.Create(label.Name, label.Value))],
                ExternalUrl = fields.Text(test, "external_url").Value,
                StartMs = StartTimestamp(test),
            };
        }

        private TestSeries? Series(YamlNode node) => fields.Mapping(node, "an input series", "series", "values") is { } series
            ? new TestSeries(fields.Text(series, "series").Value, fields.Text(series, "values").Value, series.Start)
            : null;

        private AlertTest? Alert(YamlNode node)
        {
            if (fields.Mapping(node, "an alert test", "eval_time", "alertname", "exp_alerts") is not { } test)
            {
                return null;
            }
            string name = fields.Text(test, "alertname").Value;
            PromDuration at = fields.Duration(test, "eval_time") ?? default;
            if (name.Length == 0)
            {
                fields.Report(test, $"an item under alert_rule_test misses required attribute alertname at eval_time {at}");
            }
            return new AlertTest(at, name, [.. fields.Sequence(test, "exp_alerts").Select(ExpectedAlert).OfType<ExpectedAlert>()], test.Start);
        }

        private ExpectedAlert? ExpectedAlert(YamlNode node) => fields.Mapping(node, "an expected alert", "exp_labels", "exp_annotations") is { } alert
            ? new ExpectedAlert(Map(alert, "exp_labels"), Map(alert, "exp_annotations"))
            : null;

        private ExprTest? Expression(YamlNode node) => fields.Mapping(node, "an expression test", "expr", "eval_time", "exp_samples") is { } test
            ? new ExprTest(
                fields.Text(test, "expr").Value,
                fields.Duration(test, "eval_time") ?? default,
                [.. fields.Sequence(test, "exp_samples").Select(Sample).OfType<ExpectedSample>()],
                test.Start)
            : null;

        private ExpectedSample? Sample(YamlNode node) => fields.Mapping(node, "an expected sample", "labels", "value", "histogram") is { } sample
            ? new ExpectedSample(fields.Text(sample, "labels").Value, Number(sample, "value"), fields.Text(sample, "histogram").Value)
            : null;

        private ImmutableDictionary<string, string> Map(YamlMapping mapping, string field) =>
            fields.Texts(mapping, field).ToImmutableDictionary(text => text.Name, text => text.Value);

        private ImmutableArray<string> Texts(YamlMapping mapping, string field)
        {
            var texts = ImmutableArray.CreateBuilder<string>();
            foreach (YamlNode item in fields.Sequence(mapping, field))
            {
                if (item is YamlScalar scalar)
                {
                    texts.Add(scalar.IsNull ? "" : scalar.Value);
                }
                else
                {
                    fields.Report(item, $"\"{field}\" must hold texts, not {YamlFields.Describe(item)}");
                }
            }
            return texts.ToImmutable();
        }

        private bool Boolean(YamlMapping mapping, string field)
        {
            (string text, YamlScalar? node) = fields.Text(mapping, field);
            bool yes = text is "true" or "True" or "TRUE" or "yes" or "Yes" or "YES" or "on" or "On" or "ON" or "y" or "Y";
            bool no = text is "false" or "False" or "FALSE" or "no" or "No" or "NO" or "off" or "Off" or "OFF" or "n" or "N" or "";
            if (node is { IsNull: false } && ((!yes && !no) || node.Style != YamlStyle.Plain))
            {
                fields.Report(node, $"\"{field}\" must be true or false, not \"{text}\"");
            }
            return yes;
        }

        /// <summary>A float as YAML 1.1 writes it; a text in quotes is none.</summary>
        private double Number(YamlMapping mapping, string field)
        {
            (string text, YamlScalar? node) = fields.Text(mapping, field);
            if (node is null || node.IsNull)
            {
                return 0;
            }
            if (node.Style == YamlStyle.Plain)
            {
                switch (text.TrimStart('+', '-').ToLowerInvariant())
                {
                    case ".inf":
                        return text[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity;
                    case ".nan":
                        return double.NaN;
                }
                string digits = text.Replace("_", "", StringComparison.Ordinal);
                bool negative = digits.StartsWith('-');
                string unsigned = digits.TrimStart('+', '-');
                bool isOther = unsigned.Length > 1 && unsigned[0] == '0' && (char.IsAsciiDigit(unsigned[1]) || unsigned[1] is 'x' or 'X' or 'o' or 'b')
                    && !unsigned.AsSpan().ContainsAny('.', 'e', 'E');
                if (isOther && NumberSyntax.TryParse(System.Text.Encoding.UTF8.GetBytes(unsigned), out double integer))
                {
                    return negative ? -integer : integer;
                }
                if (unsigned.Length > 0 && (char.IsAsciiDigit(unsigned[0]) || unsigned[0] == '.')
                    && double.TryParse(digits, NumberStyles.Float & ~NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out double number))
                {
                    return number;
                }
            }
            fields.Report(node, $"\"{field}\" must be a number, not \"{text}\"");
            return 0;
        }

        /// <summary>Seconds since the epoch, or a date and time of RFC 3339.</summary>
        private long StartTimestamp(YamlMapping test)
        {
            (string text, YamlScalar? node) = fields.Text(test, "start_timestamp");
            if (node is null || node.IsNull)
            {
                return 0;
            }
            if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds) && Math.Abs(seconds) < 1e12)
            {
                return (long)(seconds * 1000);
            }
            if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time))
            {
                return time.ToUnixTimeMilliseconds();
            }
            fields.Report(node, $"\"start_timestamp\" must be seconds since 1970 or a date and time, not \"{text}\"");
            return 0;
        }
    }
}
