using System.Globalization;
using System.Text;
using OptiInfra.PromQL.Data;
using OptiInfra.PromQL.Engine;
using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Testing;
using OptiInfra.PromQL.Tests.Support;
using OptiInfra.PromQL.Types;

namespace OptiInfra.PromQL.Tests.Differential;

/// <summary>
/// Random series and expressions: what our engine answers is written as the expectation of a rule test, and promtool must agree,
/// to the last bit. Left out is what depends on the order of series, which promtool leaves to chance (ties of topk, rounding of sums).
/// </summary>
public sealed class EngineVerdictTests
{
    private static readonly int Count = int.Parse(Environment.GetEnvironmentVariable("OPTIINFRA_DIFFERENTIAL_EVALUATIONS") ?? "400", CultureInfo.InvariantCulture);

    [ToolTheory("prom-2.53/promtool", "prom-3.5/promtool")]
    [InlineData("2.53", 1)]
    [InlineData("3.5", 2)]
    public void Promtool_gets_the_same_values(string name, int seed)
    {
        Assert.True(PrometheusVersion.TryParse(name, out PrometheusVersion version));
        var generator = new Generator(new Random(seed), version);
        var disagreements = new List<string>();
        for (int round = 0; round < Count / 50; round++)
        {
            string folder = Directory.CreateTempSubdirectory("optiinfra-engine-").FullName;
            try
            {
                string path = Path.Combine(folder, "tests.yaml");
                File.WriteAllText(path, generator.File(50));
                (int code, string output) = new Promtool(name).Run(["test", "rules", path]);
                if (code != 0)
                {
                    disagreements.Add(output);
                }
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        }
        Assert.True(disagreements.Count == 0, string.Join("\n", disagreements));
    }

    private sealed class Generator(Random random, PrometheusVersion version)
    {
        private static readonly string[] Elementwise = ["abs", "ceil", "floor", "exp", "ln", "log2", "log10", "sin", "cos", "atan", "sqrt", "sgn", "round", "deg", "rad", "timestamp", "-", "sort", "sort_desc"];
        private static readonly string[] OverRange = ["rate", "increase", "delta", "irate", "idelta", "deriv", "resets", "changes", "avg_over_time", "sum_over_time", "min_over_time", "max_over_time", "count_over_time", "last_over_time", "stddev_over_time", "stdvar_over_time", "present_over_time", "absent_over_time"];
        private static readonly string[] Aggregations = ["min", "max", "count", "group", "quantile(0.3,", "count_values(\"v\","];
        private static readonly string[] Binary = ["+", "-", "*", "/", "%", "^", "atan2", "==", "!=", "<", "<=", ">", ">=", "> bool", "== bool", "and", "or", "unless"];
        private static readonly string[] Selectors = ["a_total", "a_total{x=\"1\"}", "a_total{x!=\"1\"}", "b", "b{y=~\"p|q\"}", "{__name__=~\"a_total|c\", x!~\"2.*\"}", "c", "missing{x=\"3\"}", "h_bucket"];
        private static readonly string[] Ranges = ["5m", "3m", "90s", "10m", "1m", "7m30s"];

        private readonly ParserOptions parserOptions = new() { Version = version };

        /// <summary>A test file with expressions and the values our engine gives them.</summary>
        public string File(int expressions)
        {
            List<(string Series, string Values)> series = Series();
            var store = new SeriesStore();
            foreach ((string name, string values) in series)
            {
                (Labels labels, List<SampleValue> samples) = SeriesNotation.ReadSeries($"{name} {values}");
                for (int i = 0; i < samples.Count; i++)
                {
                    if (samples[i].IsPresent)
                    {
                        store.Append(labels, i * 60_000L, samples[i]);
                    }
                }
            }
            var yaml = new StringBuilder("evaluation_interval: 1m\ntests:\n- interval: 1m\n  input_series:\n");
            foreach ((string name, string values) in series)
            {
                yaml.Append(CultureInfo.InvariantCulture, $"  - {{series: '{name}', values: '{values}'}}\n");
            }
            // promtool loads samples up to the last evaluation only; this one makes it all of them, for those that look ahead.
            yaml.Append("  promql_expr_test:\n  - {expr: vector(1), eval_time: 1h, exp_samples: [{labels: '{}', value: 1}]}\n");
            for (int done = 0; done < expressions;)
            {
                done += Expectation(store, yaml) ? 1 : 0;
            }
            return yaml.ToString();
        }

        private bool Expectation(SeriesStore store, StringBuilder yaml)
        {
            string text = Vector(3);
            if (PromQLParser.Parse(text, parserOptions).Expr is not { } expr)
            {
                return false;
            }
            int seconds = random.Next(0, 1500);
            QueryResult result = QueryEngine.Instant(expr, store, seconds * 1000L, new EngineOptions { Version = version });
            // What fails, and NaN, which equals nothing, cannot be expected in a test file.
            if (result.Error is not null || result.Series.Any(s => double.IsNaN(s.Points[0].Value.Float)))
            {
                return false;
            }
            yaml.Append(CultureInfo.InvariantCulture, $"  - expr: '{text.Replace("'", "''", StringComparison.Ordinal)}'\n    eval_time: {seconds}s\n    exp_samples:\n");
            foreach (ResultSeries one in result.Series)
            {
                double value = one.Points[0].Value.Float;
                string number = double.IsInfinity(value) ? (value > 0 ? ".inf" : "-.inf") : value.ToString("R", CultureInfo.InvariantCulture);
                yaml.Append(CultureInfo.InvariantCulture, $"    - {{labels: '{one.Labels}', value: {number}}}\n");
            }
            return true;
        }

        private List<(string, string)> Series()
        {
            var series = new List<(string, string)>();
            foreach (string x in new[] { "1", "2", "21" })
            {
                series.Add(($"a_total{{x=\"{x}\"}}", Values(counter: true)));
                series.Add(($"b{{x=\"{x}\",y=\"{Pick(["p", "q", "r"])}\"}}", Values(counter: false)));
            }
            series.Add(("c", Values(counter: false)));
            foreach (string le in new[] { "0.1", "0.5", "2.5", "+Inf" })
            {
                series.Add(($"h_bucket{{le=\"{le}\"}}", $"0+{(le == "+Inf" ? 9 : random.Next(1, 9))}x25"));
            }
            return series;
        }

        private string Values(bool counter)
        {
            var values = new List<string>();
            double value = random.Next(0, 50);
            for (int i = 0; i < 25; i++)
            {
                value = counter
                    ? random.Next(8) == 0 ? random.Next(3) : value + Math.Round(random.NextDouble() * 10, random.Next(4))
                    : Math.Round(random.NextDouble() * 100 - 50, random.Next(5));
                values.Add(random.Next(12) switch { 0 => "_", 1 when random.Next(3) == 0 => "stale", _ => value.ToString("R", CultureInfo.InvariantCulture) });
            }
            return string.Join(' ', values);
        }

        private string Vector(int depth)
        {
            if (depth == 0)
            {
                return Selector();
            }
            return random.Next(9) switch
            {
                0 => Selector(),
                1 => $"{Pick(Elementwise)}({Vector(depth - 1)})",
                2 => $"{Pick(OverRange)}({Range(depth - 1)})",
                3 => Parameterized(depth - 1),
                4 => Aggregate(depth - 1),
                5 => $"({Vector(depth - 1)}) {Pick(Binary)} ({Vector(depth - 1)})",
                6 => $"({Vector(depth - 1)}) {Pick(Binary)} {Pick(["on(x)", "ignoring(y)", "on()", "on(x) group_left", "on(x) group_right(y)"])} ({Vector(depth - 1)})",
                7 => $"({Vector(depth - 1)}) {Pick(Binary[..15])} {Scalar()}",
                _ => $"{Pick(OverRange)}({Range(depth - 1)})",
            };
        }

        private string Parameterized(int depth) => random.Next(9) switch
        {
            0 => $"clamp({Vector(depth)}, -5, {Scalar()})",
            1 => $"histogram_quantile(0.{random.Next(1, 99)}, {Pick(["h_bucket", "rate(h_bucket[5m])", "sum by (le) (increase(h_bucket[3m]))"])})",
            2 => $"quantile_over_time(0.{random.Next(1, 99)}, {Range(depth)})",
            3 => $"predict_linear({Range(depth)}, {random.Next(600)})",
            4 => $"label_replace({Vector(depth)}, \"z\", \"$1-\", \"x\", \"(.).*\")",
            5 => $"label_join({Vector(depth)}, \"z\", \"/\", \"x\", \"y\")",
            6 => $"absent({Selector()})",
            7 => $"round({Vector(depth)}, 0.{random.Next(1, 9)})",
            _ => $"vector({Scalar()})",
        };

        private string Aggregate(int depth)
        {
            string op = Pick(Aggregations);
            string by = Pick(["", " by (x)", " without (y)", " by (x, y)", " by (le)"]);
            int comma = op.IndexOf('(', StringComparison.Ordinal);
            return comma < 0 ? $"{op}{by} ({Vector(depth)})" : $"{op[..comma]}{by} {op[comma..]} {Vector(depth)})";
        }

        private string Scalar() => Pick(["2", "0.5", "-3", "1e3", "scalar(c)", "time()", "(1 + 2)", "pi()"]);

        private string Range(int depth) => random.Next(4) == 0
            ? $"({Vector(depth)})[{Pick(Ranges)}:{Pick(["", "1m", "30s", "2m"])}]{Modifier()}"
            : $"{Pick(Selectors)}[{Pick(Ranges)}]{Modifier()}";

        private string Selector() => Pick(Selectors) + Modifier();

        private string Modifier() => random.Next(8) switch
        {
            0 => $" offset {Pick(Ranges)}",
            1 => $" @ {random.Next(1500)}",
            2 => $" offset -{Pick(Ranges)}",
            3 => " @ end()",
            _ => "",
        };

        private T Pick<T>(T[] choices) => choices[random.Next(choices.Length)];
    }
}
