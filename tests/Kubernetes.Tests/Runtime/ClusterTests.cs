using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;
using OptiInfra.Kubernetes.Runtime;

namespace OptiInfra.Kubernetes.Tests.Runtime;

/// <summary>One cluster for the whole class: starting a real one takes seconds.</summary>
public sealed class SharedCluster : IAsyncLifetime
{
    public ClusterUnderTest Cluster { get; private set; } = null!;

    public KubeClient Client { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Cluster = await ClusterUnderTest.StartAsync();
        Client = Cluster.Client();
        await Widget.InstallAsync(Client);
    }

    public async Task DisposeAsync()
    {
        Client.Dispose();
        await Cluster.DisposeAsync();
    }
}

/// <summary>What client and runtime do with a server that means it: the embedded one, or a real one, without a changed line.</summary>
public sealed class ClusterTests(SharedCluster shared) : IClassFixture<SharedCluster>
{
    // Clusters put ConfigMaps of their own into every namespace.
    private const string Ours = "of=test";

    private static readonly ResourceKind ConfigMaps = KubeTypes.ConfigMaps.Kind;

    private readonly KubeClient client = shared.Client;

    private static JsonObject ConfigMap(string ns, string name, params (string Key, string Value)[] data) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "ConfigMap",
        ["metadata"] = new JsonObject { ["namespace"] = ns, ["name"] = name, ["labels"] = new JsonObject { ["of"] = "test" } },
        ["data"] = new JsonObject([.. data.Select(pair => KeyValuePair.Create<string, JsonNode?>(pair.Key, pair.Value))]),
    };

    private Task<string> NamespaceAsync(string prefix) => ClusterUnderTest.CreateNamespaceAsync(client, prefix);

    [Fact]
    public async Task Objects_are_created_read_replaced_patched_and_deleted()
    {
        string ns = await NamespaceAsync("crud");
        var key = new ObjectKey(ns, "a");
        JsonObject created = await client.CreateAsync(ConfigMaps, ConfigMap(ns, "a", ("k", "1")), default);
        Assert.True((await Assert.ThrowsAsync<KubeApiException>(() => client.CreateAsync(ConfigMaps, ConfigMap(ns, "a"), default))).IsAlreadyExists);

        created["data"]!["k"] = "2";
        JsonObject replaced = await client.ReplaceAsync(ConfigMaps, created, default);
        Assert.True((await Assert.ThrowsAsync<KubeApiException>(() => client.ReplaceAsync(ConfigMaps, created, default))).IsConflict);
        Assert.NotEqual(created["metadata"]!["resourceVersion"]!.ToString(), replaced["metadata"]!["resourceVersion"]!.ToString());

        await client.PatchAsync(ConfigMaps, key, KubePatch.Merge(new JsonObject { ["data"] = new JsonObject { ["m"] = "3" } }), default);
        var operations = new JsonArray { new JsonObject { ["op"] = "test", ["path"] = "/data/m", ["value"] = "3" }, new JsonObject { ["op"] = "remove", ["path"] = "/data/k" } };
        await client.PatchAsync(ConfigMaps, key, KubePatch.Json(operations), default);
        ConfigMap read = await client.GetAsync(KubeTypes.ConfigMaps, key, default);
        Assert.Equal(new Dictionary<string, string> { ["m"] = "3" }, read.Data);

        Assert.True(await client.DeleteAsync(ConfigMaps, key, null, default));
        Assert.False(await client.DeleteAsync(ConfigMaps, key, null, default));
        Assert.Null(await client.FindAsync(KubeTypes.ConfigMaps, key, default));
    }

    [Fact]
    public async Task A_delete_with_another_uid_deletes_nothing()
    {
        string ns = await NamespaceAsync("uid");
        await client.CreateAsync(ConfigMaps, ConfigMap(ns, "a"), default);
        var wrong = new DeleteOptions { Uid = "00000000-0000-0000-0000-000000000000" };
        Assert.True((await Assert.ThrowsAsync<KubeApiException>(() => client.DeleteAsync(ConfigMaps, new ObjectKey(ns, "a"), wrong, default))).IsConflict);
        Assert.NotNull(await client.FindAsync(KubeTypes.ConfigMaps, new ObjectKey(ns, "a"), default));
    }

    [Fact]
    public async Task Lists_come_whole_from_any_number_of_pages()
    {
        string ns = await NamespaceAsync("pages");
        await Task.WhenAll(Enumerable.Range(0, 57).Select(i => client.CreateAsync(ConfigMaps, ConfigMap(ns, $"c{i}"), default)));
        var byTen = new ListOptions { Limit = 10, LabelSelector = Ours };
        KubeList<ConfigMap> list = await client.ListAsync(KubeTypes.ConfigMaps, ns, byTen, default);
        Assert.Equal(57, list.Items.Select(item => item.Metadata.Name).Distinct().Count());
        Assert.NotEmpty(list.ResourceVersion);
        Assert.NotNull((await client.ListPageAsync(KubeTypes.ConfigMaps, ns, byTen, default)).Continue);
    }

    [Fact]
    public async Task Two_managers_of_one_field_conflict_and_force_takes_it_without_touching_the_rest()
    {
        string ns = await NamespaceAsync("apply");
        JsonObject first = Widget.Manifest(ns, "w", 1);
        first["spec"]!["color"] = "red";
        await client.ApplyAsync(Widget.Type.Kind, first, "one", force: false, default);
        KubeApiException e = await Assert.ThrowsAsync<KubeApiException>(() => client.ApplyAsync(Widget.Type.Kind, Widget.Manifest(ns, "w", 2), "two", force: false, default));
        Assert.True(e.IsConflict);
        KubeStatusCause cause = Assert.Single(e.Causes);
        Assert.Equal(("FieldManagerConflict", ".spec.size"), (cause.Reason, cause.Field));

        await client.ApplyAsync(Widget.Type.Kind, Widget.Manifest(ns, "w", 2), "two", force: true, default);
        Widget widget = await client.GetAsync(Widget.Type, new ObjectKey(ns, "w"), default);
        Assert.Equal(new WidgetSpec(2, "red"), widget.Spec);

        // The first manager gives up its other field by leaving it out.
        await client.ApplyAsync(Widget.Type.Kind, Widget.Manifest(ns, "w", 2), "one", force: false, default);
        Assert.Null((await client.GetAsync(Widget.Type, new ObjectKey(ns, "w"), default)).Spec!.Color);
    }

    [Fact]
    public async Task Applying_the_same_again_writes_nothing()
    {
        string ns = await NamespaceAsync("noop");
        JsonObject one = await client.ApplyAsync(ConfigMaps, ConfigMap(ns, "a", ("k", "1")), "me", force: true, default);
        JsonObject two = await client.ApplyAsync(ConfigMaps, ConfigMap(ns, "a", ("k", "1")), "me", force: true, default);
        Assert.Equal(one["metadata"]!["resourceVersion"]!.ToString(), two["metadata"]!["resourceVersion"]!.ToString());
    }

    [Fact]
    public async Task Status_is_applied_beside_the_spec()
    {
        string ns = await NamespaceAsync("status");
        await client.ApplyAsync(Widget.Type.Kind, Widget.Manifest(ns, "w", 1), "me", force: true, default);
        await client.ApplyStatusAsync(Widget.Type.Kind, Widget.StatusManifest(ns, "w", "Ready"), "me", force: true, default);
        Widget widget = await client.GetAsync(Widget.Type, new ObjectKey(ns, "w"), default);
        Assert.Equal((1, "Ready", 1L), (widget.Spec!.Size, widget.Status!.Phase, widget.Metadata.Generation));
    }

    [Fact]
    public async Task A_dry_run_changes_nothing()
    {
        string ns = await NamespaceAsync("dry");
        await client.CreateAsync(ConfigMaps, ConfigMap(ns, "a"), new WriteOptions { DryRun = true }, default);
        Assert.Null(await client.FindAsync(KubeTypes.ConfigMaps, new ObjectKey(ns, "a"), default));
    }

    [Fact]
    public async Task Strict_validation_names_the_unknown_field()
    {
        string ns = await NamespaceAsync("strict");
        JsonObject manifest = Widget.Manifest(ns, "w", 1);
        manifest["spec"]!["sise"] = 1;
        KubeApiException e = await Assert.ThrowsAsync<KubeApiException>(() => client.CreateAsync(Widget.Type.Kind, manifest, new WriteOptions { FieldValidation = "Strict" }, default));
        Assert.Contains("spec.sise", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_informer_follows_what_happens(bool watchList)
    {
        string ns = await NamespaceAsync("informer");
        await client.CreateAsync(Widget.Type.Kind, Widget.Manifest(ns, "before", 1), default);
        await using var cache = new Cache<Widget>(client, Widget.Type, new InformerOptions<Widget> { Namespaces = [ns], UseWatchList = watchList });
        await cache.Informer.WaitForSyncAsync(default);
        Assert.Equal(1, cache.Store.Get(new ObjectKey(ns, "before"))!.Spec!.Size);
        await client.CreateAsync(Widget.Type.Kind, Widget.Manifest(ns, "after", 2), default);
        await client.PatchAsync(Widget.Type.Kind, new ObjectKey(ns, "before"), KubePatch.Merge(new JsonObject { ["spec"] = new JsonObject { ["size"] = 7 } }), default);
        await client.DeleteAsync(Widget.Type.Kind, new ObjectKey(ns, "after"), null, default);
        await Eventually.TrueAsync(() => cache.Changes.Count >= 4);
        Assert.Equal(
            ["Added after", "Added before", "Deleted after", "Updated before"],
            cache.Changes.Select(change => $"{change.Kind} {change.Key.Name}").Order());
        Assert.Equal(7, Assert.Single(cache.Store.List()).Spec!.Size);
    }

    [Fact]
    public async Task Nothing_is_lost_while_the_connection_is_gone()
    {
        string ns = await NamespaceAsync("cut");
        await using TunnelProxy proxy = TunnelProxy.Start(shared.Cluster.Config.Server);
        using var through = new KubeClient(shared.Cluster.Config with { ProxyUrl = proxy.Address });
        foreach (string name in (string[])["kept", "gone", "reborn"])
        {
            await client.CreateAsync(ConfigMaps, ConfigMap(ns, name), default);
        }

        var options = new InformerOptions<ConfigMap> { Namespaces = [ns], LabelSelector = Ours };
        await using var cache = new Cache<ConfigMap>(through, KubeTypes.ConfigMaps, options);
        await cache.Informer.WaitForSyncAsync(default);
        proxy.Refuses = true;
        proxy.CutPresentConnections();
        await client.DeleteAsync(ConfigMaps, new ObjectKey(ns, "gone"), null, default);
        await client.DeleteAsync(ConfigMaps, new ObjectKey(ns, "reborn"), null, default);
        await client.CreateAsync(ConfigMaps, ConfigMap(ns, "reborn"), default);
        await client.CreateAsync(ConfigMaps, ConfigMap(ns, "new"), default);
        proxy.Refuses = false;
        await Eventually.TrueAsync(() => cache.Changes.Count >= 7, "the missed changes");
        Assert.Equal(
            ["Added gone", "Added kept", "Added new", "Added reborn", "Added reborn", "Deleted gone", "Deleted reborn"],
            cache.Changes.Select(change => $"{change.Kind} {change.Key.Name}").Order());
        Assert.Equal(["kept", "new", "reborn"], cache.Store.List().Select(item => item.Metadata.Name!).Order());
    }

    [Fact]
    public async Task An_object_that_leaves_the_selector_leaves_that_cache_alone()
    {
        string ns = await NamespaceAsync("labels");
        JsonObject labelled = ConfigMap(ns, "a");
        labelled["metadata"]!["labels"] = new JsonObject { ["team"] = "red" };
        await client.CreateAsync(ConfigMaps, labelled, default);
        await using var red = new Cache<ConfigMap>(client, KubeTypes.ConfigMaps, new InformerOptions<ConfigMap> { Namespaces = [ns], LabelSelector = "team=red" });
        await using var all = new Cache<ConfigMap>(client, KubeTypes.ConfigMaps, new InformerOptions<ConfigMap> { Namespaces = [ns], FieldSelector = "metadata.name=a" });
        await red.Informer.WaitForSyncAsync(default);
        await all.Informer.WaitForSyncAsync(default);
        await client.PatchAsync(ConfigMaps, new ObjectKey(ns, "a"), KubePatch.Merge(new JsonObject { ["metadata"] = new JsonObject { ["labels"] = new JsonObject { ["team"] = "blue" } } }), default);
        await Eventually.TrueAsync(() => red.Changes.Count == 2 && all.Changes.Count == 2);
        Assert.Equal(StoreChangeKind.Deleted, red.Changes[1].Kind);
        Assert.Equal(StoreChangeKind.Updated, all.Changes[1].Kind);
        Assert.Equal(0, red.Store.Count);
    }

    [Fact]
    public async Task Metadata_only_caches_follow_without_the_data()
    {
        string ns = await NamespaceAsync("meta");
        await using var cache = new Cache<PartialObject>(client, PartialObject.Type(KubeTypes.Secrets.Kind), new InformerOptions<PartialObject> { Namespaces = [ns] });
        await cache.Informer.WaitForSyncAsync(default);
        var secret = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Secret",
            ["metadata"] = new JsonObject { ["namespace"] = ns, ["name"] = "s", ["labels"] = new JsonObject { ["a"] = "b" } },
            ["stringData"] = new JsonObject { ["password"] = "hunter2" },
        };
        await client.CreateAsync(KubeTypes.Secrets.Kind, secret, default);
        await Eventually.TrueAsync(() => cache.Store.Count == 1);
        PartialObject seen = cache.Store.List().Single();
        Assert.Equal(("PartialObjectMetadata", "b"), (seen.Kind, seen.Metadata.Labels!["a"]));
    }

    [Fact]
    public async Task A_cache_of_some_namespaces_holds_those_and_no_others()
    {
        string one = await NamespaceAsync("one");
        string two = await NamespaceAsync("two");
        string other = await NamespaceAsync("other");
        foreach (string ns in (string[])[one, two, other])
        {
            await client.CreateAsync(Widget.Type.Kind, Widget.Manifest(ns, "w", 1), default);
        }

        await using var cache = new Cache<Widget>(client, Widget.Type, new InformerOptions<Widget> { Namespaces = [one, two] });
        await cache.Informer.WaitForSyncAsync(default);
        Assert.Equal(new[] { one, two }.Order(), cache.Store.List().Select(item => item.Metadata.Namespace).Order());
        Assert.Single(cache.Store.List(one));
    }

    [Fact]
    public async Task Our_own_status_write_wakes_us_without_a_generation_predicate_and_not_with_one()
    {
        string ns = await NamespaceAsync("wake");
        await client.CreateAsync(Widget.Type.Kind, Widget.Manifest(ns, "w", 1), default);
        var with = new ConcurrentQueue<ObjectKey>();
        var without = new ConcurrentQueue<ObjectKey>();
        await using var cache = new Cache<Widget>(client, Widget.Type, new InformerOptions<Widget> { Namespaces = [ns] });
        using Controller<Widget> filtered = Counting("filtered", cache.Informer, with).Where(Predicates.GenerationChanged);
        using Controller<Widget> plain = Counting("plain", cache.Informer, without);
        using var stop = new CancellationTokenSource();
        Task running = Task.WhenAll(filtered.RunAsync(stop.Token), plain.RunAsync(stop.Token));
        await Eventually.TrueAsync(() => with.Count == 1 && without.Count == 1);
        JsonObject written = await client.ApplyStatusAsync(Widget.Type.Kind, Widget.StatusManifest(ns, "w", "Busy"), "me", force: true, default);
        await Eventually.TrueAsync(() => without.Count == 2);
        await cache.Informer.WaitForVersionAsync(new ObjectKey(ns, "w"), written["metadata"]!["resourceVersion"]!.ToString(), default);
        Assert.Single(with);
        await client.PatchAsync(Widget.Type.Kind, new ObjectKey(ns, "w"), KubePatch.Merge(new JsonObject { ["spec"] = new JsonObject { ["size"] = 9 } }), default);
        await Eventually.TrueAsync(() => with.Count == 2);
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task A_changed_child_leads_to_its_controller_and_a_deleted_parent_takes_it_along()
    {
        string ns = await NamespaceAsync("owner");
        await client.CreateAsync(Widget.Type.Kind, Widget.Manifest(ns, "parent", 1), default);
        Widget parent = await client.GetAsync(Widget.Type, new ObjectKey(ns, "parent"), default);
        var seen = new ConcurrentQueue<ObjectKey>();
        await using var widgets = new Cache<Widget>(client, Widget.Type, new InformerOptions<Widget> { Namespaces = [ns] });
        await using var children = new Cache<ConfigMap>(client, KubeTypes.ConfigMaps, new InformerOptions<ConfigMap> { Namespaces = [ns] });
        using Controller<Widget> controller = Counting("owner", widgets.Informer, seen).Owns(children.Informer);
        using var stop = new CancellationTokenSource();
        Task running = controller.RunAsync(stop.Token);
        await Eventually.TrueAsync(() => seen.Count == 1);

        JsonObject child = ConfigMap(ns, "child");
        OwnerReferences.SetController(child, Widget.Type.Kind, parent.Metadata);
        await client.CreateAsync(ConfigMaps, child, default);
        await Eventually.TrueAsync(() => seen.Count == 2);
        Assert.All(seen, key => Assert.Equal(new ObjectKey(ns, "parent"), key));

        await client.DeleteAsync(Widget.Type.Kind, new ObjectKey(ns, "parent"), null, default);
        if (shared.Cluster.HasControllers)
        {
            await Eventually.TrueAsync(() => children.Store.Get(new ObjectKey(ns, "child")) is null, "garbage collection");
        }

        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task A_child_created_is_seen_before_the_next_look_and_not_created_twice()
    {
        string ns = await NamespaceAsync("ryw");
        await client.CreateAsync(Widget.Type.Kind, Widget.Manifest(ns, "w", 1), default);
        await using var widgets = new Cache<Widget>(client, Widget.Type, new InformerOptions<Widget> { Namespaces = [ns] });
        await using var children = new Cache<ConfigMap>(client, KubeTypes.ConfigMaps, new InformerOptions<ConfigMap> { Namespaces = [ns], LabelSelector = "child=yes" });
        int runs = 0;
        using var controller = new Controller<Widget>("creator", widgets.Informer, async (key, cancellationToken) =>
        {
            if (children.Store.Count == 0)
            {
                JsonObject child = ConfigMap(ns, "x");
                child["metadata"] = new JsonObject { ["namespace"] = ns, ["generateName"] = "child-", ["labels"] = new JsonObject { ["child"] = "yes" } };
                JsonObject created = await client.CreateAsync(ConfigMaps, child, cancellationToken);
                var at = new ObjectKey(ns, created["metadata"]!["name"]!.ToString());
                await children.Informer.WaitForVersionAsync(at, created["metadata"]!["resourceVersion"]!.ToString(), cancellationToken);
            }

            return Interlocked.Increment(ref runs) < 10 ? ReconcileResult.RequeueAfter(TimeSpan.FromTicks(1)) : ReconcileResult.Done;
        }).Owns(children.Informer);
        using var stop = new CancellationTokenSource();
        Task running = controller.RunAsync(stop.Token);
        await Eventually.TrueAsync(() => Volatile.Read(ref runs) >= 10);
        Assert.Single((await client.ListAsync(KubeTypes.ConfigMaps, ns, new ListOptions { LabelSelector = "child=yes" }, default)).Items);
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task A_finalizer_holds_an_object_until_it_is_removed()
    {
        string ns = await NamespaceAsync("final");
        const string finalizer = "tests.optiinfra.io/cleanup";
        var key = new ObjectKey(ns, "w");
        await client.CreateAsync(Widget.Type.Kind, Widget.Manifest(ns, "w", 1), default);
        Assert.True(await Finalizers.AddAsync(client, Widget.Type.Kind, await client.GetAsync(Widget.Type, key, default), finalizer, default));
        await client.DeleteAsync(Widget.Type.Kind, key, null, default);
        Widget leaving = await client.GetAsync(Widget.Type, key, default);
        Assert.True(leaving.Metadata.IsDeleting);
        Assert.False(await Finalizers.AddAsync(client, Widget.Type.Kind, leaving, "tests.optiinfra.io/late", default));
        await Finalizers.RemoveAsync(client, Widget.Type.Kind, leaving, finalizer, default);
        Assert.Null(await client.FindAsync(Widget.Type, key, default));
        await Finalizers.RemoveAsync(client, Widget.Type.Kind, leaving, finalizer, default);
    }

    [Fact]
    public async Task A_lease_is_led_by_one_released_and_led_by_the_other()
    {
        string ns = await NamespaceAsync("lease");
        using LeaderElector first = Elector(ns, "first");
        using LeaderElector second = Elector(ns, "second");
        using var stopFirst = new CancellationTokenSource();
        using var stopSecond = new CancellationTokenSource();
        Task one = first.RunAsync(leading => Task.Delay(Timeout.Infinite, leading).ContinueWith(_ => { }, TaskScheduler.Default), stopFirst.Token);
        await Eventually.TrueAsync(() => first.IsLeader);
        Task two = second.RunAsync(leading => Task.Delay(Timeout.Infinite, leading).ContinueWith(_ => { }, TaskScheduler.Default), stopSecond.Token);
        await Eventually.TrueAsync(() => second.CurrentLeader == "first");
        Assert.False(second.IsLeader);
        await stopFirst.CancelAsync();
        await one;
        await Eventually.TrueAsync(() => second.IsLeader);
        Lease lease = await client.GetAsync(KubeTypes.Leases, new ObjectKey(ns, "lease"), default);
        Assert.Equal(("second", 1), (lease.Spec!.HolderIdentity, lease.Spec.LeaseTransitions));
        await stopSecond.CancelAsync();
        await two;
    }

    [Fact]
    public async Task The_same_news_becomes_a_series()
    {
        string ns = await NamespaceAsync("events");
        await client.CreateAsync(Widget.Type.Kind, Widget.Manifest(ns, "w", 1), default);
        Widget widget = await client.GetAsync(Widget.Type, new ObjectKey(ns, "w"), default);
        var recorder = new EventRecorder(client, new EventRecorderOptions { Controller = "tests.optiinfra.io/runtime", Instance = "test-1" });
        using var stop = new CancellationTokenSource();
        Task running = recorder.RunAsync(stop.Token);
        for (int i = 0; i < 3; i++)
        {
            recorder.Record(Widget.Type.Kind, widget.Metadata, KubeEventType.Warning, "Broken", "Compile", "it does not parse");
        }

        KubeEvent? found = null;
        await Eventually.TrueAsync(() =>
        {
            found = client.ListAsync(KubeTypes.Events, ns, null, default).GetAwaiter().GetResult().Items.SingleOrDefault();
            return found?.Series is not null;
        });
        Assert.Equal(("Warning", "Broken", "Compile", "it does not parse", "w"), (found!.Type, found.Reason, found.Action, found.Note, found.Regarding!.Name));
        Assert.Equal(2, found.Series!.Count);
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task A_write_that_loses_a_race_reads_again_and_wins()
    {
        string ns = await NamespaceAsync("race");
        await client.CreateAsync(ConfigMaps, ConfigMap(ns, "a", ("n", "0")), default);
        var key = new ObjectKey(ns, "a");
        async Task CountAsync() => await ConflictRetry.RunAsync(
            async cancellationToken =>
            {
                JsonObject current = await client.GetAsync(ConfigMaps, key, cancellationToken);
                int n = int.Parse(current["data"]!["n"]!.ToString(), System.Globalization.CultureInfo.InvariantCulture);
                current["data"]!["n"] = (n + 1).ToString(System.Globalization.CultureInfo.InvariantCulture);
                return await client.ReplaceAsync(ConfigMaps, current, cancellationToken);
            },
            TimeProvider.System, new Random(1), default);
        await Task.WhenAll(CountAsync(), CountAsync(), CountAsync());
        Assert.Equal("3", (await client.GetAsync(KubeTypes.ConfigMaps, key, default)).Data!["n"]);
    }

    private static Controller<Widget> Counting(string name, Informer<Widget> informer, ConcurrentQueue<ObjectKey> seen) =>
        new(name, informer, (key, _) =>
        {
            seen.Enqueue(key);
            return Task.FromResult(ReconcileResult.Done);
        });

    private LeaderElector Elector(string ns, string identity) => new(client, new LeaderElectionOptions
    {
        Namespace = ns,
        Name = "lease",
        Identity = identity,
        LeaseDuration = TimeSpan.FromSeconds(4),
        RenewDeadline = TimeSpan.FromSeconds(3),
        RetryPeriod = TimeSpan.FromMilliseconds(100),
    });
}

/// <summary>A running informer and what it said.</summary>
internal sealed class Cache<T> : IAsyncDisposable
    where T : class, IKubeObject
{
    private readonly CancellationTokenSource stop = new();
    private readonly List<StoreChange<T>> changes = [];
    private readonly Task running;

    public Cache(KubeClient client, ResourceType<T> type, InformerOptions<T> options)
    {
        Informer = new Informer<T>(client, type, options);
        Informer.AddHandler(change =>
        {
            lock (changes)
            {
                changes.Add(change);
            }
        });
        running = Informer.RunAsync(stop.Token);
    }

    public Informer<T> Informer { get; }

    public Store<T> Store => Informer.Store;

    public IReadOnlyList<StoreChange<T>> Changes
    {
        get
        {
            lock (changes)
            {
                return [.. changes];
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await running;
        stop.Dispose();
    }
}
