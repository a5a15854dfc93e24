using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using OptiInfra.Crds;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Compiler.Packs;

/// <summary>One group of a pack and for whom it is.</summary>
/// <param name="Name">Its name without the scope.</param>
/// <param name="Scope">
/// What comes after the @ in the file: a dialect (the group is for agents that speak it), <c>exporters</c> (for agents
/// that have some), <c>global</c> (confined to nobody), or nothing (for every agent).
/// </param>
/// <param name="Group">The rules as they stand in the file.</param>
internal sealed record PackGroup(string Name, string? Scope, RuleGroup Group);

/// <summary>A rule pack: a plain Prometheus rule file that comes with the product.</summary>
internal sealed record RulePack(string Name, IReadOnlyList<PackGroup> Groups)
{
    public IEnumerable<string> Alerts => Groups.SelectMany(group => group.Group.Rules ?? []).Select(rule => rule.Alert).OfType<string>().Distinct();
}

/// <summary>
/// The packs in this folder, one YAML file each. A file is a valid rule file on its own; its thresholds are the numbers
/// in its comparisons, and the only convention beyond Prometheus' is the scope in the group's name.
/// </summary>
internal static class PackCatalog
{
    /// <summary>Not a file: its rules are written for each objective.</summary>
    public const string Slo = "slo";

    private static readonly Lazy<SortedDictionary<string, RulePack>> Loaded = new(Load);

    /// <summary>Names of all packs, the generated ones included.</summary>
    public static IEnumerable<string> Names => Loaded.Value.Keys.Append(Slo).Order(StringComparer.Ordinal);

    public static IEnumerable<RulePack> All => Loaded.Value.Values;

    public static RulePack? Find(string name) => Loaded.Value.GetValueOrDefault(name);

    private static SortedDictionary<string, RulePack> Load()
    {
        var packs = new SortedDictionary<string, RulePack>(StringComparer.Ordinal);
        Assembly assembly = typeof(PackCatalog).Assembly;
        foreach (string resource in assembly.GetManifestResourceNames().Where(name => name.StartsWith("Packs/", StringComparison.Ordinal)))
        {
            using Stream stream = assembly.GetManifestResourceStream(resource)!;
            using var reader = new StreamReader(stream);
            string name = Path.GetFileNameWithoutExtension(resource);
            packs[name] = Read(name, reader.ReadToEnd());
        }

        return packs;
    }

    private static RulePack Read(string name, string yaml)
    {
        JsonArray groups = YamlJson.ReadAll(yaml)[0]["groups"]!.AsArray();
        return new RulePack(name, [.. groups.Select(group => Group(group.Deserialize(OptiJson.Default.RuleGroup)!))]);
    }

    private static PackGroup Group(RuleGroup group)
    {
        string[] parts = group.Name.Split('@', 2);
        return new PackGroup(parts[0], parts.Length > 1 ? parts[1] : null, group);
    }
}
