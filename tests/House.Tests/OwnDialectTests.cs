using System.Globalization;
using System.Text;
using OptiInfra.Metrics;
using OptiInfra.Metrics.Agents;
using OptiInfra.Metrics.Sources;

namespace OptiInfra.House.Tests;

/// <summary>
/// The catalogue files of the dialects that our own library speaks are written from what it registers, so that rules,
/// dashboards and the linter cannot believe in a metric that nobody exposes.
/// </summary>
public sealed class OwnDialectTests
{
    private static readonly Dictionary<string, string> Introductions = new()
    {
        ["optiinfra"] = "The OptiInfra dialect: what the orchestrator and the four agents expose, plus the base set of each and the accelerators.",
        ["kosmos"] = "The KOSMOS dialect: HTTP, model calls, tasks and connections of each agent.",
        ["golden-signals"] = "The golden-signals dialect: executions, tools, budget, approvals and domains. Rates and percentiles come from recording rules.",
        ["module"] = "The module dialect: a naming convention. {module} stands for the module's own prefix, for example prompt_manager.",
        ["gen-ai"] = "The OpenTelemetry GenAI conventions (1.44) in Prometheus' names, and the counters that agents need beside them.",
        ["dotnet"] = "What the process and runtime collectors of the metrics library expose, and the library's own health.",
    };

    public static TheoryData<string> Dialects => [.. Introductions.Keys];

    [Theory]
    [MemberData(nameof(Dialects))]
    public void The_catalogue_lists_what_the_library_registers(string dialect)
    {
        string path = Path.Combine("catalog", dialect + ".yaml");
        string text = Describe(dialect, Registered(dialect));
        if (Repository.IsWriting)
        {
            File.WriteAllText(Repository.PathOf(path), text);
        }

        Assert.Equal(text, Repository.Read(path));
    }

    private static IEnumerable<MetricFamily> Registered(string dialect)
    {
        // One registry a set: two sets may share a family, which the catalogue lists once.
        IEnumerable<MetricFamily> families = dialect == "dotnet" ? Collected() : AgentSets.All.Where(set => set.Dialect == dialect).SelectMany(set =>
        {
            MetricRegistry registry = new();
            set.Create(registry);
            return registry.Families;
        });
        if (dialect == "optiinfra")
        {
            MetricRegistry registry = new();
            using GpuCollector _ = new(registry, new NoAccelerator());
            families = [.. families, .. registry.Families];
        }

        return families
            .Where(family => dialect == "dotnet" || !family.Name.StartsWith("metrics_", StringComparison.Ordinal))
            .DistinctBy(family => family.Name);
    }

    private static IEnumerable<MetricFamily> Collected()
    {
        MetricRegistry registry = new();
        using ProcessCollector process = new(registry);
        using RuntimeCollector runtime = new(registry);
        return registry.Families;
    }

    private static string Describe(string dialect, IEnumerable<MetricFamily> families)
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"# {Introductions[dialect]}\n# Written from the library by `make golden`.\ndialect: {dialect}\nfamilies:\n");
        foreach (MetricFamily family in families)
        {
            string name = dialect == "module" ? $"\"{family.Name.Replace(AgentSets.SampleModule + "_", "{module}_", StringComparison.Ordinal)}\"" : family.Name;
            text.Append(CultureInfo.InvariantCulture, $"- {{name: {name}, type: {family.Type.ToString().ToLowerInvariant()}");
            if (family.Unit is { Length: > 0 } unit)
            {
                text.Append(CultureInfo.InvariantCulture, $", unit: {unit}");
            }

            if (family.LabelNames.Count > 0)
            {
                text.Append(CultureInfo.InvariantCulture, $", labels: [{string.Join(", ", family.LabelNames)}]");
            }

            text.Append(CultureInfo.InvariantCulture, $", help: \"{family.Help.Replace("\"", "\\\"", StringComparison.Ordinal)}\"");
            if (family is Histogram histogram)
            {
                text.Append(CultureInfo.InvariantCulture, $", buckets: [{string.Join(", ", histogram.Buckets.Select(bound => bound.ToString(CultureInfo.InvariantCulture)))}]");
            }

            text.Append("}\n");
        }

        return text.ToString();
    }

    /// <summary>A machine whose driver knows no accelerator: the families are registered, no series appears.</summary>
    private sealed class NoAccelerator : INvml
    {
        public int DeviceCount => 0;

        public GpuReading Read(int device) => default;

        public void Dispose()
        {
        }
    }
}
