using System.Text.Json.Nodes;

namespace OptiInfra.ApiServer.Tests.Watch;

public sealed class WatchTests
{
    [Fact]
    public async Task Every_watcher_sees_every_change_once_and_in_order()
    {
        const int watchers = 100;
        const int changes = 200;
        await using TestServer server = await TestServer.StartAsync(new DevApiServerOptions { Controllers = false });
        string version = (await server.CreateConfigMapAsync("start"))["metadata"]!["resourceVersion"]!.ToString();
        Task<List<string>>[] readers = new Task<List<string>>[watchers];
        for (int i = 0; i < watchers; i++)
        {
            StreamReader watch = await server.WatchAsync($"/api/v1/namespaces/default/configmaps?watch=true&labelSelector=of&resourceVersion={version}");
            readers[i] = Task.Run(async () =>
            {
                using (watch)
                {
                    List<string> seen = [];
                    while (seen.Count < changes && await watch.ReadLineAsync() is { } line)
                    {
                        seen.Add(JsonNode.Parse(line)!["object"]!["metadata"]!["name"]!.ToString());
                    }

                    return seen;
                }
            });
        }

        for (int i = 0; i < changes; i++)
        {
            await server.CreateConfigMapAsync($"c{i}");
        }

        string[] expected = [.. Enumerable.Range(0, changes).Select(i => $"c{i}")];
        foreach (List<string> seen in await Task.WhenAll(readers).WaitAsync(TimeSpan.FromSeconds(60)))
        {
            Assert.Equal(expected, seen);
        }
    }

    [Fact]
    public async Task A_list_and_the_watch_after_it_miss_nothing_while_objects_change()
    {
        await using TestServer server = await TestServer.StartAsync(new DevApiServerOptions { Controllers = false });
        Task writer = Task.Run(async () =>
        {
            for (int i = 0; i < 150; i++)
            {
                await server.CreateConfigMapAsync($"o{i}");
                if (i % 3 == 0)
                {
                    await server.SendAsync("DELETE", $"/api/v1/namespaces/default/configmaps/o{i}");
                }
            }
        });
        HashSet<string> known = [];
        JsonObject list = (await server.SendAsync("GET", "/api/v1/namespaces/default/configmaps?labelSelector=of")).Body;
        known.UnionWith(list["items"]!.AsArray().Select(item => item!["metadata"]!["name"]!.ToString()));
        string version = list["metadata"]!["resourceVersion"]!.ToString();
        using StreamReader watch = await server.WatchAsync($"/api/v1/namespaces/default/configmaps?watch=true&labelSelector=of&resourceVersion={version}");
        await writer;
        await server.CreateConfigMapAsync("last");
        while (!known.Contains("last"))
        {
            JsonNode change = JsonNode.Parse((await watch.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(20)))!)!;
            string name = change["object"]!["metadata"]!["name"]!.ToString();
            _ = change["type"]!.ToString() == "DELETED" ? known.Remove(name) : known.Add(name);
        }

        JsonObject end = (await server.SendAsync("GET", "/api/v1/namespaces/default/configmaps?labelSelector=of")).Body;
        Assert.Equal(end["items"]!.AsArray().Select(item => item!["metadata"]!["name"]!.ToString()).Order(StringComparer.Ordinal), known.Order(StringComparer.Ordinal));
    }
}
