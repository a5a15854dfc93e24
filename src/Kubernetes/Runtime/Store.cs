using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Kubernetes.Runtime;

public enum StoreChangeKind
{
    Added,
    Updated,
    Deleted,

    /// <summary>Nothing changed; every object is shown again so that handlers can look again.</summary>
    Resync,
}

/// <summary>
/// What happened to one object. <see cref="Old"/> is set for updates and deletes, <see cref="Current"/> for all but deletes.
/// <see cref="IsTombstone"/>: the delete was missed and found out by a list, so <see cref="Old"/> may not be its last state.
/// <see cref="IsInitial"/>: part of the first list, or of what a late handler is told.
/// </summary>
public sealed record StoreChange<T>(StoreChangeKind Kind, ObjectKey Key, T? Old, T? Current, bool IsTombstone = false, bool IsInitial = false)
    where T : class, IKubeObject
{
    /// <summary>The object as last known.</summary>
    public T Latest => Current ?? Old ?? throw new InvalidOperationException("a change has an object");
}

/// <summary>
/// The objects of one kind, by key, with indexes that are kept when objects change. Reads take a lock for as long as a look-up takes.
/// Objects are shared with everybody and immutable. Only the informer writes; <see cref="Replace"/> is atomic for readers.
/// </summary>
public sealed class Store<T>
    where T : class, IKubeObject
{
    private readonly Lock gate = new();
    private readonly Dictionary<ObjectKey, T> objects = [];
    private readonly Dictionary<string, StoreIndex<T>> indexes = [];

    internal Store(IReadOnlyDictionary<string, Func<T, IEnumerable<string>>>? indexers = null)
    {
        indexes[StoreIndex<T>.Namespace] = new StoreIndex<T>(obj => [obj.Metadata.Namespace ?? ""]);
        foreach ((string name, Func<T, IEnumerable<string>> values) in indexers ?? new Dictionary<string, Func<T, IEnumerable<string>>>())
        {
            indexes[name] = new StoreIndex<T>(values);
        }
    }

    public int Count
    {
        get
        {
            lock (gate)
            {
                return objects.Count;
            }
        }
    }

    public T? Get(ObjectKey key)
    {
        lock (gate)
        {
            return objects.GetValueOrDefault(key);
        }
    }

    /// <summary>All objects, or those of one namespace, as of one moment.</summary>
    public IReadOnlyList<T> List(string? ns = null)
    {
        lock (gate)
        {
            return ns is null ? [.. objects.Values] : Resolve_NeedsLock(indexes[StoreIndex<T>.Namespace].Keys(ns));
        }
    }

    /// <summary>The objects of one namespace (or all) whose labels a selector matches.</summary>
    public IReadOnlyList<T> List(string? ns, LabelSelector selector)
    {
        ArgumentNullException.ThrowIfNull(selector);
        return [.. List(ns).Where(obj => selector.Matches(obj.Metadata.Labels))];
    }

    /// <summary>The objects that an index files under a value. The index must have been declared with the informer.</summary>
    public IReadOnlyList<T> ByIndex(string index, string value)
    {
        lock (gate)
        {
            return indexes.TryGetValue(index, out StoreIndex<T>? found)
                ? Resolve_NeedsLock(found.Keys(value))
                : throw new ArgumentException($"there is no index \"{index}\"; declared are: {string.Join(", ", indexes.Keys)}", nameof(index));
        }
    }

    internal StoreChange<T>? Upsert(T obj, out StoreChange<T>? replaced)
    {
        lock (gate)
        {
            return Upsert_NeedsLock(obj, out replaced);
        }
    }

    internal StoreChange<T>? Delete(T last)
    {
        lock (gate)
        {
            return Remove_NeedsLock(ObjectKey.Of(last), tombstone: false, last);
        }
    }

    /// <summary>Makes the store hold exactly these objects of a namespace (null: of all), and says what changed by that.</summary>
    internal List<StoreChange<T>> Replace(IReadOnlyList<T> items, string? ns, bool initial)
    {
        var changes = new List<StoreChange<T>>();
        lock (gate)
        {
            var present = new HashSet<ObjectKey>(items.Count);
            foreach (T item in items)
            {
                present.Add(ObjectKey.Of(item));
            }

            IEnumerable<ObjectKey> scope = ns is null ? objects.Keys : indexes[StoreIndex<T>.Namespace].Keys(ns);
            foreach (ObjectKey gone in scope.Where(key => !present.Contains(key)).ToList())
            {
                changes.Add(Remove_NeedsLock(gone, tombstone: true, null)!);
            }

            foreach (T item in items)
            {
                StoreChange<T>? change = Upsert_NeedsLock(item, out StoreChange<T>? replaced);
                AddIfAny(changes, replaced);
                AddIfAny(changes, change is not null && initial ? change with { IsInitial = true } : change);
            }
        }

        return changes;
    }

    /// <summary>What a handler that comes now has to be told first.</summary>
    internal List<StoreChange<T>> Snapshot(StoreChangeKind kind)
    {
        lock (gate)
        {
            return [.. objects.Select(pair => new StoreChange<T>(kind, pair.Key, kind == StoreChangeKind.Resync ? pair.Value : null, pair.Value, IsInitial: true))];
        }
    }

    // The same name with another UID is another object: its predecessor's delete was missed.
    private StoreChange<T>? Upsert_NeedsLock(T obj, out StoreChange<T>? replaced)
    {
        var key = ObjectKey.Of(obj);
        replaced = null;
        T? old = objects.GetValueOrDefault(key);
        if (old is not null && old.Metadata.Uid != obj.Metadata.Uid)
        {
            replaced = Remove_NeedsLock(key, tombstone: true, null);
            old = null;
        }

        if (old?.Metadata.ResourceVersion is { Length: > 0 } version && version == obj.Metadata.ResourceVersion)
        {
            return null; // seen already: a relist, or events replayed after a reconnect
        }

        objects[key] = obj;
        foreach (StoreIndex<T> index in indexes.Values)
        {
            index.Update(key, old, obj);
        }

        return old is null
            ? new StoreChange<T>(StoreChangeKind.Added, key, null, obj)
            : new StoreChange<T>(StoreChangeKind.Updated, key, old, obj);
    }

    private StoreChange<T>? Remove_NeedsLock(ObjectKey key, bool tombstone, T? last)
    {
        if (!objects.Remove(key, out T? old))
        {
            return null;
        }

        foreach (StoreIndex<T> index in indexes.Values)
        {
            index.Update(key, old, null);
        }

        return new StoreChange<T>(StoreChangeKind.Deleted, key, last ?? old, null, tombstone);
    }

    private List<T> Resolve_NeedsLock(IReadOnlyCollection<ObjectKey> keys)
    {
        var found = new List<T>(keys.Count);
        foreach (ObjectKey key in keys)
        {
            found.Add(objects[key]);
        }

        return found;
    }

    private static void AddIfAny(List<StoreChange<T>> changes, StoreChange<T>? change)
    {
        if (change is not null)
        {
            changes.Add(change);
        }
    }
}

/// <summary>Keys by the values that a function finds in objects.</summary>
internal sealed class StoreIndex<T>(Func<T, IEnumerable<string>> valuesOf)
    where T : class, IKubeObject
{
    public const string Namespace = "namespace";

    private readonly Dictionary<string, HashSet<ObjectKey>> keys = [];

    public IReadOnlyCollection<ObjectKey> Keys(string value) => keys.TryGetValue(value, out HashSet<ObjectKey>? found) ? found : [];

    public void Update(ObjectKey key, T? old, T? current)
    {
        if (old is not null)
        {
            foreach (string value in valuesOf(old))
            {
                if (keys.TryGetValue(value, out HashSet<ObjectKey>? filed) && filed.Remove(key) && filed.Count == 0)
                {
                    keys.Remove(value);
                }
            }
        }

        if (current is not null)
        {
            foreach (string value in valuesOf(current))
            {
                (keys.TryGetValue(value, out HashSet<ObjectKey>? filed) ? filed : keys[value] = []).Add(key);
            }
        }
    }
}
