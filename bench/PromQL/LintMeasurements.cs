using System.Diagnostics;
using System.Globalization;
using System.Text;
using OptiInfra.PromQL.Lint;
using OptiInfra.PromQL.Rules;
using OptiInfra.PromQL.Syntax;

namespace OptiInfra.Bench.PromQL;

/// <summary>What it costs to read, check and lint rules, against promtool on the same file in the same run.</summary>
internal static class LintMeasurements
{
    private const int Rules = 50_000;

    public static Measurement[] All { get; } =
    [
        Measurement.Of("promql.lint", Lint),
        Measurement.Of("promql.parse", Parse),
    ];

    private static List<Figure> Lint()
    {
        string text = RuleFileText();
        double? peer = Promtool(text);
        long before = GC.GetTotalAllocatedBytes();
        double first = Time(() => Check(text));
        double allocated = GC.GetTotalAllocatedBytes() - before;
        double best = Math.Min(Time(() => Check(text)), Time(() => Check(text)));
        return
        [
            new Figure($"{Rules:N0} rules ({text.Length / 1e6:0.0} MB) read, checked and linted", best, "ms", peer * 0.3, peer, "promtool check rules"),
            new Figure("   the first time", first, "ms"),
            new Figure("   allocated", allocated / (1 << 20), "MiB"),
        ];
    }

    private static List<Figure> Parse()
    {
        const string expression = "sum by (service, namespace) (rate(http_requests_total{job=\"api\", code=~\"5..\"}[5m])) / sum by (service, namespace) (rate(http_requests_total{job=\"api\"}[5m])) > 0.05";
        int nodes = PromQLParser.Parse(expression).Expr!.Walk().Count();
        void loop(int count)
        {
            for (int i = 0; i < count; i++)
            {
                PromQLParser.Parse(expression);
            }
        }
        return
        [
            new Figure($"parse and type check of one expression ({nodes} nodes)", Timing.Nanoseconds(loop), "ns"),
            new Figure("   allocated for each node", Timing.Bytes(loop) / nodes, "B", 1024),
        ];
    }

    private static void Check(string text) => Linter.Lint(RuleFile.Parse(text));

    private static double Time(Action action)
    {
        long start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private static double? Promtool(string text)
    {
        string? tools = Environment.GetEnvironmentVariable("OPTIINFRA_TOOLS");
        string path = Path.Combine(tools ?? ".tools", "prom-3.5", "promtool");
        if (!File.Exists(path))
        {
            return null;
        }
        string file = Path.Combine(Path.GetTempPath(), $"optiinfra-bench-{Environment.ProcessId}.yml");
        File.WriteAllText(file, text);
        try
        {
            return Enumerable.Range(0, 2).Min(_ => Time(() =>
            {
                using Process process = Process.Start(new ProcessStartInfo(path, ["check", "rules", file]) { RedirectStandardOutput = true })!;
                process.StandardOutput.ReadToEnd();
                process.WaitForExit();
            }));
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static string RuleFileText()
    {
        var text = new StringBuilder("groups:\n");
        for (int rule = 0; rule < Rules; rule++)
        {
            if (rule % 100 == 0)
            {
                text.Append(CultureInfo.InvariantCulture, $"- name: group-{rule / 100}\n  interval: 30s\n  rules:\n");
            }
            text.Append(CultureInfo.InvariantCulture, $$$"""
                  - alert: HighErrorRate{{{rule}}}
                    expr: |
                      sum by (service, namespace) (rate(http_requests_total{job="svc-{{{rule}}}", code=~"5.."}[5m]))
                        / sum by (service, namespace) (rate(http_requests_total{job="svc-{{{rule}}}"}[5m])) > 0.05
                    for: 10m
                    labels: {severity: warning}
                    annotations: {summary: "Service {{ $labels.service }} fails {{ $value | humanizePercentage }}", runbook_url: "https://runbooks/x"}

                """);
        }
        return text.ToString();
    }
}
