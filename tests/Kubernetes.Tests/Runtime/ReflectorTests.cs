using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;
using OptiInfra.Kubernetes.Runtime;
using static OptiInfra.Kubernetes.Tests.ScriptedServer;

namespace OptiInfra.Kubernetes.Tests.Runtime;

public sealed class ReflectorTests
{
    [Fact]
    public async Task A_410_on_the_list_is_followed_at_once_by_a_list_without_a_version()
    {
        await using var rig = await Rig.StartAsync(async (context, request, _) =>
        {
            if (request.IsWatch)
            {
                await FrameAsync(context, """{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old resource version: 5 (9)"}}""");
            }
            else
            {
                await JsonAsync(context, 200, List("5", []));
            }
        });

        await Eventually.TrueAsync(() => rig.Server.Lists.Count() >= 2);
        Assert.Equal("0", rig.Server.Lists.First()["resourceVersion"]);
        Assert.Null(rig.Server.Lists.ElementAt(1)["resourceVersion"]);
        Assert.Equal(TimeSpan.Zero, rig.Time.Elapsed); // no back-off wait was needed
    }

    [Fact]
    public async Task A_version_from_the_servers_future_leads_to_a_list_from_the_quorum()
    {
        await using var rig = await Rig.StartAsync(async (context, request, count) =>
        {
            if (request.IsWatch)
            {
                await HoldAsync(context);
            }
            else if (count == 1)
            {
                context.Response.Headers.RetryAfter = "1";
                await JsonAsync(context, 504, """{"kind":"Status","code":504,"reason":"Timeout","message":"Too large resource version: 9, current: 5","details":{"causes":[{"reason":"ResourceVersionTooLarge","message":"Too large resource version"}],"retryAfterSeconds":1}}""");
            }
            else
            {
                await JsonAsync(context, 200, List("5", []));
            }
        });

        await Eventually.TrueAsync(() => rig.Informer.HasSynced);
        Assert.Null(rig.Server.Lists.ElementAt(1)["resourceVersion"]);
        Assert.Equal(TimeSpan.Zero, rig.Time.Elapsed);
    }

    [Fact]
    public async Task Pages_that_expire_midway_lose_nothing_and_delete_nothing()
    {
        JsonObject[] all = [.. Enumerable.Range(0, 1201).Select(i => ConfigMap($"c{i}", "7"))];
        await using var rig = await Rig.StartAsync(async (context, request, _) =>
        {
            if (request.IsWatch)
            {
                await HoldAsync(context);
            }
            else if (request["continue"] == "page2")
            {
                await StatusAsync(context, 410, "Expired", "The provided continue parameter is too old");
            }
            else if (request["limit"] is not null)
            {
                await JsonAsync(context, 200, List("7", all.Take(500), "page2"));
            }
            else
            {
                await JsonAsync(context, 200, List("8", all));
            }
        });

        await Eventually.TrueAsync(() => rig.Informer.HasSynced);
        Assert.Equal(1201, rig.Informer.Store.Count);
        Assert.DoesNotContain(rig.Changes, change => change.Kind == StoreChangeKind.Deleted);
    }

    [Fact]
    public async Task A_bookmark_moves_the_version_from_which_a_dropped_watch_goes_on()
    {
        var arrived = new TaskCompletionSource();
        await using var rig = await Rig.StartAsync(async (context, request, _) =>
        {
            if (!request.IsWatch)
            {
                await JsonAsync(context, 200, List("5", [ConfigMap("a", "5")]));
            }
            else if (request["resourceVersion"] == "5")
            {
                await FrameAsync(context, Bookmark("500"));
                await arrived.Task;
                context.Abort();
            }
            else
            {
                await HoldAsync(context);
            }
        });

        await rig.Informer.WaitForVersionAsync(new ObjectKey("", "any"), "500", CancellationToken.None);
        arrived.SetResult();
        await rig.Time.PassUntilAsync(() => rig.Server.Watches.Count() >= 2);
        Assert.Equal("500", rig.Server.Watches.ElementAt(1)["resourceVersion"]);
        Assert.Equal("true", rig.Server.Watches.First()["allowWatchBookmarks"]);
        Assert.Single(rig.Server.Lists);
        Assert.Single(rig.Changes);
    }

    [Fact]
    public async Task Watches_that_end_at_once_are_asked_for_ever_more_slowly()
    {
        await using var rig = await Rig.StartAsync(async (context, request, _) =>
        {
            if (!request.IsWatch)
            {
                await JsonAsync(context, 200, List("5", []));
            }
        });

        await rig.Time.PassUntilAsync(() => rig.Server.Watches.Count() >= 8);
        // 0.8 + 1.6 + 3.2 + 6.4 + 12.8 + 25.6 + 30 seconds is the least that seven waits take.
        Assert.True(rig.Time.Elapsed >= TimeSpan.FromSeconds(80), $"eight watches within {rig.Time.Elapsed}");
    }

    [Fact]
    public async Task A_server_without_watch_list_costs_exactly_one_more_request()
    {
        await using var rig = await Rig.StartAsync(
            async (context, request, _) =>
            {
                if (request["sendInitialEvents"] is not null)
                {
                    await StatusAsync(context, 422, "Invalid", "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled");
                }
                else if (request.IsWatch)
                {
                    await HoldAsync(context);
                }
                else
                {
                    await JsonAsync(context, 200, List("5", [ConfigMap("a", "5")]));
                }
            },
            watchList: true);

        await Eventually.TrueAsync(() => rig.Informer.HasSynced && rig.Server.Requests.Count == 3);
        Assert.Equal(1, rig.Server.Requests.Count(request => request["sendInitialEvents"] == "true"));
        Assert.Single(rig.Server.Lists);
        Assert.Equal(TimeSpan.Zero, rig.Time.Elapsed);
    }

    [Fact]
    public async Task Watch_list_brings_the_first_objects_and_goes_on_in_the_same_stream()
    {
        var more = new TaskCompletionSource();
        await using var rig = await Rig.StartAsync(
            async (context, _, _) =>
            {
                await FrameAsync(context, Frame("ADDED", ConfigMap("a", "3")));
                await FrameAsync(context, Frame("ADDED", ConfigMap("b", "4")));
                await FrameAsync(context, Bookmark("7", endsInitial: true));
                await more.Task;
                await FrameAsync(context, Frame("DELETED", ConfigMap("a", "8")));
                await HoldAsync(context);
            },
            watchList: true);

        await Eventually.TrueAsync(() => rig.Informer.HasSynced);
        Assert.Equal(2, rig.Informer.Store.Count);
        more.SetResult();
        await Eventually.TrueAsync(() => rig.Informer.Store.Count == 1);
        SeenRequest only = Assert.Single(rig.Server.Requests);
        Assert.Equal("NotOlderThan", only["resourceVersionMatch"]);
    }

    [Fact]
    public async Task A_server_that_never_ends_the_initial_events_is_listed_after_half_a_minute()
    {
        await using var rig = await Rig.StartAsync(
            async (context, request, _) =>
            {
                if (!request.IsWatch)
                {
                    await JsonAsync(context, 200, List("5", [ConfigMap("a", "5")]));
                    return;
                }

                await FrameAsync(context, Frame("ADDED", ConfigMap("a", "5")));
                await HoldAsync(context);
            },
            watchList: true);

        await rig.Time.PassUntilAsync(() => rig.Informer.HasSynced, TimeSpan.FromSeconds(1));
        Assert.InRange(rig.Time.Elapsed.TotalSeconds, 30, 60);
        Assert.Single(rig.Server.Lists);
    }

    [Theory]
    [InlineData("this is not JSON")]
    [InlineData("{\"type\":\"ADDED\",\"object\":")]
    [InlineData("{\"type\":\"SURPRISE\",\"object\":{}}")]
    [InlineData("[1,2]")]
    [InlineData("{\"type\":\"ADDED\",\"object\":{\"kind\":\"ConfigMap\",\"metadata\":{\"name\":7}}}")]
    [InlineData("{\"type\":\"ADDED\",\"object\":{\"kind\":\"ConfigMap\",\"metadata\":{}}}")]
    public async Task A_frame_that_cannot_be_read_is_counted_and_the_cache_still_converges(string garbage)
    {
        await using var rig = await Rig.StartAsync(async (context, request, _) =>
        {
            if (!request.IsWatch)
            {
                bool again = request["resourceVersion"] != "0";
                await JsonAsync(context, 200, List(again ? "9" : "5", again ? [ConfigMap("late", "8")] : []));
            }
            else if (request["resourceVersion"] == "5")
            {
                await FrameAsync(context, garbage);
            }
            else
            {
                await HoldAsync(context);
            }
        });

        await rig.Time.PassUntilAsync(() => rig.Informer.Store.Count == 1);
        Assert.Equal(1, rig.Metrics.WatchRejects.WithLabels("configmaps").Value);
    }

    [Fact]
    public async Task A_frame_of_another_kind_is_counted_and_skipped()
    {
        await using var rig = await Rig.StartAsync(async (context, request, _) =>
        {
            if (!request.IsWatch)
            {
                await JsonAsync(context, 200, List("5", []));
                return;
            }

            await FrameAsync(context, """{"type":"ADDED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"p","resourceVersion":"6"}}}""");
            await FrameAsync(context, Frame("ADDED", ConfigMap("a", "7")));
            await HoldAsync(context);
        });

        await Eventually.TrueAsync(() => rig.Informer.Store.Count == 1);
        Assert.NotNull(rig.Informer.Store.Get(new ObjectKey("default", "a")));
        Assert.Equal(1, rig.Metrics.WatchRejects.WithLabels("configmaps").Value);
        Assert.Single(rig.Server.Watches);
    }

    [Theory]
    [InlineData(429, "TooManyRequests")]
    [InlineData(500, "InternalError")]
    public async Task An_overloaded_server_is_asked_to_watch_again_from_the_same_version(int code, string reason)
    {
        await using var rig = await Rig.StartAsync(async (context, request, _) =>
        {
            if (!request.IsWatch)
            {
                await JsonAsync(context, 200, List("5", []));
            }
            else
            {
                await StatusAsync(context, code, reason);
            }
        });

        await rig.Time.PassUntilAsync(() => rig.Server.Watches.Count() >= 3);
        Assert.All(rig.Server.Watches, watch => Assert.Equal("5", watch["resourceVersion"]));
        Assert.Single(rig.Server.Lists);
    }

    [Fact]
    public async Task A_refused_watch_leads_to_a_new_list()
    {
        await using var rig = await Rig.StartAsync(async (context, request, _) =>
        {
            if (!request.IsWatch)
            {
                await JsonAsync(context, 200, List("5", []));
            }
            else
            {
                await StatusAsync(context, 403, "Forbidden");
            }
        });

        await rig.Time.PassUntilAsync(() => rig.Server.Lists.Count() >= 2);
        Assert.Equal("5", rig.Server.Lists.ElementAt(1)["resourceVersion"]);
    }

    [Fact]
    public async Task A_server_whose_versions_are_no_numbers_is_followed_all_the_same()
    {
        await using var rig = await Rig.StartAsync(async (context, request, _) =>
        {
            if (!request.IsWatch)
            {
                await JsonAsync(context, 200, List("abc-1", [ConfigMap("a", "abc-1")]));
            }
            else if (request["resourceVersion"] == "abc-1")
            {
                await FrameAsync(context, Frame("MODIFIED", ConfigMap("a", "xyz")));
            }
            else
            {
                await HoldAsync(context);
            }
        });

        await rig.Time.PassUntilAsync(() => rig.Server.Watches.Count() >= 2);
        Assert.Equal("xyz", rig.Server.Watches.ElementAt(1)["resourceVersion"]);
        Assert.Equal("xyz", rig.Informer.Store.List().Single().Metadata.ResourceVersion);
    }

    [Fact]
    public async Task A_watch_asks_for_five_to_ten_minutes_and_is_given_up_soon_after()
    {
        await using var rig = await Rig.StartAsync(async (context, request, _) =>
        {
            if (!request.IsWatch)
            {
                await JsonAsync(context, 200, List("5", []));
            }
            else
            {
                await HoldAsync(context); // a server that never ends a watch, or a connection that died silently
            }
        });

        await Eventually.TrueAsync(() => rig.Server.Watches.Any());
        int asked = int.Parse(rig.Server.Watches.First()["timeoutSeconds"]!, System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(asked, 300, 599);
        await rig.Time.PassUntilAsync(() => rig.Server.Watches.Count() >= 2, TimeSpan.FromSeconds(5));
        Assert.InRange(rig.Time.Elapsed.TotalSeconds, asked, asked + 120);
        Assert.Single(rig.Server.Lists);
    }

    [Fact]
    public async Task A_watch_whose_bookmarks_stop_coming_is_taken_for_dead()
    {
        var bookmarks = new SemaphoreSlim(0);
        await using var rig = await Rig.StartAsync(async (context, request, _) =>
        {
            if (!request.IsWatch)
            {
                await JsonAsync(context, 200, List("5", []));
                return;
            }

            for (int i = 6; i < 9; i++)
            {
                await bookmarks.WaitAsync(context.RequestAborted);
                await FrameAsync(context, Bookmark(i.ToString(System.Globalization.CultureInfo.InvariantCulture)));
            }

            await HoldAsync(context);
        });

        await Eventually.TrueAsync(() => rig.Server.Watches.Any());
        for (int i = 6; i < 9; i++)
        {
            rig.Time.Advance(TimeSpan.FromSeconds(20));
            bookmarks.Release();
            string version = i.ToString(System.Globalization.CultureInfo.InvariantCulture);
            await Eventually.TrueAsync(() => rig.Informer.WaitForVersionAsync(new ObjectKey("", "none"), version, CancellationToken.None).IsCompleted);
        }

        await rig.Time.PassUntilAsync(() => rig.Server.Watches.Count() >= 2, TimeSpan.FromSeconds(1));
        Assert.InRange(rig.Time.Elapsed.TotalSeconds, 100, 180); // 60 s of bookmarks, 60 s of silence, a short wait; far from the deadline
        Assert.Equal("8", rig.Server.Watches.ElementAt(1)["resourceVersion"]);
    }

    [Fact]
    public async Task An_object_deleted_while_disconnected_is_reported_deleted_exactly_once()
    {
        await using var rig = await Rig.StartAsync(async (context, request, _) =>
        {
            if (!request.IsWatch)
            {
                bool first = request["resourceVersion"] == "0";
                await JsonAsync(context, 200, first
                    ? List("5", [ConfigMap("kept", "3"), ConfigMap("gone", "4"), ConfigMap("reborn", "5", "uid-1")])
                    : List("9", [ConfigMap("kept", "3"), ConfigMap("reborn", "8", "uid-2")]));
            }
            else if (request["resourceVersion"] == "5")
            {
                await StatusAsync(context, 410, "Expired");
            }
            else
            {
                await HoldAsync(context);
            }
        });

        await Eventually.TrueAsync(() => rig.Changes.Count >= 6);
        StoreChange<ConfigMap> gone = Assert.Single(rig.Changes, change => change.Key.Name == "gone" && change.Kind == StoreChangeKind.Deleted);
        Assert.True(gone.IsTombstone);
        Assert.Equal("4", gone.Old!.Metadata.ResourceVersion);
        string[] reborn = [.. rig.Changes.Where(change => change.Key.Name == "reborn").Select(change => $"{change.Kind} {change.Latest.Metadata.Uid}")];
        Assert.Equal(["Added uid-1", "Deleted uid-1", "Added uid-2"], reborn);
        Assert.Single(rig.Changes, change => change.Key.Name == "kept");
    }
}

/// <summary>An informer of ConfigMaps against a scripted server, on virtual time.</summary>
internal sealed class Rig : IAsyncDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly KubeClient client;
    private readonly List<StoreChange<ConfigMap>> changes = [];

    private Rig(ScriptedServer server, VirtualTime time, bool watchList)
    {
        Server = server;
        Time = time;
        Metrics = new KubeMetrics(new OptiInfra.Metrics.MetricRegistry());
        client = new KubeClient(server.Config, new KubeClientOptions { Time = time, Metrics = Metrics, RequestTimeout = TimeSpan.FromHours(1) });
        Informer = new Informer<ConfigMap>(client, KubeTypes.ConfigMaps, new InformerOptions<ConfigMap> { UseWatchList = watchList, Random = new Random(7) });
        Informer.AddHandler(change =>
        {
            lock (changes)
            {
                changes.Add(change);
            }
        });
        Running = Informer.RunAsync(stop.Token);
    }

    public ScriptedServer Server { get; }

    public Task Running { get; }

    public VirtualTime Time { get; }

    public KubeMetrics Metrics { get; }

    public Informer<ConfigMap> Informer { get; }

    public IReadOnlyList<StoreChange<ConfigMap>> Changes
    {
        get
        {
            lock (changes)
            {
                return [.. changes];
            }
        }
    }

    public static async Task<Rig> StartAsync(Func<HttpContext, SeenRequest, int, Task> script, bool watchList = false)
    {
        int count = 0;
        ScriptedServer server = await ScriptedServer.StartAsync((context, request) => script(context, request, Interlocked.Increment(ref count)));
        return new Rig(server, new VirtualTime(), watchList);
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await Running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        client.Dispose();
        await Server.DisposeAsync();
        stop.Dispose();
    }
}
