using System.Collections.Concurrent;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;
using OptiInfra.Kubernetes.Runtime;
using static OptiInfra.Kubernetes.Tests.ScriptedServer;

namespace OptiInfra.Kubernetes.Tests.Runtime;

public sealed class InformerTests
{
    [Fact]
    public async Task A_slow_handler_does_not_hold_up_another()
    {
        var release = new SemaphoreSlim(0);
        await using var rig = await Rig.StartAsync(async (context, request, _) =>
        {
            if (!request.IsWatch)
            {
                await JsonAsync(context, 200, List("5", [ConfigMap("a", "1")]));
                return;
            }

            for (int i = 6; i < 106; i++)
            {
                await FrameAsync(context, Frame("MODIFIED", ConfigMap("a", $"{i}")));
            }

            await HoldAsync(context);
        });
        using Subscription<ConfigMap> slow = rig.Informer.AddHandler(async (_, stop) => await release.WaitAsync(stop));
        await Eventually.TrueAsync(() => rig.Changes.Count == 101);
        Assert.True(slow.Backlog >= 99, $"{slow.Backlog} changes wait");
        Assert.Equal(Enumerable.Range(6, 100).Select(i => $"{i}"), rig.Changes.Skip(1).Select(change => change.Current!.Metadata.ResourceVersion));
        release.Release(200);
        await Eventually.TrueAsync(() => slow.Backlog == 0);
    }

    [Fact]
    public async Task A_late_handler_is_shown_what_is_there_and_then_what_comes()
    {
        var more = new TaskCompletionSource();
        await using var rig = await Rig.StartAsync(async (context, request, _) =>
        {
            if (!request.IsWatch)
            {
                await JsonAsync(context, 200, List("5", [ConfigMap("a", "1"), ConfigMap("b", "2")]));
                return;
            }

            await more.Task;
            await FrameAsync(context, Frame("ADDED", ConfigMap("c", "6")));
            await HoldAsync(context);
        });
        await rig.Informer.WaitForSyncAsync(CancellationToken.None);
        var seen = new ConcurrentQueue<StoreChange<ConfigMap>>();
        using Subscription<ConfigMap> late = rig.Informer.AddHandler(seen.Enqueue);
        await late.Synced;
        Assert.Equal(["a", "b"], seen.Select(change => change.Key.Name).Order());
        Assert.All(seen, change => Assert.True(change.IsInitial));
        more.SetResult();
        await Eventually.TrueAsync(() => seen.Count == 3);
        Assert.False(seen.Last().IsInitial);
    }

    [Fact]
    public async Task A_resync_shows_everything_again_without_one_request()
    {
        var time = new VirtualTime();
        await using ScriptedServer server = await ScriptedServer.StartAsync(async (context, request) =>
        {
            if (request.IsWatch)
            {
                await HoldAsync(context);
            }
            else
            {
                await JsonAsync(context, 200, List("5", [ConfigMap("a", "1"), ConfigMap("b", "2")]));
            }
        });
        using var client = new KubeClient(server.Config, new KubeClientOptions { Time = time });
        await using var cache = new Cache<ConfigMap>(client, KubeTypes.ConfigMaps, new InformerOptions<ConfigMap> { UseWatchList = false, Resync = TimeSpan.FromSeconds(60) });
        await Eventually.TrueAsync(() => server.Requests.Count == 2 && cache.Changes.Count == 2);
        time.Advance(TimeSpan.FromSeconds(53));
        Assert.DoesNotContain(cache.Changes, change => change.Kind == StoreChangeKind.Resync);
        time.Advance(TimeSpan.FromSeconds(14));
        await Eventually.TrueAsync(() => cache.Changes.Count(change => change.Kind == StoreChangeKind.Resync) == 2);
        Assert.Equal(2, server.Requests.Count);
    }

    [Fact]
    public async Task What_a_transform_drops_is_not_kept()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(async (context, request) =>
        {
            if (!request.IsWatch)
            {
                await JsonAsync(context, 200, List("5", [ConfigMap("a", "1")]));
                return;
            }

            await FrameAsync(context, Frame("ADDED", ConfigMap("b", "6")));
            await HoldAsync(context);
        });
        using var client = new KubeClient(server.Config);
        var options = new InformerOptions<ConfigMap> { UseWatchList = false, Transform = item => item with { Data = null } };
        await using var cache = new Cache<ConfigMap>(client, KubeTypes.ConfigMaps, options);
        await Eventually.TrueAsync(() => cache.Store.Count == 2);
        Assert.All(cache.Store.List(), item => Assert.Null(item.Data));
    }

    [Fact]
    public async Task Several_may_run_one_informer_and_it_ends_with_the_last()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(async (context, request) =>
        {
            if (request.IsWatch)
            {
                await HoldAsync(context);
            }
            else
            {
                await JsonAsync(context, 200, List("5", []));
            }
        });
        using var client = new KubeClient(server.Config);
        var informer = new Informer<ConfigMap>(client, KubeTypes.ConfigMaps, new InformerOptions<ConfigMap> { UseWatchList = false });
        using var one = new CancellationTokenSource();
        using var two = new CancellationTokenSource();
        Task first = informer.RunAsync(one.Token);
        Task second = informer.RunAsync(two.Token);
        await Eventually.TrueAsync(() => server.Requests.Count == 2);
        await one.CancelAsync();
        await first;
        Assert.False(second.IsCompleted);
        Assert.Equal(2, server.Requests.Count);
        await two.CancelAsync();
        await second;
    }

    [Fact]
    public async Task A_handler_that_throws_ends_the_informer_with_that_exception()
    {
        await using var rig = await Rig.StartAsync(async (context, request, _) =>
        {
            if (request.IsWatch)
            {
                await HoldAsync(context);
            }
            else
            {
                await JsonAsync(context, 200, List("5", [ConfigMap("a", "1")]));
            }
        });
        using Subscription<ConfigMap> broken = rig.Informer.AddHandler(_ => throw new InvalidOperationException("bug"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => broken.Completion);
        await Assert.ThrowsAsync<InvalidOperationException>(() => rig.Running);
    }

    [Fact]
    public void Cached_objects_cannot_be_changed()
    {
        // Records with init-only properties over read-only collections: the only way to another state is another object.
        foreach (Type type in typeof(IKubeObject).Assembly.GetTypes().Where(type => type.IsAssignableTo(typeof(IKubeObject)) && !type.IsInterface))
        {
            foreach (System.Reflection.PropertyInfo property in type.GetProperties().Where(property => property.SetMethod is not null))
            {
                bool initOnly = property.SetMethod!.ReturnParameter.GetRequiredCustomModifiers().Any(modifier => modifier.Name == "IsExternalInit");
                Assert.True(initOnly, $"{type.Name}.{property.Name} can be set");
            }
        }
    }
}
