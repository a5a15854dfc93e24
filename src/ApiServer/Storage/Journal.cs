using System.Buffers.Binary;
using System.Text;

namespace OptiInfra.ApiServer.Storage;

/// <summary>One write as it is kept: the new bytes of an object, or none when it was deleted.</summary>
internal sealed record JournalRecord(string Resource, string Key, long Revision, byte[]? Utf8)
{
    public static JournalRecord Put(string resource, StoredObject obj) => new(resource, obj.Key, obj.Revision, obj.Utf8);

    public static JournalRecord Delete(string resource, StoredObject obj) => new(resource, obj.Key, obj.Revision, null);
}

/// <summary>
/// Keeps writes in a folder so that a killed server comes back with all that it acknowledged. Records are appended to
/// one file by one writer, which syncs once for all writes that waited meanwhile; callers answer their client only
/// after <see cref="DurableAsync"/>. Each record carries its length and a checksum: a torn tail is cut off at the next
/// start, where the file is also rewritten with the living objects only (to a new file that takes the old one's place).
/// </summary>
internal sealed class Journal : IAsyncDisposable
{
    private const string FileName = "store.log";
    private const int HeaderSize = 8;
    private const int MaxRecord = 64 * 1024 * 1024;

    private readonly FileStream file;
    private readonly Lock gate = new();
    private readonly Task writer;
    private List<JournalRecord> pending = [];
    private TaskCompletionSource durable = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim wake = new(0);
    private Task lastBatch = Task.CompletedTask;
    private bool closing;

    private Journal(FileStream file)
    {
        this.file = file;
        writer = Task.Run(WriteLoopAsync);
    }

    /// <summary>Opens the journal of a folder, loads the store from it and attaches itself.</summary>
    public static Journal Open(string folder, Store store)
    {
        Directory.CreateDirectory(folder);
        string path = Path.Combine(folder, FileName);
        if (File.Exists(path))
        {
            store.Restore(ReadAll(path));
        }

        string fresh = path + ".new";
        using (FileStream target = new(fresh, FileMode.Create, FileAccess.Write))
        {
            foreach (StoreTable table in store.Tables)
            {
                foreach (StoredObject obj in store.Snapshot(table.Resource).Objects)
                {
                    target.Write(Encode(JournalRecord.Put(table.Resource, obj)));
                }
            }

            // The newest revision may belong to a deleted object; it must not be drawn again.
            target.Write(Encode(new JournalRecord("", "", store.Revision, null)));
            target.Flush(flushToDisk: true);
        }

        File.Move(fresh, path, overwrite: true);
        Journal journal = new(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read));
        store.Journal = journal;
        return journal;
    }

    /// <summary>Queues a record; called in the order of revisions, under the store's lock.</summary>
    public void Add(JournalRecord record)
    {
        lock (gate)
        {
            pending.Add(record);
        }

        if (wake.CurrentCount == 0)
        {
            wake.Release();
        }
    }

    /// <summary>Completes when everything queued so far is on disk.</summary>
    public Task DurableAsync()
    {
        lock (gate)
        {
            return pending.Count > 0 ? durable.Task : lastBatch;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Volatile.Write(ref closing, true);
        wake.Release();
        await writer.ConfigureAwait(false);
        await file.DisposeAsync().ConfigureAwait(false);
        wake.Dispose();
    }

    internal static IEnumerable<JournalRecord> ReadAll(string path)
    {
        using FileStream file = File.OpenRead(path);
        byte[] header = new byte[HeaderSize];
        while (file.ReadAtLeast(header, HeaderSize, throwOnEndOfStream: false) == HeaderSize)
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(header);
            uint sum = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(4));
            if (length is <= 0 or > MaxRecord)
            {
                yield break;
            }

            byte[] body = new byte[length];
            if (file.ReadAtLeast(body, length, throwOnEndOfStream: false) < length || Checksum(body) != sum)
            {
                yield break;
            }

            yield return Decode(body);
        }
    }

    private async Task WriteLoopAsync()
    {
        while (true)
        {
            await wake.WaitAsync().ConfigureAwait(false);
            List<JournalRecord> batch;
            TaskCompletionSource waiting;
            lock (gate)
            {
                (batch, pending) = (pending, []);
                (waiting, durable) = (durable, new(TaskCreationOptions.RunContinuationsAsynchronously));
                lastBatch = waiting.Task;
            }

            try
            {
                foreach (JournalRecord record in batch)
                {
                    file.Write(Encode(record));
                }

                file.Flush(flushToDisk: true);
                waiting.TrySetResult();
            }
            catch (IOException e)
            {
                // Whoever waits must not believe that its write is safe.
                waiting.TrySetException(e);
            }

            if (Volatile.Read(ref closing) && pending.Count == 0)
            {
                return;
            }
        }
    }

    private static byte[] Encode(JournalRecord record)
    {
        using MemoryStream buffer = new();
        buffer.SetLength(HeaderSize);
        buffer.Position = HeaderSize;
        using (BinaryWriter writer = new(buffer, Encoding.UTF8, leaveOpen: true))
        {
            writer.Write(record.Resource);
            writer.Write(record.Key);
            writer.Write(record.Revision);
            writer.Write(record.Utf8 is null ? -1 : record.Utf8.Length);
            writer.Write(record.Utf8 ?? []);
        }

        byte[] bytes = buffer.ToArray();
        BinaryPrimitives.WriteInt32LittleEndian(bytes, bytes.Length - HeaderSize);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), Checksum(bytes.AsSpan(HeaderSize)));
        return bytes;
    }

    private static JournalRecord Decode(byte[] body)
    {
        using BinaryReader reader = new(new MemoryStream(body), Encoding.UTF8);
        string resource = reader.ReadString();
        string key = reader.ReadString();
        long revision = reader.ReadInt64();
        int length = reader.ReadInt32();
        return new(resource, key, revision, length < 0 ? null : reader.ReadBytes(length));
    }

    /// <summary>FNV-1a: tells a torn or overwritten record from a whole one.</summary>
    private static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        uint hash = 2166136261;
        foreach (byte b in bytes)
        {
            hash = (hash ^ b) * 16777619;
        }

        return hash;
    }
}
