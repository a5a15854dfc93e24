using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Faults;

namespace OptiInfra.ApiServer.Tests.Faults;

public sealed class ChaosTests
{
    [Theory]
    [InlineData(429, 429)]
    [InlineData(500, 500)]
    [InlineData(410, 410)]
    [InlineData(503, 503)]
    public async Task An_error_hits_as_often_as_it_says_and_no_more(int injected, int expected)
    {
        await using TestServer server = await TestServer.StartAsync();
        server.Server.Chaos.Add(new Fault(FaultKind.Error) { Status = injected, PathContains = "/configmaps", Times = 2 });
        Assert.Equal(expected, (await server.SendAsync("GET", "/api/v1/namespaces/default/configmaps")).Status);
        Assert.Equal(200, (await server.SendAsync("GET", "/api/v1/namespaces/default/secrets")).Status);
        Assert.Equal(expected, (await server.SendAsync("GET", "/api/v1/namespaces/default/configmaps")).Status);
        Assert.Equal(200, (await server.SendAsync("GET", "/api/v1/namespaces/default/configmaps")).Status);
        Assert.Equal(200, (await server.SendAsync("GET", "/healthz")).Status);
    }

    [Fact]
    public async Task Dropped_watches_end_and_a_new_one_goes_on_where_they_were()
    {
        await using TestServer server = await TestServer.StartAsync();
        string version = (await server.CreateConfigMapAsync("before"))["metadata"]!["resourceVersion"]!.ToString();
        string path = $"/api/v1/namespaces/default/configmaps?watch=true&labelSelector=of&resourceVersion={version}";
        using (StreamReader watch = await server.WatchAsync(path))
        {
            server.Server.Chaos.DropWatches();
            await Assert.ThrowsAnyAsync<IOException>(async () => Assert.Null(await watch.ReadLineAsync() ?? throw new IOException("ended")));
        }

        await server.CreateConfigMapAsync("after");
        using StreamReader again = await server.WatchAsync(path);
        Assert.Contains("\"after\"", await again.ReadLineAsync());
    }

    [Fact]
    public async Task A_watch_from_before_a_compaction_is_told_that_it_is_too_old()
    {
        await using TestServer server = await TestServer.StartAsync();
        string version = (await server.CreateConfigMapAsync("old"))["metadata"]!["resourceVersion"]!.ToString();
        await server.CreateConfigMapAsync("newer");
        server.Server.Compact();
        using StreamReader watch = await server.WatchAsync($"/api/v1/namespaces/default/configmaps?watch=true&resourceVersion={version}");
        JsonNode told = JsonNode.Parse((await watch.ReadLineAsync())!)!;
        Assert.Equal("ERROR", told["type"]!.ToString());
        Assert.Equal(410, told["object"]!["code"]!.GetValue<int>());
    }

    [Theory]
    [InlineData("latency=50ms", FaultKind.Latency)]
    [InlineData("error=500:0.5", FaultKind.Error)]
    [InlineData("429=0.05", FaultKind.Error)]
    [InlineData("goaway=1", FaultKind.GoAway)]
    [InlineData("drop-watch=30s", FaultKind.DropWatch)]
    [InlineData("black-hole=0.1", FaultKind.BlackHoleWatch)]
    public void Faults_are_read_as_they_are_written(string text, FaultKind kind) => Assert.Equal(kind, ChaosText.Parse(text).Fault?.Kind);

    [Theory]
    [InlineData("latency")]
    [InlineData("error=200")]
    [InlineData("429=2")]
    [InlineData("nonsense=1")]
    public void What_is_no_fault_is_refused_with_a_hint(string text) => Assert.Contains("is no fault", ChaosText.Parse(text).Error);
}
