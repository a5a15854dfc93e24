using System.Text;

namespace OptiInfra.ApiServer.Storage;

internal enum StoreEventType
{
    Added,
    Modified,
    Deleted,
}

/// <summary>
/// One change of one object and the link to the next one: the log of a resource is a linked list, so that readers walk
/// it without a lock and what the last reader has passed is collected.
/// </summary>
internal sealed class StoreEvent(long index, StoreEventType type, long revision, StoredObject obj, StoredObject? previous)
{
    private byte[]? plainLine;
    private volatile StoreEvent? next;

    /// <summary>Position in the log of its resource; tells how far a reader is behind.</summary>
    public long Index { get; } = index;

    public StoreEventType Type { get; } = type;

    public long Revision { get; } = revision;

    /// <summary>The object after the change; of a deletion its last state with the revision of the deletion.</summary>
    public StoredObject Object { get; } = obj;

    public StoredObject? Previous { get; } = previous;

    public StoreEvent? Next
    {
        get => next;
        set => next = value;
    }

    /// <summary>The line of a plain JSON watch, encoded once for all watchers.</summary>
    public byte[] PlainLine => plainLine ??= Line(Type, Object.Utf8);

    public static byte[] Line(StoreEventType type, ReadOnlySpan<byte> obj) => Line(
        type switch { StoreEventType.Added => "ADDED", StoreEventType.Modified => "MODIFIED", _ => "DELETED" }, obj);

    public static byte[] Line(string type, ReadOnlySpan<byte> obj)
    {
        byte[] head = Encoding.ASCII.GetBytes($"{{\"type\":\"{type}\",\"object\":");
        byte[] line = new byte[head.Length + obj.Length + 2];
        head.CopyTo(line, 0);
        obj.CopyTo(line.AsSpan(head.Length));
        line[^2] = (byte)'}';
        line[^1] = (byte)'\n';
        return line;
    }
}
