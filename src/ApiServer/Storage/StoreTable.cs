namespace OptiInfra.ApiServer.Storage;

/// <summary>The objects of one resource in key order, and the log of their changes. The store's lock guards the writes.</summary>
internal sealed class StoreTable(string resource, long startRevision)
{
    private readonly SortedDictionary<string, StoredObject> objects = new(KeyOrder.Instance);
    private StoreEvent oldest = new(0, StoreEventType.Added, startRevision, Nothing, null);
    private StoreEvent newest = null!;
    private TaskCompletionSource appended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static readonly StoredObject Nothing = new("", 0, "{}"u8.ToArray());

    /// <summary><c>plural.group</c>: all versions of a resource share one table.</summary>
    public string Resource { get; } = resource;

    public int Count => objects.Count;

    /// <summary>Changes up to and including this revision are no longer known.</summary>
    public long Floor { get; private set; } = startRevision;

    public StoreEvent Newest => newest ?? oldest;

    /// <summary>Completes at the next change after it was read; read it before looking at the log.</summary>
    public Task Appended => Volatile.Read(ref appended).Task;

    public StoredObject? Find_NeedsLock(string key) => objects.GetValueOrDefault(key);

    public StoredObject[] All_NeedsLock() => [.. objects.Values];

    /// <summary>The last known event at or before the revision: walking on from it gives everything later. Null when compacted.</summary>
    public StoreEvent? After_NeedsLock(long revision)
    {
        if (revision < Floor)
        {
            return null;
        }

        StoreEvent at = oldest;
        if (Newest.Revision <= revision)
        {
            return Newest;
        }

        while (at.Next is { } next && next.Revision <= revision)
        {
            at = next;
        }

        return at;
    }

    public void Append_NeedsLock(StoreEventType type, StoredObject obj, StoredObject? previous, int window)
    {
        if (type == StoreEventType.Deleted)
        {
            objects.Remove(obj.Key);
        }
        else
        {
            objects[obj.Key] = obj;
        }

        StoreEvent entry = new(Newest.Index + 1, type, obj.Revision, obj, previous);
        Newest.Next = entry;
        newest = entry;
        while (entry.Index - oldest.Index > window)
        {
            oldest = oldest.Next!;
            Floor = oldest.Revision;
        }
    }

    /// <summary>Wakes the watchers; called after the lock is released.</summary>
    public void Signal()
    {
        TaskCompletionSource fresh = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Interlocked.Exchange(ref appended, fresh).TrySetResult();
    }

    public void Compact_NeedsLock(long revision)
    {
        while (oldest.Next is { } next && next.Revision <= revision)
        {
            oldest = next;
        }

        Floor = Math.Max(Floor, revision);
    }

    /// <summary>Loads what was kept on disk; nobody watches yet.</summary>
    public void Restore(StoredObject obj) => objects[obj.Key] = obj;

    public void Forget(string key) => objects.Remove(key);

    /// <summary>The order of etcd keys: bytes, with the slash between namespace and name as a plain byte.</summary>
    private sealed class KeyOrder : IComparer<string>
    {
        public static readonly KeyOrder Instance = new();

        public int Compare(string? x, string? y) => string.CompareOrdinal(x, y);
    }
}
