using OptiInfra.Compiler.Model;
using OptiInfra.Kubernetes.Objects;
using FileSet = System.Collections.Immutable.ImmutableSortedDictionary<string, string>;

namespace OptiInfra.Operator.Sync;

/// <summary>From a stack's ConfigMaps to the files that Prometheus reads, and to the target specifications that it does not.</summary>
internal static class ArtifactFiles
{
    public static bool Is(ConfigMap map, string artifact) => map.Metadata.Labels?.GetValueOrDefault(Contract.ArtifactLabel) == artifact;

    /// <summary>The files of all ConfigMaps, by path. Without a root configuration there are none.</summary>
    public static FileSet Of(IReadOnlyList<ConfigMap> maps)
    {
        FileSet.Builder files = GenerationDirectory.NoFiles.ToBuilder();
        foreach (ConfigMap map in maps)
        {
            string folder = Is(map, Artifacts.Scrape) ? Contract.ScrapeDirectory + "/" : Is(map, Artifacts.Rules) ? Contract.RulesDirectory + "/" : "";
            foreach ((string key, string text) in map.Data ?? new Dictionary<string, string>())
            {
                if (!(Is(map, Artifacts.Scrape) && IsSpecification(text)))
                {
                    files[folder + key] = text;
                }
            }
        }

        return files.ContainsKey(Contract.ConfigFile) ? files.ToImmutable() : GenerationDirectory.NoFiles;
    }

    /// <summary>The target specifications of one scrape ConfigMap, by key.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Specifications(ConfigMap map) =>
        (map.Data ?? new Dictionary<string, string>()).Where(pair => IsSpecification(pair.Value));

    /// <summary>A specification is a JSON object, a scrape_configs file (native discovery, classes) is YAML.</summary>
    private static bool IsSpecification(string text) => text.StartsWith('{');
}
