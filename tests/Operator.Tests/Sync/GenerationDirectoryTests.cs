using System.Collections.Immutable;

namespace OptiInfra.Operator.Sync;

public sealed class GenerationDirectoryTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("optiinfra-test-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Readers_see_the_old_set_or_the_new_one()
    {
        GenerationDirectory directory = new(folder);
        directory.Write(Set("1"));
        using CancellationTokenSource stop = new();
        Task<HashSet<string>> reader = Task.Run(() =>
        {
            HashSet<string> seen = [];
            while (!stop.IsCancellationRequested)
            {
                // Resolving the link once is what a reload does when it opens its root file; all includes follow from there.
                string generation = Path.Combine(folder, new FileInfo(Path.Combine(folder, "current")).LinkTarget!);
                try
                {
                    seen.Add(File.ReadAllText(Path.Combine(generation, "prometheus.yml")) + File.ReadAllText(Path.Combine(generation, "rules", "a.yml")));
                }
                catch (DirectoryNotFoundException)
                {
                    // The generation was replaced between the two steps: the reader starts over.
                }
                catch (FileNotFoundException)
                {
                    // As above.
                }
            }

            return seen;
        });
        for (int i = 2; i < 200; i++)
        {
            directory.Write(Set($"{i}"));
        }

        await stop.CancelAsync();
        Assert.All(await reader, both => Assert.Equal(both[..(both.Length / 2)], both[(both.Length / 2)..]));
        Assert.Single(Directory.GetDirectories(Path.Combine(folder, "generations")));
    }

    [Fact]
    public void A_new_process_finds_what_the_last_one_wrote()
    {
        new GenerationDirectory(folder).Write(Set("x"));

        GenerationDirectory again = new(folder);

        Assert.Equal(Set("x"), again.Current);
        again.Write(Set("y"));
        Assert.Equal("y", File.ReadAllText(again.ConfigFile));
    }

    [Fact]
    public void Targets_stay_where_they_are_when_the_generation_changes()
    {
        GenerationDirectory directory = new(folder);
        directory.Write(Set("1"));
        GenerationDirectory.ReplaceFile(Path.Combine(directory.Targets, "c", "b0.json"), "[]");
        directory.Write(Set("2"));

        Assert.Equal("[]", File.ReadAllText(Path.Combine(folder, "current", "targets", "c", "b0.json")));
        Assert.Single(Directory.GetFiles(Path.Combine(directory.Targets, "c")));
    }

    private static ImmutableSortedDictionary<string, string> Set(string text) =>
        GenerationDirectory.NoFiles.Add("prometheus.yml", text).Add("rules/a.yml", text);
}
