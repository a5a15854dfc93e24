using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using OptiInfra.Compiler.Compile;
using OptiInfra.Compiler.Emit;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;
using OptiInfra.Kubernetes.Runtime;

namespace OptiInfra.Operator.Reconcile;

/// <summary>Where a key is written: the ConfigMap and the version of it that has the key's present text.</summary>
internal readonly record struct ShelfPlace(string ConfigMap, string Version);

/// <summary>
/// The keys of one artifact of one stack and the ConfigMaps that hold them (the buckets of <see cref="BucketPlan"/>).
/// Putting a key only marks it; <see cref="FlushAsync"/> writes what is marked, all keys of a bucket in one merge patch, so a
/// single edit costs one small patch and a thousand at once cost a few big ones. What a ConfigMap holds beside our keys is
/// left alone; when somebody changes or deletes ours, <see cref="Notice"/> leads to a comparison and it is put back.
/// </summary>
internal sealed class Shelf(KubeClient client, string artifact)
{
    /// <summary>Small buckets keep an edit cheap for everybody who carries the ConfigMap: us, the server, its watchers.</summary>
    private const int BucketLimit = 96 * 1024;

    private readonly Lock gate = new();
    private readonly Dictionary<string, string> texts = [];
    private readonly Dictionary<string, string> versions = [];
    private readonly Dictionary<string, Box> boxes = [];
    private BucketPlan plan = new(limit: BucketLimit);

    public IReadOnlyCollection<string> Keys
    {
        get
        {
            lock (gate)
            {
                return [.. texts.Keys];
            }
        }
    }

    public bool HasWork
    {
        get
        {
            lock (gate)
            {
                return boxes.Values.Any(box => box.NeedsWork);
            }
        }
    }

    /// <summary>Takes over what an earlier process wrote.</summary>
    public void Adopt(IEnumerable<ConfigMap> existing)
    {
        lock (gate)
        {
            ConfigMap[] maps = [.. existing.Where(map => BucketOf(map) is not null)];
            plan = new BucketPlan(maps.Select(map => BucketOf(map)!), BucketLimit);
            foreach (ConfigMap map in maps)
            {
                boxes[BucketOf(map)!] = new Box { Exists = true, Version = map.Metadata.ResourceVersion ?? "" };
            }

            foreach ((string key, string text, string bucket) in maps.SelectMany(map => (map.Data ?? new Dictionary<string, string>()).Select(pair => (pair.Key, pair.Value, BucketOf(map)!))))
            {
                texts[key] = text;
                versions[key] = boxes[bucket].Version;
                Mark_NeedsLock(plan.Put(key, text));
                if (plan.BucketOf(key) != bucket)
                {
                    BoxOf_NeedsLock(bucket).Dirty.Add(key);
                    BoxOf_NeedsLock(plan.BucketOf(key)).Dirty.Add(key);
                }
            }
        }
    }

    public bool Has(string key)
    {
        lock (gate)
        {
            return texts.ContainsKey(key);
        }
    }

    public string? Text(string key)
    {
        lock (gate)
        {
            return texts.GetValueOrDefault(key);
        }
    }

    /// <summary>Wants a key to have a text; an empty text is no key. Returns whether that is news.</summary>
    public bool Put(string key, string text)
    {
        if (text.Length == 0)
        {
            return Remove(key);
        }

        lock (gate)
        {
            if (texts.GetValueOrDefault(key) == text)
            {
                return false;
            }

            texts[key] = text;
            Mark_NeedsLock(plan.Put(key, text));
            BoxOf_NeedsLock(plan.BucketOf(key)).Dirty.Add(key);
            return true;
        }
    }

    public bool Remove(string key)
    {
        lock (gate)
        {
            if (!texts.Remove(key))
            {
                return false;
            }

            BoxOf_NeedsLock(plan.BucketOf(key)).Dirty.Add(key);
            plan.Remove(key);
            versions.Remove(key);
            return true;
        }
    }

    /// <summary>Where the key's present text is written; null while it waits to be.</summary>
    public ShelfPlace? PlaceOf(string key, StackModel stack)
    {
        lock (gate)
        {
            string bucket = plan.BucketOf(key);
            return texts.ContainsKey(key) && versions.TryGetValue(key, out string? version) && boxes.TryGetValue(bucket, out Box? box) && box.Exists && !box.Dirty.Contains(key) && !box.Writing.Contains(key)
                ? new ShelfPlace(ConfigMaps.BucketName(stack, artifact, bucket), version)
                : null;
        }
    }

    /// <summary>The watch saw this version of a ConfigMap (null: its deletion). Returns whether that was not our doing.</summary>
    public bool Notice(string bucket, string? version)
    {
        lock (gate)
        {
            if (!boxes.TryGetValue(bucket, out Box? box))
            {
                return false;
            }

            box.Seen = version;
            box.Deleted = version is null;
            return box.IsSuspect;
        }
    }

    /// <summary>Writes what is marked; returns the keys that are written now. What fails stays marked.</summary>
    public async Task<IReadOnlyCollection<string>> FlushAsync(StackModel stack, ObjectMeta owner, CancellationToken stop)
    {
        List<string> done = [];
        foreach (string bucket in BucketsToWrite())
        {
            await CompareIfSuspectAsync(stack, bucket, stop);
            (JsonObject change, List<string> keys, bool exists) = TakeDirty(bucket, stack, owner);
            if (keys.Count == 0)
            {
                continue;
            }

            string? version = null;
            try
            {
                version = await WriteAsync(stack, bucket, change, exists, stop);
                done.AddRange(keys);
            }
            finally
            {
                PutBack(bucket, keys, version);
            }
        }

        return done;
    }

    /// <summary>Buckets that gain keys come before those that lose them, so that a key that moves is never nowhere.</summary>
    private List<string> BucketsToWrite()
    {
        lock (gate)
        {
            return [.. boxes.Where(pair => pair.Value.NeedsWork)
                .OrderByDescending(pair => pair.Value.Dirty.Any(key => texts.ContainsKey(key) && plan.BucketOf(key) == pair.Key))
                .ThenByDescending(pair => pair.Key, StringComparer.Ordinal)
                .Select(pair => pair.Key)];
        }
    }

    private async Task<string> WriteAsync(StackModel stack, string bucket, JsonObject change, bool exists, CancellationToken stop)
    {
        ObjectKey target = new(stack.Namespace, ConfigMaps.BucketName(stack, artifact, bucket));
        if (exists)
        {
            try
            {
                return VersionOf(await client.PatchAsync(Kinds.ConfigMap, target, KubePatch.Merge(change), new WriteOptions { FieldManager = FieldManagers.Operator }, stop));
            }
            catch (KubeApiException gone) when (gone.IsNotFound)
            {
                lock (gate)
                {
                    boxes[bucket].Exists = false;
                    boxes[bucket].Dirty.UnionWith(plan.KeysOf(bucket));
                }

                throw;
            }
        }

        return VersionOf(await client.ApplyAsync(Kinds.ConfigMap, change, FieldManagers.Operator, force: true, stop));
    }

    /// <summary>Somebody else touched the ConfigMap: what differs from what we want is marked.</summary>
    private async Task CompareIfSuspectAsync(StackModel stack, string bucket, CancellationToken stop)
    {
        lock (gate)
        {
            if (!boxes[bucket].IsSuspect)
            {
                return;
            }
        }

        ConfigMap? actual = await client.FindAsync(KubeTypes.ConfigMaps, new ObjectKey(stack.Namespace, ConfigMaps.BucketName(stack, artifact, bucket)), stop);
        lock (gate)
        {
            Box box = boxes[bucket];
            box.Deleted = false;
            box.Seen = null;
            box.Exists = actual is not null;
            box.Version = actual?.Metadata.ResourceVersion ?? "";
            foreach (string key in plan.KeysOf(bucket).Where(key => actual?.Data?.GetValueOrDefault(key) != texts[key]))
            {
                box.Dirty.Add(key);
            }
        }
    }

    private (JsonObject Change, List<string> Keys, bool Exists) TakeDirty(string bucket, StackModel stack, ObjectMeta owner)
    {
        lock (gate)
        {
            Box box = boxes[bucket];
            if (!box.Exists)
            {
                box.Dirty.UnionWith(plan.KeysOf(bucket));
                box.Dirty.RemoveWhere(key => !IsHere_NeedsLock(key, bucket));
            }

            List<string> keys = [.. box.Dirty];
            box.Dirty.Clear();
            box.Writing.UnionWith(keys);
            return (box.Exists ? Patch_NeedsLock(bucket, keys) : Whole_NeedsLock(bucket, stack, owner), keys, box.Exists);
        }
    }

    private void PutBack(string bucket, List<string> keys, string? version)
    {
        lock (gate)
        {
            Box box = boxes[bucket];
            box.Writing.ExceptWith(keys);
            if (version is null)
            {
                box.Dirty.UnionWith(keys);
                return;
            }

            box.Exists = true;
            box.Version = version;
            foreach (string key in keys.Where(key => IsHere_NeedsLock(key, bucket)))
            {
                versions[key] = version;
            }
        }
    }

    private JsonObject Patch_NeedsLock(string bucket, List<string> keys)
    {
        JsonObject data = [];
        foreach (string key in keys)
        {
            data[key] = IsHere_NeedsLock(key, bucket) ? texts[key] : null;
        }

        return new JsonObject { ["data"] = data, ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [Contract.HashAnnotation] = Hash_NeedsLock(bucket) } } };
    }

    private JsonObject Whole_NeedsLock(string bucket, StackModel stack, ObjectMeta owner)
    {
        JsonObject whole = (JsonObject)ConfigMaps.Bucket(stack, artifact, bucket, plan.KeysOf(bucket).Select(key => KeyValuePair.Create(key, texts[key]))).Json.DeepClone();
        whole["metadata"]!["annotations"]![Contract.HashAnnotation] = Hash_NeedsLock(bucket);
        OwnerReferences.SetController(whole, OptiResources.Stacks.Kind, owner);
        return whole;
    }

    /// <summary>The sum of the hashes of all keys: one key can change without reading the others.</summary>
    private string Hash_NeedsLock(string bucket)
    {
        ulong sum = 0;
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        foreach (string key in plan.KeysOf(bucket))
        {
            SHA256.HashData(Encoding.UTF8.GetBytes(key + "\n" + texts[key]), hash);
            sum += BinaryPrimitives.ReadUInt64LittleEndian(hash);
        }

        return sum.ToString("x16", CultureInfo.InvariantCulture);
    }

    private void Mark_NeedsLock(IReadOnlyList<KeyMove> moves)
    {
        foreach (KeyMove move in moves)
        {
            BoxOf_NeedsLock(move.From).Dirty.Add(move.Key);
            BoxOf_NeedsLock(move.To).Dirty.Add(move.Key);
        }
    }

    private bool IsHere_NeedsLock(string key, string bucket) => texts.ContainsKey(key) && plan.BucketOf(key) == bucket;

    private Box BoxOf_NeedsLock(string bucket) => boxes.TryGetValue(bucket, out Box? box) ? box : boxes[bucket] = new Box();

    private static string? BucketOf(ConfigMap map) => map.Metadata.Labels?.GetValueOrDefault(Contract.BucketLabel);

    private static string VersionOf(JsonObject written) => (string?)written["metadata"]?["resourceVersion"] ?? "";

    private sealed class Box
    {
        public bool Exists { get; set; }

        public string Version { get; set; } = "";

        /// <summary>Keys whose text on the server is not, or may not be, the one we want.</summary>
        public HashSet<string> Dirty { get; } = [];

        /// <summary>Keys of the write that is under way.</summary>
        public HashSet<string> Writing { get; } = [];

        /// <summary>The version that the watch saw last.</summary>
        public string? Seen { get; set; }

        public bool Deleted { get; set; }

        /// <summary>Somebody else wrote to it. While a write of ours is under way nobody can tell; what is seen then is judged after it.</summary>
        public bool IsSuspect => Exists && Writing.Count == 0 && (Deleted || (Seen is not null && ResourceVersions.Compare(Seen, Version) > 0));

        public bool NeedsWork => Dirty.Count > 0 || IsSuspect;
    }
}
