using YamlDotNet.RepresentationModel;

namespace OptiInfra.House.Tests;

/// <summary>A family as catalog/*.yaml describes it.</summary>
internal sealed record CatalogueFamily(string Dialect, string Name, string Type, string? Unit, IReadOnlyList<string> Labels)
{
    /// <summary>The series names it gives a query.</summary>
    public IEnumerable<string> SeriesNames => Type switch
    {
        "histogram" => [$"{Name}_bucket", $"{Name}_sum", $"{Name}_count", Name],
        "summary" => [Name, $"{Name}_sum", $"{Name}_count"],
        _ => [Name],
    };
}

/// <summary>All files of catalog/.</summary>
internal static class Catalogue
{
    public static IReadOnlyList<CatalogueFamily> All { get; } = [.. Repository.Files("catalog", "*.yaml").SelectMany(Read)];

    private static IEnumerable<CatalogueFamily> Read(string path)
    {
        YamlStream stream = [];
        using StringReader text = new(Repository.Read(path));
        stream.Load(text);
        var root = (YamlMappingNode)stream.Documents[0].RootNode;
        string dialect = (string)root["dialect"]!;
        return ((YamlSequenceNode)root["families"]).Cast<YamlMappingNode>().Select(family => new CatalogueFamily(
            dialect,
            (string)family["name"]!,
            (string)family["type"]!,
            family.Children.TryGetValue("unit", out YamlNode? unit) ? (string?)unit : null,
            family.Children.TryGetValue("labels", out YamlNode? labels) ? [.. ((YamlSequenceNode)labels).Select(label => (string)label!)] : []));
    }
}
