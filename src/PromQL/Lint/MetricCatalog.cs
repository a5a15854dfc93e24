using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Reflection;
using OptiInfra.PromQL.Rules;
using OptiInfra.PromQL.Text;

namespace OptiInfra.PromQL.Lint;

public enum MetricType
{
    Unknown,
    Counter,
    Gauge,
    Histogram,
    Summary,
    Info,
}

/// <summary>
/// A metric family that something is known to expose. <see cref="Labels"/> are those of the family itself, without the target's
/// (job, instance, …) and without le and quantile. <see cref="Buckets"/> are a histogram's upper bounds, when fixed.
/// </summary>
public sealed record MetricFamily(string Name, MetricType Type, string Dialect)
{
    public string Unit { get; init; } = "";

    public string Help { get; init; } = "";

    public ImmutableArray<string> Labels { get; init; } = [];

    public ImmutableArray<string> Buckets { get; init; } = [];
}

/// <summary>What a series name means: its family, and the part of it (<c>_bucket</c>, <c>_sum</c>, <c>_count</c> or "").</summary>
public readonly record struct KnownMetric(MetricFamily Family, string Part)
{
    /// <summary>Whether the series only ever grows (until a restart), so that rate() applies.</summary>
    public bool IsCounter => Family.Type == MetricType.Counter || (Family.Type is MetricType.Histogram or MetricType.Summary && Part.Length > 0);

    public bool IsGauge => Family.Type is MetricType.Gauge or MetricType.Info;
}

/// <summary>
/// Every metric that the selected dialects and exporters are known to expose: what the linter holds expressions against. Read from
/// YAML files (catalog/*.yaml), one dialect a file:
/// <code>
/// dialect: optiinfra
/// families:
/// - {name: x_total, type: counter, unit: seconds, labels: [agent], help: "…"}
/// - {name: y_seconds, type: histogram, buckets: [0.1, 1, 10]}
/// </code>
/// </summary>
public sealed class MetricCatalog
{
    public static readonly MetricCatalog Empty = new([]);

    private static readonly string[] FamilyFields = ["name", "type", "unit", "labels", "help", "buckets"];

    private readonly FrozenDictionary<string, KnownMetric> series;

    public MetricCatalog(IEnumerable<MetricFamily> families)
    {
        Families = [.. families];
        var names = new Dictionary<string, KnownMetric>(StringComparer.Ordinal);
        foreach (MetricFamily family in Families)
        {
            foreach (string part in Parts(family.Type))
            {
                // A name that several dialects have is known with the labels of all of them.
                string name = family.Name + part;
                names[name] = names.TryGetValue(name, out KnownMetric known)
                    ? known with { Family = known.Family with { Labels = [.. known.Family.Labels.Union(family.Labels)] } }
                    : new KnownMetric(family, part);
            }
        }
        series = names.ToFrozenDictionary(StringComparer.Ordinal);
    }

    /// <summary>The catalogue that comes with the product: our own dialects, common exporters, Kubernetes, Prometheus itself.</summary>
    public static MetricCatalog BuiltIn => Lazily.BuiltIn;

    public ImmutableArray<MetricFamily> Families { get; }

    public bool IsEmpty => Families.IsEmpty;

    public IEnumerable<string> SeriesNames => series.Keys;

    public KnownMetric? Find(string seriesName) => series.TryGetValue(seriesName, out KnownMetric known) ? known : null;

    /// <summary>Only the families of some dialects.</summary>
    public MetricCatalog Select(IEnumerable<string> dialects)
    {
        var wanted = dialects.ToHashSet(StringComparer.Ordinal);
        return new MetricCatalog(Families.Where(family => wanted.Contains(family.Dialect)));
    }

    /// <summary>Reads one or more catalogue files; mistakes are reported with the file's name and skipped.</summary>
    public static (MetricCatalog Catalog, ImmutableArray<Diagnostic> Diagnostics) Load(IEnumerable<(string Source, string Yaml)> files)
    {
        var families = new List<MetricFamily>();
        var all = ImmutableArray.CreateBuilder<Diagnostic>();
        foreach ((string source, string yaml) in files)
        {
            var diagnostics = ImmutableArray.CreateBuilder<Diagnostic>();
            YamlTree tree = YamlTree.Parse(yaml);
            diagnostics.AddRange(tree.Diagnostics);
            foreach (YamlNode? root in tree.Documents)
            {
                if (root is not null)
                {
                    Read(root, new YamlFields(diagnostics, "catalog/syntax"), families);
                }
            }
            all.AddRange(diagnostics.Select(d => d with { Source = source }));
        }
        return (new MetricCatalog(families), all.ToImmutable());
    }

    private static class Lazily
    {
        public static readonly MetricCatalog BuiltIn = ReadResources();

        private static MetricCatalog ReadResources()
        {
            Assembly assembly = typeof(MetricCatalog).Assembly;
            (MetricCatalog catalog, ImmutableArray<Diagnostic> mistakes) = Load(assembly.GetManifestResourceNames()
                .Where(name => name.StartsWith("catalog/", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
                .Select(name => (name, new StreamReader(assembly.GetManifestResourceStream(name)!).ReadToEnd())));
            return mistakes.IsEmpty ? catalog : throw new InvalidOperationException($"The built-in metric catalogue is broken: {mistakes[0]}");
        }
    }

    private static void Read(YamlNode root, YamlFields fields, List<MetricFamily> families)
    {
        if (fields.Mapping(root, "a metric catalogue", "dialect", "families") is not { } file)
        {
            return;
        }
        string dialect = fields.Text(file, "dialect").Value;
        foreach (YamlNode node in fields.Sequence(file, "families"))
        {
            if (fields.Mapping(node, "a metric family", FamilyFields) is not { } family)
            {
                continue;
            }
            (string typeName, YamlScalar? typeNode) = fields.Text(family, "type");
            if (!Enum.TryParse(typeName, ignoreCase: true, out MetricType type))
            {
                fields.Report((YamlNode?)typeNode ?? family, $"\"{typeName}\" is no metric type; use counter, gauge, histogram, summary or info");
            }
            families.Add(new MetricFamily(fields.Text(family, "name").Value, type, dialect)
            {
                Unit = fields.Text(family, "unit").Value,
                Help = fields.Text(family, "help").Value,
                Labels = Scalars(fields, family, "labels"),
                Buckets = Scalars(fields, family, "buckets"),
            });
        }
    }

    private static ImmutableArray<string> Scalars(YamlFields fields, YamlMapping family, string field) =>
        [.. fields.Sequence(family, field).OfType<YamlScalar>().Select(item => item.Value)];

    private static string[] Parts(MetricType type) => type switch
    {
        MetricType.Histogram => ["_bucket", "_sum", "_count", ""],
        MetricType.Summary => ["", "_sum", "_count"],
        _ => [""],
    };
}
