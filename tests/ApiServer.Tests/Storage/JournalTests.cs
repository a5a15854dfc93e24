using System.Text.Json.Nodes;

namespace OptiInfra.ApiServer.Tests.Storage;

public sealed class JournalTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("optiinfra-journal-");

    [Fact]
    public async Task Objects_and_versions_survive_a_restart()
    {
        string version;
        await using (TestServer first = await TestServer.StartAsync(Options(folder.FullName)))
        {
            await first.CreateConfigMapAsync("gone");
            version = (await first.CreateConfigMapAsync("kept"))["metadata"]!["resourceVersion"]!.ToString();
            Assert.Equal(200, (await first.SendAsync("DELETE", "/api/v1/namespaces/default/configmaps/gone")).Status);
        }

        await using TestServer second = await TestServer.StartAsync(Options(folder.FullName));
        Assert.Equal(version, (await second.SendAsync("GET", "/api/v1/namespaces/default/configmaps/kept")).Body["metadata"]!["resourceVersion"]!.ToString());
        Assert.Equal(404, (await second.SendAsync("GET", "/api/v1/namespaces/default/configmaps/gone")).Status);
        JsonObject next = await second.CreateConfigMapAsync("next");
        Assert.True(long.Parse(next["metadata"]!["resourceVersion"]!.ToString()) > long.Parse(version));
    }

    [Fact]
    public async Task Whatever_was_acknowledged_is_there_after_a_crash_at_any_moment()
    {
        await using TestServer server = await TestServer.StartAsync(Options(folder.FullName));
        HashSet<string> acknowledged = [];
        for (int round = 0; round < 3; round++)
        {
            using CancellationTokenSource stop = new();
            Task[] writers =
            [
                .. Enumerable.Range(0, 8).Select(writer => Task.Run(async () =>
                {
                    for (int i = 0; !stop.IsCancellationRequested; i++)
                    {
                        string name = $"c-{round}-{writer}-{i}";
                        await server.CreateConfigMapAsync(name);
                        lock (acknowledged)
                        {
                            acknowledged.Add(name);
                        }
                    }
                })),
            ];
            await Task.Delay(150);

            // What a killed process leaves behind is what is in the file now, possibly with a record cut in two.
            string[] promised;
            lock (acknowledged)
            {
                promised = [.. acknowledged];
            }

            string copy = Path.Combine(folder.FullName, $"copy-{round}");
            Directory.CreateDirectory(copy);
            using (FileStream source = new(Path.Combine(folder.FullName, "store.log"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite))
            using (FileStream target = File.Create(Path.Combine(copy, "store.log")))
            {
                await source.CopyToAsync(target);
            }

            await stop.CancelAsync();
            await Task.WhenAll(writers);
            await using TestServer revived = await TestServer.StartAsync(Options(copy));
            JsonObject list = (await revived.SendAsync("GET", "/api/v1/namespaces/default/configmaps?labelSelector=of")).Body;
            HashSet<string> found = [.. list["items"]!.AsArray().Select(item => item!["metadata"]!["name"]!.ToString())];
            Assert.Empty(promised.Except(found));
        }
    }

    [Fact]
    public async Task A_torn_tail_is_cut_off()
    {
        await using (TestServer first = await TestServer.StartAsync(Options(folder.FullName)))
        {
            await first.CreateConfigMapAsync("whole");
        }

        await using (FileStream file = new(Path.Combine(folder.FullName, "store.log"), FileMode.Append))
        {
            file.Write([200, 0, 0, 0, 1, 2, 3, 4, 5, 6]);
        }

        await using TestServer second = await TestServer.StartAsync(Options(folder.FullName));
        Assert.Equal(200, (await second.SendAsync("GET", "/api/v1/namespaces/default/configmaps/whole")).Status);
    }

    public void Dispose() => folder.Delete(recursive: true);

    private static DevApiServerOptions Options(string data) => new() { DataFolder = data, Controllers = false };
}
