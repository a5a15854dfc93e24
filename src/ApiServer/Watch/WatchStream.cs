using System.Buffers;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using OptiInfra.ApiServer.Faults;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Storage;
using OptiInfra.ApiServer.Tables;
using OptiInfra.ApiServer.Verbs;

namespace OptiInfra.ApiServer.Watch;

/// <summary>
/// One open watch. In flow order: find the place in the log to start from → the initial objects, when the client asked
/// for them → the bookmark that ends them → every later event that the selectors let through, turned into ADDED or
/// DELETED where the object enters or leaves the selection → bookmarks now and then, and a last one before the time is
/// up. The log is walked without locks; a reader that falls too far behind is cut off, as the real server does.
/// </summary>
internal sealed class WatchStream(ApiCore core, ApiRequest request, ListOptions options)
{
    private static readonly TimeSpan BookmarkInterval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan FlushLimit = TimeSpan.FromSeconds(30);

    private readonly HttpContext http = request.Http;
    private readonly ResourceInfo info = request.Info;
    private readonly string prefix = request.Info.Namespaced && request.Namespace.Length > 0 ? request.Namespace + "/" : "";
    private bool tableHeaderSent;
    private long lastSent;

    public async Task RunAsync()
    {
        long version = StartVersion();
        bool future = version > core.Store.Revision;
        StoreEvent? position = null;
        StoredObject[] initial = [];
        bool replay = options.SendInitialEvents ?? version == 0;
        if (future)
        {
            lastSent = version;
        }
        else if (replay || version == 0)
        {
            (initial, lastSent, position) = core.Store.Snapshot(info.Table);
        }
        else
        {
            position = version <= core.Store.Compacted ? null : core.Store.PositionAfter(info.Table, version);
            lastSent = version;
        }

        http.Response.StatusCode = 200;
        http.Response.ContentType = request.Accept.Yaml ? "application/yaml" : "application/json";
        await http.Response.StartAsync(request.Aborted).ConfigureAwait(false);
        await http.Response.BodyWriter.FlushAsync(request.Aborted).ConfigureAwait(false);
        if (future)
        {
            await SendErrorAsync(ApiError.VersionTooLarge(version, core.Store.Revision)).ConfigureAwait(false);
            return;
        }

        if (position is null)
        {
            await SendErrorAsync(ApiError.Expired($"too old resource version: {version} ({core.Store.Compacted})")).ConfigureAwait(false);
            return;
        }

        if (replay)
        {
            await SendInitialAsync(initial).ConfigureAwait(false);
        }

        await FollowAsync(position).ConfigureAwait(false);
    }

    private long StartVersion()
    {
        string text = options.ResourceVersion;
        if (text.Length == 0)
        {
            return 0;
        }

        return ulong.TryParse(text, System.Globalization.NumberStyles.None, null, out ulong version)
            ? (long)Math.Min(version, long.MaxValue)
            : throw ApiError.Internal(
                $"resourceVersion: Invalid value: {MetadataRules.Quote(text)}: strconv.ParseUint: parsing {MetadataRules.Quote(text)}: invalid syntax");
    }

    private async Task SendInitialAsync(StoredObject[] initial)
    {
        foreach (StoredObject obj in initial)
        {
            if (InScope(obj) && Selected(obj))
            {
                await SendAsync(StoreEventType.Added, obj, null).ConfigureAwait(false);
            }
        }

        if (options is { SendInitialEvents: true, Bookmarks: true })
        {
            await BookmarkAsync(ends: true).ConfigureAwait(false);
        }

        await FlushAsync().ConfigureAwait(false);
    }

    private async Task FollowAsync(StoreEvent position)
    {
        StoreTable table = core.Store.Table(info.Table);
        TimeSpan limit = options.Timeout is { Ticks: > 0 } asked ? asked : TimeSpan.FromSeconds(1800 + core.RandomNumber(1800));
        DateTimeOffset end = core.Clock.GetUtcNow() + limit;
        DateTimeOffset nextBookmark = core.Clock.GetUtcNow() + BookmarkInterval;
        Fault? fault = http.Items[typeof(Fault)] as Fault;
        CancellationToken dropped = core.Chaos.WatchesDropped;
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(request.Aborted, core.Stopping, dropped);
        if (fault?.Kind == FaultKind.BlackHoleWatch)
        {
            await Task.Delay(limit, core.Clock, ended.Token).ConfigureAwait(false);
            return;
        }

        DateTimeOffset cut = fault?.Kind == FaultKind.DropWatch ? core.Clock.GetUtcNow() + fault.Delay : DateTimeOffset.MaxValue;
        while (true)
        {
            Task appended = table.Appended;
            bool sent = false;
            while (position.Next is { } next)
            {
                position = next;
                sent |= await OfferAsync(next).ConfigureAwait(false);
                if (table.Newest.Index - position.Index > core.Options.WatchWindow)
                {
                    return;
                }
            }

            if (sent)
            {
                await FlushAsync().ConfigureAwait(false);
            }

            DateTimeOffset now = core.Clock.GetUtcNow();
            if (now >= cut || dropped.IsCancellationRequested)
            {
                http.Abort();
                return;
            }

            if (now >= end || ended.IsCancellationRequested)
            {
                break;
            }

            if (options.Bookmarks && now >= nextBookmark)
            {
                nextBookmark = now + BookmarkInterval;
                lastSent = Math.Max(lastSent, position.Next is null ? core.Store.Revision : lastSent);
                await BookmarkAsync(ends: false).ConfigureAwait(false);
                await FlushAsync().ConfigureAwait(false);
            }

            DateTimeOffset wake = options.Bookmarks && nextBookmark < end ? nextBookmark : end;
            TimeSpan wait = (cut < wake ? cut : wake) - now;
            await Task.WhenAny(appended, Task.Delay(wait, core.Clock, ended.Token)).ConfigureAwait(false);
        }

        if (options.Bookmarks && !request.Aborted.IsCancellationRequested)
        {
            await BookmarkAsync(ends: false).ConfigureAwait(false);
            await FlushAsync().ConfigureAwait(false);
        }
    }

    private bool InScope(StoredObject obj) => prefix.Length == 0 || obj.Key.StartsWith(prefix, StringComparison.Ordinal);

    private bool Selected(StoredObject obj) => ObjectReader.Matches(obj, options) && ObjectReader.MatchesFields(info, obj, options);

    private async ValueTask<bool> OfferAsync(StoreEvent change)
    {
        if (!InScope(change.Object))
        {
            return false;
        }

        lastSent = Math.Max(lastSent, change.Revision);
        if (!options.Selects)
        {
            await SendAsync(change.Type, change.Object, change).ConfigureAwait(false);
            return true;
        }

        bool selected = change.Type != StoreEventType.Deleted && Selected(change.Object);
        bool was = change.Previous is { } previous && Selected(previous);
        if (!selected && !was)
        {
            return false;
        }

        if (selected)
        {
            StoreEventType type = was ? StoreEventType.Modified : StoreEventType.Added;
            await SendAsync(type, change.Object, type == change.Type ? change : null).ConfigureAwait(false);
        }
        else if (change.Type == StoreEventType.Deleted)
        {
            await SendAsync(StoreEventType.Deleted, change.Object, change).ConfigureAwait(false);
        }
        else
        {
            // It left the selection: what the watcher knew of it, at the version of the change.
            StoredObject left = StoredObject.From(change.Object.Key, change.Revision, change.Previous!.View.Clone());
            await SendAsync(StoreEventType.Deleted, left, null).ConfigureAwait(false);
        }

        return true;
    }

    private ValueTask SendAsync(StoreEventType type, StoredObject obj, StoreEvent? encoded)
    {
        if (request.Accept.As == Representation.Full && VersionConverter.IsStored(info))
        {
            return WriteAsync(encoded is not null ? encoded.PlainLine : StoreEvent.Line(type, obj.Utf8));
        }

        JsonObject form = VersionConverter.FromStorage(info, obj);
        if (request.Accept.As == Representation.Table)
        {
            form = TableRenderer.Of(core, request, [form], form.Obj("metadata").Str("resourceVersion") ?? "", null, null);
            form.Obj("metadata")!.Remove("continue");
            if (tableHeaderSent)
            {
                form["columnDefinitions"] = null;
            }

            tableHeaderSent = true;
        }
        else if (request.Accept.As is Representation.PartialObjectMetadata or Representation.PartialObjectMetadataList)
        {
            form = Responder.Partial(form);
        }

        return WriteAsync(StoreEvent.Line(type, JsonBytes.Write(form)));
    }

    private ValueTask BookmarkAsync(bool ends)
    {
        JsonObject metadata = new() { ["resourceVersion"] = lastSent.ToString() };
        if (ends)
        {
            metadata["annotations"] = new JsonObject { ["k8s.io/initial-events-end"] = "true" };
        }

        JsonObject bookmark = new() { ["kind"] = info.Kind, ["apiVersion"] = info.ApiVersion, ["metadata"] = metadata };
        foreach ((string name, JsonNode? value) in info.BookmarkFields)
        {
            bookmark[name] = value?.DeepClone();
        }

        return WriteAsync(StoreEvent.Line("BOOKMARK", JsonBytes.Write(bookmark)));
    }

    private async Task SendErrorAsync(ApiError error)
    {
        await WriteAsync(StoreEvent.Line("ERROR", JsonBytes.Write(error.ToStatus()))).ConfigureAwait(false);
        await FlushAsync().ConfigureAwait(false);
    }

    private ValueTask WriteAsync(ReadOnlySpan<byte> line)
    {
        http.Response.BodyWriter.Write(line);
        return http.Response.BodyWriter.UnflushedBytes > 64 * 1024 ? new ValueTask(FlushAsync()) : ValueTask.CompletedTask;
    }

    private async Task FlushAsync()
    {
        // A client that does not read may not hold memory forever.
        using CancellationTokenSource slow = CancellationTokenSource.CreateLinkedTokenSource(request.Aborted);
        slow.CancelAfter(FlushLimit);
        await http.Response.BodyWriter.FlushAsync(slow.Token).ConfigureAwait(false);
    }
}
