using OptiInfra.Metrics.Agents;
using OptiInfra.Metrics.Exposition;

namespace OptiInfra.Metrics.Tests.Exposition;

public sealed class TextExpositionTests
{
    private static readonly string[] Awkward = ["", "plain", "\"", "\\", "\n", "a,b=\"c\"", "}", "# EOF", "😱", "\ud800", "\udfff", " ", "\t", "\0"];

    [Fact]
    public void Every_agent_set_is_strict_OpenMetrics()
    {
        foreach (AgentSet set in AgentSets.All)
        {
            var registry = new MetricRegistry(new MetricRegistryOptions { CreatedSamples = true });
            set.Create(registry);
            Fill(registry, new Random(1));
            Assert.Empty(OpenMetricsCheck.Findings(registry.WriteText(ExpositionFormat.OpenMetrics)));
        }
    }

    [Fact]
    public void Whatever_is_created_and_recorded_the_text_stays_strict_OpenMetrics()
    {
        for (int seed = 0; seed < 60; seed++)
        {
            var random = new Random(seed);
            var registry = new MetricRegistry(new MetricRegistryOptions
            {
                CreatedSamples = random.Next(2) == 0,
                StaticLabels = random.Next(2) == 0 ? new Dictionary<string, string> { ["service"] = Awkward[random.Next(Awkward.Length)] } : new Dictionary<string, string>(),
            });
            for (int family = 0; family < 12; family++)
            {
                Create(registry, $"m{family}{(random.Next(3) == 0 ? "_seconds" : "")}", random);
            }

            Fill(registry, random);
            IReadOnlyList<string> findings = OpenMetricsCheck.Findings(registry.WriteText(ExpositionFormat.OpenMetrics));
            Assert.True(findings.Count == 0, $"seed {seed}: {string.Join('\n', findings)}");
        }
    }

    [Theory]
    [InlineData("a 1.0\n# EOF\n", "does not belong")]
    [InlineData("# TYPE a gauge\na 1\n# EOF\n", "does not show it")]
    [InlineData("# TYPE a counter\na 1.0\n# EOF\n", "does not belong")]
    [InlineData("# TYPE a gauge\na 1.0\na 1.0\n# EOF\n", "twice")]
    [InlineData("# TYPE a gauge\n# UNIT a seconds\n# EOF\n", "unit")]
    [InlineData("# TYPE a gauge\na  1.0\n# EOF\n", "neither")]
    [InlineData("# TYPE a gauge\na{x=\"1\",} 1.0\n# EOF\n", "neither")]
    [InlineData("# TYPE a counter\na_total -1.0\n# EOF\n", "negative")]
    [InlineData("# TYPE a gauge\na 1.0\n", "EOF")]
    public void The_check_itself_finds_mistakes(string text, string finding) =>
        Assert.Contains(finding, string.Join('\n', OpenMetricsCheck.Findings(text)), StringComparison.Ordinal);

    private static void Create(MetricRegistry registry, string name, Random random)
    {
        string help = Awkward[random.Next(Awkward.Length)] + " help.";
        string[] labels = [.. Enumerable.Range(0, random.Next(4)).Select(index => "l" + index)];
        double[] bounds = [.. Enumerable.Range(0, random.Next(6)).Select(_ => Math.Round(Math.Exp((random.NextDouble() * 40) - 15), 9)).Distinct().Order()];
        _ = random.Next(6) switch
        {
            0 => (MetricFamily)registry.CreateCounter(name, help, labels),
            1 => registry.CreateGauge(name, help, labels),
            2 => registry.CreateHistogram(name, help, new HistogramOptions { Buckets = bounds }, labels),
            3 => registry.CreateSummary(name, help, labels),
            4 => registry.CreateInfo(name, help, labels),
            _ => registry.CreateStateSet(name, help, ["on", "o\"ff"], labels),
        };
    }

    /// <summary>Uses every family with random label values and numbers.</summary>
    private static void Fill(MetricRegistry registry, Random random)
    {
        foreach (MetricFamily family in registry.Families.Where(family => !family.Name.StartsWith("metrics_", StringComparison.Ordinal)))
        {
            for (int use = 0; use < 8; use++)
            {
                string[] values = [.. family.LabelNames.Select(_ => Awkward[random.Next(Awkward.Length)])];
                double number = Math.Exp((random.NextDouble() * 80) - 40) * (random.Next(5) == 0 ? -1 : 1);
                switch (family)
                {
                    case Counter counter:
                        counter.WithLabels(values).Inc(random.Next(2) == 0 ? number : use, Exemplar.Of(("trace_id", "t")));
                        break;
                    case Gauge gauge:
                        gauge.WithLabels(values).Set(random.Next(9) switch { 0 => double.NaN, 1 => double.NegativeInfinity, _ => number });
                        break;
                    case Histogram histogram:
                        histogram.WithLabels(values).Observe(number);
                        break;
                    case Summary summary:
                        summary.WithLabels(values).Observe(Math.Abs(number));
                        break;
                    case Info info:
                        info.WithLabels(values);
                        break;
                    case StateSet states:
                        states.WithLabels(values).Set(states.States[use % states.States.Count]);
                        break;
                    default:
                        break;
                }
            }
        }
    }
}
