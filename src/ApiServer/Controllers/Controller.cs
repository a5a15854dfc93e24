using System.Threading.Channels;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Storage;

namespace OptiInfra.ApiServer.Controllers;

/// <summary>
/// A loop over the changes of some tables: every changed key is looked at again, one at a time, and once more a little
/// later when that failed. It reads the store and writes through the same verbs as any client.
/// </summary>
internal abstract class Controller(ApiCore core)
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);

    private readonly Channel<(string Table, string Key)> queue = Channel.CreateUnbounded<(string Table, string Key)>();
    private readonly HashSet<(string Table, string Key)> queued = [];
    private readonly Lock gate = new();

    protected ApiCore Core { get; } = core;

    /// <summary>Whose changes wake this controller.</summary>
    protected abstract IReadOnlyList<string> Tables { get; }

    /// <summary>Brings one thing into order; it may be gone already.</summary>
    protected abstract Task ReconcileAsync(string table, string key, CancellationToken cancellation);

    /// <summary>Which keys to look at after a change; the changed one by default.</summary>
    protected virtual IEnumerable<(string Table, string Key)> KeysOf(string table, StoredObject obj, StoreEventType type) => [(table, obj.Key)];

    public virtual Task RunAsync(CancellationToken cancellation) =>
        Task.WhenAll([.. Tables.Select(table => WatchAsync(table, cancellation)), WorkAsync(cancellation)]);

    protected void Enqueue(string table, string key)
    {
        lock (gate)
        {
            if (queued.Add((table, key)))
            {
                queue.Writer.TryWrite((table, key));
            }
        }
    }

    protected void EnqueueLater(string table, string key, TimeSpan delay) =>
        _ = Task.Delay(delay, Core.Clock, Core.Stopping).ContinueWith(_ => Enqueue(table, key), Core.Stopping, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);

    protected async Task WatchAsync(string table, CancellationToken cancellation)
    {
        StoreTable source = Core.Store.Table(table);
        (StoredObject[] objects, _, StoreEvent position) = Core.Store.Snapshot(table);
        foreach (StoredObject obj in objects)
        {
            Offer(table, obj, StoreEventType.Added);
        }

        while (!cancellation.IsCancellationRequested)
        {
            Task appended = source.Appended;
            while (position.Next is { } next)
            {
                position = next;
                Offer(table, next.Object, next.Type);
            }

            try
            {
                await appended.WaitAsync(cancellation).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private void Offer(string table, StoredObject obj, StoreEventType type)
    {
        foreach ((string keyTable, string key) in KeysOf(table, obj, type))
        {
            Enqueue(keyTable, key);
        }
    }

    private async Task WorkAsync(CancellationToken cancellation)
    {
        try
        {
            await foreach ((string table, string key) in queue.Reader.ReadAllAsync(cancellation).ConfigureAwait(false))
            {
                lock (gate)
                {
                    queued.Remove((table, key));
                }

                try
                {
                    await ReconcileAsync(table, key, cancellation).ConfigureAwait(false);
                }
                catch (ApiError)
                {
                    // Somebody changed what we looked at, or it may not be so: look again.
                    EnqueueLater(table, key, RetryDelay);
                }
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // The server stops.
        }
    }
}
