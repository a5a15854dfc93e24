using System.Text;

namespace OptiInfra.Compiler.Compile;

/// <summary>A key that moved to another bucket because its own grew too big.</summary>
public readonly record struct KeyMove(string Key, string From, string To);

/// <summary>
/// Which ConfigMap a key lives in. A bucket is a prefix of the bits of the keys' hash; one that grows over the limit is
/// split by the next bit: the keys with a 0 stay where they are, under the same name, those with a 1 move to a new
/// bucket. So an edit touches one ConfigMap, growth moves half of the keys of one ConfigMap, and nothing but the names
/// of the existing ConfigMaps is needed to find a key again after a restart. Buckets never merge: a shrinking fleet is
/// no reason to move anything. The order in which keys arrive does not matter.
/// </summary>
public sealed class BucketPlan
{
    /// <summary>Leaves room for metadata below the 512 KiB that we promise, and far below the 1 MiB that Kubernetes allows.</summary>
    public const int DefaultLimit = 480 * 1024;

    private const int MaxDepth = 24;

    private readonly int _limit;
    private readonly Dictionary<string, Bucket> _buckets = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <param name="existing">Names of the buckets that exist already.</param>
    /// <param name="limit">Most bytes of keys and values in a bucket.</param>
    public BucketPlan(IEnumerable<string>? existing = null, int limit = DefaultLimit)
    {
        _limit = limit;
        _buckets["b"] = new Bucket("b");
        foreach (string name in existing ?? [])
        {
            if (IsName(name))
            {
                _buckets.TryAdd(name, new Bucket(name));
            }
        }

        // A bucket exists only because its parent was split: someone may have deleted ConfigMaps in between.
        foreach (string name in _buckets.Keys.ToArray())
        {
            for (int length = name.Length - 1; length > 1; length--)
            {
                if (name[length - 1] == '1')
                {
                    _buckets.TryAdd(name[..length], new Bucket(name[..length]));
                }
            }
        }
    }

    /// <summary>Names of all buckets, empty ones included.</summary>
    public IEnumerable<string> Buckets => _buckets.Keys.Order(StringComparer.Ordinal);

    /// <summary>The bucket in which a key lives, or would live.</summary>
    public string BucketOf(string key) => _entries.TryGetValue(key, out Entry? entry) ? entry.Bucket.Name : Find(HashOf(key)).Bucket.Name;

    /// <summary>The keys of a bucket.</summary>
    public IReadOnlyCollection<string> KeysOf(string bucket) => _buckets[bucket].Keys;

    /// <summary>Adds a key or notes its new size; returns the keys that had to move.</summary>
    public IReadOnlyList<KeyMove> Put(string key, string value)
    {
        ArgumentNullException.ThrowIfNull(key);
        int size = key.Length + Encoding.UTF8.GetByteCount(value);
        if (_entries.TryGetValue(key, out Entry? entry))
        {
            entry.Bucket.Size += size - entry.Size;
            entry.Size = size;
        }
        else
        {
            uint hash = HashOf(key);
            entry = new Entry(hash, Find(hash).Bucket) { Size = size };
            _entries[key] = entry;
            entry.Bucket.Keys.Add(key);
            entry.Bucket.Size += size;
        }

        if (entry.Bucket.Size <= _limit)
        {
            return [];
        }

        List<KeyMove> moves = [];
        SplitWhileTooBig(entry.Hash, moves);
        return moves;
    }

    public void Remove(string key)
    {
        if (_entries.Remove(key, out Entry? entry))
        {
            entry.Bucket.Keys.Remove(key);
            entry.Bucket.Size -= entry.Size;
        }
    }

    private void SplitWhileTooBig(uint hash, List<KeyMove> moves)
    {
        while (true)
        {
            (Bucket bucket, string prefix) = Find(hash);
            if (bucket.Size <= _limit || bucket.Keys.Count < 2 || prefix.Length - 1 >= MaxDepth)
            {
                return;
            }

            var sibling = new Bucket(prefix + "1");
            _buckets[sibling.Name] = sibling;
            foreach (string key in bucket.Keys.Where(key => Bit(_entries[key].Hash, prefix.Length - 1)).ToArray())
            {
                Entry entry = _entries[key];
                bucket.Keys.Remove(key);
                bucket.Size -= entry.Size;
                sibling.Keys.Add(key);
                sibling.Size += entry.Size;
                entry.Bucket = sibling;
                moves.Add(new KeyMove(key, bucket.Name, sibling.Name));
            }

            // All keys may have gone to one side; that side is then split again.
            if (sibling.Size > _limit)
            {
                hash = _entries[sibling.Keys.First()].Hash;
            }
        }
    }

    /// <summary>Walks the splits: a prefix was split when the bucket of its 1-side exists.</summary>
    private (Bucket Bucket, string Prefix) Find(uint hash)
    {
        string prefix = "b";
        Bucket bucket = _buckets["b"];
        while (_buckets.TryGetValue(prefix + "1", out Bucket? ones))
        {
            bool bit = Bit(hash, prefix.Length - 1);
            prefix += bit ? '1' : '0';
            bucket = bit ? ones : bucket;
        }

        return (bucket, prefix);
    }

    private static bool Bit(uint hash, int index) => (hash >> (31 - index) & 1) == 1;

    private static bool IsName(string name) => name.Length is > 0 and <= MaxDepth + 1 && name[0] == 'b' && name.AsSpan(1).IndexOfAnyExcept('0', '1') < 0 && (name.Length == 1 || name[^1] == '1');

    /// <summary>FNV-1a with a final mix: the same on every machine and in every version, unlike string.GetHashCode.</summary>
    private static uint HashOf(string key)
    {
        uint hash = 2166136261;
        foreach (char c in key)
        {
            hash = (hash ^ c) * 16777619;
        }

        hash ^= hash >> 16;
        hash *= 0x85ebca6b;
        hash ^= hash >> 13;
        hash *= 0xc2b2ae35;
        return hash ^ (hash >> 16);
    }

    private sealed class Bucket(string name)
    {
        public string Name { get; } = name;

        public HashSet<string> Keys { get; } = new(StringComparer.Ordinal);

        public int Size { get; set; }
    }

    private sealed class Entry(uint hash, Bucket bucket)
    {
        public uint Hash { get; } = hash;

        public Bucket Bucket { get; set; } = bucket;

        public int Size { get; set; }
    }
}
