using System.Text.Json.Nodes;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;
using OptiInfra.Kubernetes.Runtime;
using static OptiInfra.Kubernetes.Tests.ScriptedServer;

namespace OptiInfra.Kubernetes.Tests.Runtime;

public sealed class EventRecorderTests
{
    private static readonly ResourceKind Kind = KubeTypes.Deployments.Kind;
    private static readonly ObjectMeta About = new() { Namespace = "ns", Name = "d", Uid = "u" };

    [Fact]
    public async Task A_thousand_times_the_same_news_is_one_create_one_patch_and_a_patch_per_half_hour()
    {
        var time = new VirtualTime();
        await using ScriptedServer server = await StartAsync((context, _) => JsonAsync(context, 200, "{}"));
        using var client = new KubeClient(server.Config, new KubeClientOptions { Time = time });
        var recorder = new EventRecorder(client, new EventRecorderOptions { Controller = "c", Instance = "i" });
        using var stop = new CancellationTokenSource();
        Task running = recorder.RunAsync(stop.Token);
        for (int i = 0; i < 1000; i++)
        {
            recorder.Record(Kind, About, KubeEventType.Normal, "Rendered", "Render", $"attempt {i}");
        }

        await Eventually.TrueAsync(() => server.Requests.Count == 2);

        // It goes on for an hour.
        for (int minute = 0; minute < 60; minute++)
        {
            recorder.Record(Kind, About, KubeEventType.Normal, "Rendered", "Render", "again");
            int due = 2 + (minute >= 31 ? 1 : 0);
            await time.PassUntilAsync(() => time.Elapsed >= TimeSpan.FromMinutes(minute + 1) && server.Requests.Count >= due - 1, TimeSpan.FromSeconds(10));
        }

        Assert.InRange(server.Requests.Count, 3, 4);
        await time.PassUntilAsync(() => Count(server.Requests.Last()) == 1060, TimeSpan.FromSeconds(10)); // the end of the series
        Assert.InRange(server.Requests.Count, 3, 5);
        Assert.Equal("POST", server.Requests.First().Method);
        Assert.Equal(2, Count(server.Requests.ElementAt(1)));
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task An_outage_neither_blocks_nor_fails_whoever_records()
    {
        var time = new VirtualTime();
        bool up = false;
        await using ScriptedServer server = await StartAsync((context, _) => Volatile.Read(ref up) ? JsonAsync(context, 200, "{}") : StatusAsync(context, 503, "ServiceUnavailable"));
        using var client = new KubeClient(server.Config, new KubeClientOptions { Time = time });
        var recorder = new EventRecorder(client, new EventRecorderOptions { Controller = "c", Instance = "i" });
        using var stop = new CancellationTokenSource();
        Task running = recorder.RunAsync(stop.Token);
        for (int i = 0; i < 3000; i++)
        {
            recorder.Record(Kind, About with { Name = $"d{i}" }, KubeEventType.Warning, "Broken", "Render", "no");
        }

        Assert.InRange(recorder.Dropped, 1990, 2000);
        await Eventually.TrueAsync(() => !server.Requests.IsEmpty);
        Volatile.Write(ref up, true);
        await time.PassUntilAsync(() => server.Requests.Count >= 1000, TimeSpan.FromSeconds(5));
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task A_refusal_is_not_repeated_and_cluster_scoped_objects_report_to_the_default_namespace()
    {
        await using ScriptedServer server = await StartAsync((context, _) => StatusAsync(context, 403, "Forbidden"));
        using var client = new KubeClient(server.Config);
        var recorder = new EventRecorder(client, new EventRecorderOptions { Controller = "c", Instance = "i" });
        using var stop = new CancellationTokenSource();
        Task running = recorder.RunAsync(stop.Token);
        recorder.Record(KubeTypes.Namespaces.Kind, new ObjectMeta { Name = "n" }, KubeEventType.Normal, "Seen", "Look", "a");
        recorder.Record(KubeTypes.Namespaces.Kind, new ObjectMeta { Name = "m" }, KubeEventType.Normal, "Seen", "Look", "b");
        await Eventually.TrueAsync(() => server.Requests.Count == 2);
        Assert.All(server.Requests, request => Assert.Equal("/apis/events.k8s.io/v1/namespaces/default/events", request.Path));
        await stop.CancelAsync();
        await running;
        Assert.Equal(2, server.Requests.Count);
    }

    private static int Count(SeenRequest request) => JsonNode.Parse(request.Body)?["series"]?["count"]?.GetValue<int>() ?? 0;
}
