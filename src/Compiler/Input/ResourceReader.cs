using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using OptiInfra.Crds;
using OptiInfra.Crds.Schema;
using OptiInfra.Kubernetes.Objects;
using OptiInfra.PromQL.Text;

namespace OptiInfra.Compiler.Input;

/// <summary>One resource and the place where it was written.</summary>
/// <param name="Resource">The resource.</param>
/// <param name="Place">Finds the place of a field, for what the compiler says about it.</param>
public sealed record Located<T>(T Resource, FieldPlace Place);

/// <summary>What was read from some files.</summary>
public sealed record ResourceSet
{
    public IReadOnlyList<Located<OptiAgent>> Agents { get; init; } = [];

    public IReadOnlyList<Located<AlertPolicy>> Policies { get; init; } = [];

    public IReadOnlyList<Located<MonitoringStack>> Stacks { get; init; } = [];

    /// <summary>What stands beside our resources and helps without a cluster: files in ConfigMaps, port numbers of Services.</summary>
    public Companions Companions { get; init; } = new();

    public IReadOnlyList<Diagnostic> Diagnostics { get; init; } = [];

    public bool HasErrors => Diagnostics.Any(diagnostic => diagnostic.IsError);
}

/// <summary>
/// Reads resources from YAML without a cluster: broken YAML, unknown kinds and fields, wrong types and values out of
/// bounds are found by the same schema that the API server has, and each is a diagnostic with file, line and column.
/// A resource with a mistake is left out; the others are read.
/// </summary>
public static class ResourceReader
{
    public static ResourceSet Read(IEnumerable<(string Source, string Text)> files)
    {
        ArgumentNullException.ThrowIfNull(files);
        var reader = new Reader();
        foreach ((string source, string text) in files)
        {
            reader.File(source, text);
        }

        return reader.Done();
    }

    private sealed class Reader
    {
        private readonly List<Diagnostic> _diagnostics = [];
        private readonly Dictionary<string, FieldPlace> _seen = new(StringComparer.Ordinal);
        private readonly List<Located<OptiAgent>> _agents = [];
        private readonly List<Located<AlertPolicy>> _policies = [];
        private readonly List<Located<MonitoringStack>> _stacks = [];
        private readonly Companions _companions = new();

        public ResourceSet Done() => new() { Companions = _companions, Agents = _agents, Policies = _policies, Stacks = _stacks, Diagnostics = _diagnostics };

        public void File(string source, string text)
        {
            YamlTree tree = YamlTree.Parse(text);
            _diagnostics.AddRange(tree.Diagnostics.Select(diagnostic => diagnostic with { Source = source }));
            if (tree.Diagnostics.Any(diagnostic => diagnostic.IsError))
            {
                return;
            }

            foreach (YamlNode document in tree.Documents.OfType<YamlNode>())
            {
                Document(document, new FieldPlace(source, tree, document));
            }
        }

        private void Document(YamlNode document, FieldPlace place)
        {
            if (document is not YamlMapping mapping)
            {
                Error(place, document, "resource/kind", "a resource is a mapping with apiVersion, kind, metadata and spec");
                return;
            }

            if (mapping.Find("kind") is YamlScalar { Value: "List" } && mapping.Find("items") is YamlSequence items)
            {
                foreach (YamlNode item in items.Items)
                {
                    Document(item, new FieldPlace(place.Source, place.Tree, item));
                }

                return;
            }

            string apiVersion = (mapping.Find("apiVersion") as YamlScalar)?.Value ?? "";
            string kind = (mapping.Find("kind") as YamlScalar)?.Value ?? "";
            CrdManifest? manifest = CrdManifest.All.FirstOrDefault(manifest => manifest.Kind.Kind == kind);
            if (apiVersion.Length > 0 && !apiVersion.StartsWith(OptiResources.Group + "/", StringComparison.Ordinal) && manifest is null)
            {
                if (!_companions.Take(mapping, kind))
                {
                    Add(new Diagnostic("resource/kind", Severity.Info, $"{kind} is not ours and is left out") { Start = mapping.Start, End = mapping.End }, place);
                }

                return;
            }

            if (manifest is null)
            {
                Error(place, mapping.Find("kind") ?? mapping, "resource/kind", kind.Length == 0 ? "kind is missing" : $"there is no kind {kind}", Suggest.For(kind, CrdManifest.All.Select(known => known.Kind.Kind)));
                return;
            }

            if (apiVersion != manifest.Kind.ApiVersion)
            {
                Error(place, mapping.Find("apiVersion") ?? mapping, "resource/kind", apiVersion.Length == 0 ? "apiVersion is missing" : $"{kind} has no version {apiVersion}", $"write apiVersion: {manifest.Kind.ApiVersion}");
                return;
            }

            Resource(mapping, manifest, place);
        }

        private void Resource(YamlMapping mapping, CrdManifest manifest, FieldPlace place)
        {
            var check = new SchemaCheck();
            JsonObject? json = check.Resource(mapping, manifest.Schema);
            foreach (Diagnostic diagnostic in check.Diagnostics)
            {
                Add(diagnostic, place);
            }

            if (json is null || check.Diagnostics.Any(diagnostic => diagnostic.IsError))
            {
                return;
            }

            bool added = manifest.Kind.Kind switch
            {
                "OptiAgent" => Keep(json, OptiResources.Agents.Json, place, manifest, _agents),
                "AlertPolicy" => Keep(json, OptiResources.Policies.Json, place, manifest, _policies),
                _ => Keep(json, OptiResources.Stacks.Json, place, manifest, _stacks),
            };
            _ = added;
        }

        private bool Keep<T>(JsonObject json, JsonTypeInfo<T> type, FieldPlace place, CrdManifest manifest, List<Located<T>> list)
            where T : class, IKubeObject
        {
            T resource = json.Deserialize(type)!;
            string name = $"{manifest.Kind.Kind} {resource.Metadata.Namespace ?? "default"}/{resource.Metadata.Name}";
            if (!_seen.TryAdd(name, place))
            {
                Error(place, place.Find("metadata.name"), "resource/duplicate", $"{name} is already given in {_seen[name].Source}:{_seen[name].Find("metadata.name").Start}", "give it another name, or put both into one");
                return false;
            }

            list.Add(new Located<T>(resource, place));
            return true;
        }

        private void Error(FieldPlace place, YamlNode node, string id, string message, string? hint = null) =>
            Add(new Diagnostic(id, Severity.Error, message) { Start = node.Start, End = node.End, Hint = hint }, place);

        private void Add(Diagnostic diagnostic, FieldPlace place) => _diagnostics.Add(diagnostic with { Source = place.Source });
    }
}
