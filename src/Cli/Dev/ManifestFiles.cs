using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Cli.Dev;

/// <summary>Reads manifests from a file or a folder, or the samples that this program carries.</summary>
internal static class ManifestFiles
{
    private const string DemoSample = "samples/optiinfra.yaml";

    /// <summary>The manifests in the order of their files, and what could not be read.</summary>
    public static (IReadOnlyList<(string Source, JsonObject Manifest)> Manifests, List<string> Problems) Read(string? path)
    {
        List<(string, JsonObject)> manifests = [];
        List<string> problems = [];
        foreach ((string source, string text) in path is null ? [Sample()] : Files(path))
        {
            try
            {
                manifests.AddRange(YamlJson.ReadAll(text).OfType<JsonObject>().Select(manifest => (source, manifest)));
            }
            catch (Exception error) when (error is YamlDotNet.Core.YamlException or JsonException or FormatException)
            {
                problems.Add($"{source}: {error.Message}");
            }
        }

        return (manifests, problems);
    }

    private static IEnumerable<(string Source, string Text)> Files(string path) =>
        from file in Directory.Exists(path) ? Directory.EnumerateFiles(path, "*.y*ml", SearchOption.AllDirectories).Order(StringComparer.Ordinal) : (IEnumerable<string>)[path]
        select (file, File.ReadAllText(file));

    private static (string Source, string Text) Sample()
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(DemoSample)!;
        using StreamReader reader = new(stream);
        return (DemoSample, reader.ReadToEnd());
    }
}
