using System.Globalization;
using OptiInfra.PromQL.Rules;
using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Tests.Support;
using OptiInfra.PromQL.Types;
using Xunit.Abstractions;

namespace OptiInfra.PromQL.Tests.Differential;

/// <summary>Rule files, right and broken, and what promtool check rules says of each.</summary>
public sealed class RuleFileVerdictTests(ITestOutputHelper output)
{
    private static readonly int Count = int.Parse(Environment.GetEnvironmentVariable("OPTIINFRA_DIFFERENTIAL_FILES") ?? "800", CultureInfo.InvariantCulture);

    private const string Base = """
        # comment
        groups:
        - name: example
          interval: 30s
          query_offset: 1m
          limit: 10
          rules:
          - record: job:http:rate5m
            expr: sum by (job) (rate(http_requests_total[5m]))
            labels:
              team: a
          - alert: HighLatency
            expr: |
              histogram_quantile(0.99, sum by (le) (rate(x_bucket[5m])))
                > 0.5
            for: 10m
            keep_firing_for: 5m
            labels:
              severity: page
              "quoted": 'single'
            annotations:
              summary: "High {{ $labels.job }} at {{ $value | humanize }}"
              description: >-
                {{ range query "up" }}{{ .Labels.instance }}
                {{ end }}
        - name: second
          rules: []
        """;

    private static readonly string[] Values =
    [
        "", "~", "null", "5m", "0", "5", "\"5\"", "''", "[]", "{}", "[a]", "{a: b}", "foo bar", "1h30m", "-5m", "1.5", "true", "0x10", "1_0", "09", "&x foo", "*x", "!!str 5",
        "rate(foo)", "up", "a:b:c", "a b", "é", "\"{{ .Foo\"", "\"{{ foo }}\"", "\"{{ $x }}\"", "\"{{ if true }}a{{ else if false }}b{{ end }}\"", "\"{{ end }}\"", "'{{ $labels.a | toUpper }}'",
        "'{{ with $x := 1 }}{{ $x }}{{ end }}'", "'{{ range $i, $e := query \"up\" }}{{ break }}{{ end }}'", "'{{ (index $labels \"a\").b }}'", "'{{ 1 | 2 }}'", "'{{ \"a\" | printf \"%s\" -}} x'",
        "'{{/* c */}}'", "'{{ /* c */ }}'", "'{{ define \"x\" }}{{ $labels }}{{ end }}'", "'{{ template \"x\" . }}'", "'{{ .Labels.a.b }}{{ $labels.c }}'", "'{{ }}'", "'{{ nil }}'", "'{{ 0x1F }}{{ 1e3 }}{{ 1i }}'",
        "'{{ now }}'", "'{{ value 1 ( }}'", "'{{ $value = 2 }}'", "'{{ `raw` }}{{ ''c'' }}'", "'{{ continue }}'", "'{{ $labels.a-b }}'", "'{{ .Value. }}'", "'{{ 1.a }}'", "'{{ true.x }}'", "'{{a}}'",
        "'{{ $x, $y := 1 }}'", "'{{ block \"b\" . }}{{ end }}'", "'{{ 1 | }}'", "'{{- 3 -}}'", "'{{-3}}'", "'{{ else }}'", "'{{ \"\\q\" }}'", "'{{ urlquery 1 }}{{ toDuration 1 }}'", "'a}} b'",
    ];

    private static readonly string[] Lines =
    [
        "  labels: {a: b}", "    unknown: 1", "    for: 5m", "    expr: up", "    alert: A", "    record: r", "    annotations: {a: b}", "    labels: {__name__: x}", "    labels: {1a: x, \"a b\": y}",
        "    labels: {\"\": x}", "    annotations: {\"a-b\": x}", "- name: example", "- name: other", "  rules:", "  - {alert: B, expr: up}", "  - {record: 'a{b}', expr: up}", "  -", "  - ~", "-", "groups:", "\t- a",
        "    <<: {for: 1m}", "    keep_firing_for: ~", "    labels: [a]", "    labels: ''", "other: 1", "  limit: x", "  limit: 1.7", "  interval: 0", "  interval: bad", "  - record: r\n    expr: 1\n    for: 0s",
        "    labels:\n      a: [x]", "    labels:\n      a: ~\n      b: 1\n      c: true", "    labels:\n      a: x\n      a: y", "  - alert: C\n    expr: ''", "  name: again", "  - 5", "  - [x]", "    \"expr\": up",
    ];

    [ToolTheory("prom-2.53/promtool", "prom-3.5/promtool")]
    [InlineData("2.53")]
    [InlineData("3.5")]
    public void Mutated_rule_files_get_promtools_verdict(string version)
    {
        Assert.True(PrometheusVersion.TryParse(version, out PrometheusVersion release));
        var options = new ParserOptions { Version = release };
        var random = new Random(5);
        string[] files = ["", Base, "groups:", "[]", "a", "{", .. Enumerable.Range(0, Count).Select(_ => Mutate(random))];
        string folder = Directory.CreateTempSubdirectory("optiinfra-rules-").FullName;
        string[] names = [.. files.Select((_, i) => Path.Combine(folder, $"f{i}.yml"))];
        foreach ((string name, string text) in names.Zip(files))
        {
            File.WriteAllText(name, text);
        }
        string errors = new Promtool(version).Run(["check", "rules", .. names]).Output;
        Directory.Delete(folder, recursive: true);
        string[] lines = errors.Split('\n');

        int differences = 0, refused = 0;
        for (int i = 0; i < files.Length; i++)
        {
            RuleFile ours = RuleFile.Parse(files[i], options);
            string? theirs = lines.FirstOrDefault(line => line.StartsWith(names[i] + ":", StringComparison.Ordinal));
            refused += theirs is null ? 0 : 1;
            if (ours.IsValid != theirs is null)
            {
                differences++;
                output.WriteLine($"---- promtool: {theirs ?? "accepted"}\n     ours: {string.Join("; ", ours.Diagnostics)}\n{files[i]}");
            }
        }
        output.WriteLine($"{files.Length} files, {refused} refused, {differences} other verdicts");
        Assert.Equal(0, differences);
    }

    private static string Mutate(Random random)
    {
        List<string> lines = [.. Base.Split('\n')];
        for (int edits = random.Next(1, 3); edits > 0; edits--)
        {
            int at = random.Next(lines.Count);
            switch (random.Next(6))
            {
                case 0:
                    lines.RemoveAt(at);
                    break;
                case 1:
                    lines.Insert(at, Lines[random.Next(Lines.Length)]);
                    break;
                case 2 when random.Next(3) == 0:
                    lines[at] = random.Next(2) == 0 ? " " + lines[at] : lines[at].Length > 0 ? lines[at][1..] : "";
                    break;
                default:
                    int colon = lines[at].IndexOf(": ", StringComparison.Ordinal);
                    lines[at] = (colon < 0 ? lines[at] + " " : lines[at][..(colon + 2)]) + Values[random.Next(Values.Length)];
                    break;
            }
        }
        return string.Join('\n', lines);
    }
}
