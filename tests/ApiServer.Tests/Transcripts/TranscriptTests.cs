using System.Text.Json.Nodes;
using Xunit.Abstractions;

namespace OptiInfra.ApiServer.Tests.Transcripts;

/// <summary>
/// Replays the recorded exchanges of a real kube-apiserver against the embedded one, all in this process. They lie
/// beside the checkout (shared/transcripts/public); where they are not, there is nothing to compare and the test says so.
/// </summary>
public sealed class TranscriptTests(ITestOutputHelper output)
{
    internal const string Token = "transcript-token";

    [Fact]
    public async Task The_server_answers_as_the_recorded_one_did()
    {
        if (FindFolder() is not { } folder)
        {
            output.WriteLine("No transcripts beside the checkout: nothing was compared.");
            return;
        }

        await using DevApiServer server = await DevApiServer.StartAsync(new DevApiServerOptions
        {
            Http = true,
            Authorization = true,
            Tokens = new Dictionary<string, string> { [Token] = "admin,system:masters" },
        });
        using HttpClient client = new(new SocketsHttpHandler { AllowAutoRedirect = false, MaxConnectionsPerServer = 500 }) { BaseAddress = server.Url, Timeout = TimeSpan.FromMinutes(3) };
        JsonObject[] scenarios = [.. Directory.GetFiles(folder, "*.json").Order(StringComparer.Ordinal).Select(file => JsonNode.Parse(File.ReadAllText(file))!.AsObject())];
        List<(string Step, bool Exact, bool Loose, string Difference)>[] results = new List<(string, bool, bool, string)>[scenarios.Length];
        await Parallel.ForEachAsync(Enumerable.Range(0, scenarios.Length), new ParallelOptions { MaxDegreeOfParallelism = 24 }, async (i, cancellation) =>
            results[i] = await new ScenarioRunner(scenarios[i], client).RunAsync(cancellation));

        Report(scenarios, results);
        double total = results.Sum(steps => steps.Count);
        Assert.True(results.Sum(steps => steps.Count(step => step.Loose)) >= 0.99 * total, "fewer than 99 % of the steps match loosely");
        Assert.True(results.Sum(steps => steps.Count(step => step.Exact)) >= 0.95 * total, "fewer than 95 % of the steps match exactly");
        foreach (IGrouping<string, int> theme in Enumerable.Range(0, scenarios.Length).GroupBy(i => scenarios[i]["theme"]!.ToString()))
        {
            double steps = theme.Sum(i => results[i].Count);
            Assert.True(theme.Sum(i => results[i].Count(step => step.Loose)) >= 0.9 * steps, $"fewer than 90 % of the steps of theme {theme.Key} match");
        }
    }

    private void Report(JsonObject[] scenarios, List<(string Step, bool Exact, bool Loose, string Difference)>[] results)
    {
        for (int i = 0; i < scenarios.Length; i++)
        {
            output.WriteLine($"{scenarios[i]["scenario"],-34} {results[i].Count(step => step.Exact),3}/{results[i].Count} exact, {results[i].Count(step => step.Loose)} loose");
            foreach ((string step, _, _, string difference) in results[i].Where(step => !step.Exact))
            {
                output.WriteLine($"    {step}: {(difference.Length > 400 ? difference[..400] : difference)}");
            }
        }

        output.WriteLine($"{results.Sum(steps => steps.Count(step => step.Exact))} exact, {results.Sum(steps => steps.Count(step => step.Loose))} loose of {results.Sum(steps => steps.Count)} steps");
    }

    private static string? FindFolder()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            string folder = Path.Combine(at.FullName, "shared", "transcripts", "public", "transcripts");
            if (Directory.Exists(folder))
            {
                return folder;
            }
        }

        return null;
    }
}
