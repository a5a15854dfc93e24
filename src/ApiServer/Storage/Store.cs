using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace OptiInfra.ApiServer.Storage;

/// <summary>
/// All objects, under one revision that grows with every write. In flow order: a write takes the lock, checks the
/// version it was based on, draws the next revision, puts it into the object, encodes it, appends it to the table and
/// its log (<see cref="StoreTable"/>), and after the lock wakes the watchers and hands the record to the journal.
/// Guarantees: revisions are unique and grow; a list at a revision and the log after it together are complete; what a
/// write returned is on disk when a journal is attached. It knows nothing of HTTP, schemas or kinds.
/// </summary>
internal sealed class Store
{
    /// <summary>Where revisions begin; everything before counts as compacted.</summary>
    public const long FirstRevision = 100;

    private readonly Lock gate = new();
    private readonly ConcurrentDictionary<string, StoreTable> tables = new(StringComparer.Ordinal);
    private readonly int window;
    private long revision = FirstRevision;
    private long compacted = FirstRevision;

    public Store(int window = 20_000) => this.window = window;

    public long Revision => Volatile.Read(ref revision);

    /// <summary>Revisions at or below are gone from all logs.</summary>
    public long Compacted => Volatile.Read(ref compacted);

    public Journal? Journal { get; set; }

    public IEnumerable<StoreTable> Tables => tables.Values;

    public StoreTable Table(string resource) => tables.GetOrAdd(resource, static (name, store) => new StoreTable(name, store.Compacted), this);

    public StoredObject? Find(string resource, string key)
    {
        StoreTable table = Table(resource);
        lock (gate)
        {
            return table.Find_NeedsLock(key);
        }
    }

    /// <summary>All objects of a resource in key order, the revision they are at, and the place in the log to go on from.</summary>
    public (StoredObject[] Objects, long Revision, StoreEvent Position) Snapshot(string resource)
    {
        StoreTable table = Table(resource);
        lock (gate)
        {
            return (table.All_NeedsLock(), revision, table.Newest);
        }
    }

    /// <summary>The objects as they were at an earlier revision, found by undoing the log; null when that is compacted.</summary>
    public StoredObject[]? SnapshotAt(string resource, long at)
    {
        StoreTable table = Table(resource);
        SortedDictionary<string, StoredObject> objects;
        List<StoreEvent> undo = [];
        lock (gate)
        {
            if (table.After_NeedsLock(at) is not { } position || at < Compacted)
            {
                return null;
            }

            objects = new(table.All_NeedsLock().ToDictionary(obj => obj.Key), StringComparer.Ordinal);
            for (StoreEvent? next = position.Next; next is not null; next = next.Next)
            {
                undo.Add(next);
            }
        }

        for (int i = undo.Count - 1; i >= 0; i--)
        {
            if (undo[i].Previous is { } previous)
            {
                objects[previous.Key] = previous;
            }
            else
            {
                objects.Remove(undo[i].Object.Key);
            }
        }

        return [.. objects.Values];
    }

    /// <summary>The place in the log after a revision; null when that is compacted.</summary>
    public StoreEvent? PositionAfter(string resource, long after)
    {
        StoreTable table = Table(resource);
        lock (gate)
        {
            return table.After_NeedsLock(after);
        }
    }

    /// <summary>Adds an object; null when the key is taken.</summary>
    public StoredObject? Create(string resource, string key, JsonObject obj)
    {
        StoreTable table = Table(resource);
        StoredObject stored;
        lock (gate)
        {
            if (table.Find_NeedsLock(key) is not null)
            {
                return null;
            }

            stored = StoredObject.From(key, ++revision, obj);
            table.Append_NeedsLock(StoreEventType.Added, stored, null, window);
            Journal?.Add(JournalRecord.Put(resource, stored));
        }

        table.Signal();
        return stored;
    }

    /// <summary>Puts a new version in the place of <paramref name="current"/>; null when that is no longer the current one.</summary>
    public StoredObject? Replace(string resource, StoredObject current, JsonObject obj)
    {
        StoreTable table = Table(resource);
        StoredObject stored;
        lock (gate)
        {
            if (!ReferenceEquals(table.Find_NeedsLock(current.Key), current))
            {
                return null;
            }

            stored = StoredObject.From(current.Key, ++revision, obj);
            table.Append_NeedsLock(StoreEventType.Modified, stored, current, window);
            Journal?.Add(JournalRecord.Put(resource, stored));
        }

        table.Signal();
        return stored;
    }

    /// <summary>Removes <paramref name="current"/>, whose last state is <paramref name="final"/>; null when it is no longer the current one.</summary>
    public StoredObject? Delete(string resource, StoredObject current, JsonObject final)
    {
        StoreTable table = Table(resource);
        StoredObject stored;
        lock (gate)
        {
            if (!ReferenceEquals(table.Find_NeedsLock(current.Key), current))
            {
                return null;
            }

            stored = StoredObject.From(current.Key, ++revision, final);
            table.Append_NeedsLock(StoreEventType.Deleted, stored, current, window);
            Journal?.Add(JournalRecord.Delete(resource, stored));
        }

        table.Signal();
        return stored;
    }

    /// <summary>Forgets the history up to a revision (all of it with null): older watches and lists are answered with 410.</summary>
    public void Compact(long? upTo = null)
    {
        lock (gate)
        {
            long at = Math.Min(upTo ?? revision, revision);
            compacted = Math.Max(compacted, at);
            foreach (StoreTable table in tables.Values)
            {
                table.Compact_NeedsLock(compacted);
            }
        }
    }

    /// <summary>Takes over what a journal kept; only before the first request.</summary>
    public void Restore(IEnumerable<JournalRecord> records)
    {
        Dictionary<string, Dictionary<string, StoredObject>> kept = new(StringComparer.Ordinal);
        foreach (JournalRecord record in records)
        {
            revision = Math.Max(revision, record.Revision);
            if (!kept.TryGetValue(record.Resource, out Dictionary<string, StoredObject>? objects))
            {
                kept[record.Resource] = objects = new(StringComparer.Ordinal);
            }

            if (record.Utf8 is { } utf8)
            {
                objects[record.Key] = new StoredObject(record.Key, record.Revision, utf8);
            }
            else
            {
                objects.Remove(record.Key);
            }
        }

        compacted = revision;
        foreach ((string resource, Dictionary<string, StoredObject> objects) in kept)
        {
            StoreTable table = Table(resource);
            foreach (StoredObject obj in objects.Values)
            {
                table.Restore(obj);
            }
        }
    }
}
