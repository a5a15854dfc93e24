using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using OptiInfra.Compiler.Model;

namespace OptiInfra.Operator.Sync;

/// <summary>
/// All target specifications of a stack, what they resolve to, and which files hold that. A change of one specification
/// or of one Service resolves only those it concerns, and only the files that got a new text are written: one file per
/// class and ConfigMap. Not safe for threads; one loop owns it.
/// </summary>
internal sealed class TargetTable(string folder)
{
    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Dictionary<SpecKey, Entry> entries = [];
    private readonly Dictionary<string, HashSet<SpecKey>> byNamespace = [];
    private readonly HashSet<SpecKey> dirty = [];
    private readonly Dictionary<string, string> written = Existing(folder);

    /// <summary>The namespaces whose objects are needed.</summary>
    public IReadOnlyCollection<string> Namespaces => byNamespace.Keys;

    /// <summary>Jobs without targets, and why.</summary>
    public IEnumerable<KeyValuePair<string, string>> Problems =>
        from entry in entries.Values
        from job in entry.Jobs
        where job.Problem is not null
        orderby job.Spec.Job
        select KeyValuePair.Create(job.Spec.Job, job.Problem!);

    public int Targets => entries.Values.Sum(entry => entry.Jobs.Sum(job => job.Targets.Count));

    /// <summary>Takes over the specifications of one ConfigMap; those that are unchanged cost a comparison.</summary>
    public void Put(string bucket, IEnumerable<KeyValuePair<string, string>> texts)
    {
        HashSet<SpecKey> gone = [.. entries.Keys.Where(key => key.Bucket == bucket)];
        foreach ((string name, string text) in texts)
        {
            SpecKey key = new(bucket, name);
            gone.Remove(key);
            if (entries.TryGetValue(key, out Entry? entry) && entry.Text == text)
            {
                continue;
            }

            Forget(key);
            Entry added = new(text, Parse(text));
            entries[key] = added;
            dirty.Add(key);
            foreach (string ns in added.File.Jobs.Where(NeedsCluster).Select(job => job.Namespace).Distinct())
            {
                (byNamespace.TryGetValue(ns, out HashSet<SpecKey>? keys) ? keys : byNamespace[ns] = []).Add(key);
            }
        }

        foreach (SpecKey key in gone)
        {
            Forget(key);
            dirty.Add(key);
        }
    }

    /// <summary>The endpoints of a Service changed, or (null) anything in the namespace that a selector could choose.</summary>
    public void Touch(string ns, string? service)
    {
        foreach (SpecKey key in byNamespace.GetValueOrDefault(ns) ?? [])
        {
            if (entries[key].File.Jobs.Any(job => job.Namespace == ns && (job.Source.Name is null || service is null || job.Source.Name == service)))
            {
                dirty.Add(key);
            }
        }
    }

    /// <summary>
    /// Resolves what changed and writes the files that changed by it. A namespace that is not known yet (null view) keeps
    /// its files; the specification stays due.
    /// </summary>
    public void Flush(Func<string, NamespaceView?> viewOf)
    {
        HashSet<(string Class, string Bucket)> files = [];
        foreach (SpecKey key in dirty.ToArray())
        {
            if (!entries.TryGetValue(key, out Entry? entry))
            {
                dirty.Remove(key);
                files.UnionWith(written.Keys.Select(Split).Where(file => file.Bucket == key.Bucket));
                continue;
            }

            List<ResolvedJob> jobs = [];
            foreach (TargetSpec spec in entry.File.Jobs)
            {
                NamespaceView? view = NeedsCluster(spec) ? viewOf(spec.Namespace) : NamespaceView.Of([]);
                if (view is not null)
                {
                    jobs.Add(TargetResolver.Resolve(spec, view));
                }
            }

            if (jobs.Count < entry.File.Jobs.Count)
            {
                continue;
            }

            files.UnionWith(entry.Classes.Concat(entry.File.Jobs.Select(job => job.Class)).Select(id => (id, key.Bucket)));
            entry.Jobs = jobs;
            entry.Classes = [.. jobs.Select(job => job.Spec.Class).Distinct()];
            dirty.Remove(key);
        }

        foreach ((string id, string bucket) in files)
        {
            Write(id, bucket);
        }
    }

    private void Write(string id, string bucket)
    {
        // Until every specification of a ConfigMap is resolved once, its old file knows better.
        if (dirty.Any(key => key.Bucket == bucket && entries.TryGetValue(key, out Entry? entry) && entry.Jobs.Count == 0 && entry.File.Jobs.Any(job => job.Class == id)))
        {
            return;
        }

        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream, Compact))
        {
            json.WriteStartArray();
            foreach (ResolvedJob job in entries.Where(pair => pair.Key.Bucket == bucket).OrderBy(pair => pair.Key.Name, StringComparer.Ordinal).SelectMany(pair => pair.Value.Jobs).Where(job => job.Spec.Class == id))
            {
                WriteGroups(json, job);
            }

            json.WriteEndArray();
        }

        string path = Path.Combine(id, $"{bucket}.json");
        string text = Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
        if (written.GetValueOrDefault(path) == text)
        {
            return;
        }

        if (text == "[]")
        {
            if (written.Remove(path))
            {
                File.Delete(Path.Combine(folder, path));
            }

            return;
        }

        GenerationDirectory.ReplaceFile(Path.Combine(folder, path), text);
        written[path] = text;
    }

    private static void WriteGroups(Utf8JsonWriter json, ResolvedJob job)
    {
        foreach (ResolvedTarget target in job.Targets)
        {
            json.WriteStartObject();
            json.WriteStartArray("targets");
            json.WriteStringValue(target.Address);
            json.WriteEndArray();
            json.WriteStartObject("labels");
            foreach ((string name, string value) in target.Labels)
            {
                json.WriteString(name, value);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }
    }

    private void Forget(SpecKey key)
    {
        if (!entries.Remove(key, out Entry? entry))
        {
            return;
        }

        foreach (string ns in entry.File.Jobs.Select(job => job.Namespace).Distinct())
        {
            if (byNamespace.TryGetValue(ns, out HashSet<SpecKey>? keys) && keys.Remove(key) && keys.Count == 0)
            {
                byNamespace.Remove(ns);
            }
        }
    }

    private static bool NeedsCluster(TargetSpec spec) => spec.Source.Kind != TargetSourceKind.Static;

    /// <summary>A text that we cannot read is none of ours: it has no jobs, and the operator's own check will put it back.</summary>
    private static TargetFile Parse(string text)
    {
        try
        {
            return JsonSerializer.Deserialize(text, TargetJson.Default.TargetFile) ?? new TargetFile { Jobs = [] };
        }
        catch (JsonException)
        {
            return new TargetFile { Jobs = [] };
        }
    }

    private static (string Class, string Bucket) Split(string path) => (Path.GetDirectoryName(path)!, Path.GetFileNameWithoutExtension(path));

    private static Dictionary<string, string> Existing(string folder)
    {
        Directory.CreateDirectory(folder);
        return Directory.EnumerateFiles(folder, "*.json", SearchOption.AllDirectories).ToDictionary(file => Path.GetRelativePath(folder, file), File.ReadAllText);
    }

    private readonly record struct SpecKey(string Bucket, string Name);

    private sealed class Entry(string text, TargetFile file)
    {
        public string Text { get; } = text;

        public TargetFile File { get; } = file;

        public List<ResolvedJob> Jobs { get; set; } = [];

        public string[] Classes { get; set; } = [];
    }
}
