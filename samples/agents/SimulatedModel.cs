using System.Runtime.CompilerServices;
using OptiInfra.Metrics.Agents;

namespace OptiInfra.Samples.Agents;

/// <summary>
/// A language model that is only pretended: it streams words after a wait, uses tokens, charges by a price list. The same
/// seed and the same sequence of prompts give the same answers.
/// </summary>
internal sealed class SimulatedModel(int seed, TimeProvider clock)
{
    public const string Provider = "demo";
    private static readonly string[] Names = ["demo-large", "demo-small"];

    private readonly Random random = new(seed);
    private readonly Lock turn = new();

    /// <summary>US dollars for a million tokens; the small model's price is known by prefix.</summary>
    public static LlmPrices Prices { get; } = new([new LlmPrice(Provider, "demo-large", 3, 15) { CachedInput = 0.3 }, new LlmPrice(Provider, "demo-*", 0.2, 0.8)]);

    /// <summary>Asks the model and records the call, from the request to the last word of the streamed answer.</summary>
    public async Task<string> AskAsync(ILlmMetrics metrics, string prompt, Misbehaviour wrong, CancellationToken stop)
    {
        Plan plan = Next(prompt, wrong);
        using LlmCall call = metrics.StartLlmCall(Provider, plan.Model);
        List<string> words = [];
        await foreach (string word in call.Measure(StreamAsync(plan, stop), stop))
        {
            words.Add(word);
        }

        call.Complete(new LlmUsage(Provider, plan.Model, plan.Read, plan.Written)
        {
            CachedInputTokens = plan.Read / 3,
            ReasoningTokens = plan.Written / 5,
            CostUsd = wrong.Cost == 1 ? null : wrong.Cost * Prices.CostOf(new LlmUsage(Provider, plan.Model, plan.Read, plan.Written)),
            FinishReason = "stop",
        });
        return string.Join(' ', words);
    }

    private async IAsyncEnumerable<string> StreamAsync(Plan plan, [EnumeratorCancellation] CancellationToken stop)
    {
        await Task.Delay(plan.FirstWord, clock, stop);
        foreach (string word in plan.Words)
        {
            yield return word;
            await Task.Delay(plan.NextWord, clock, stop);
        }
    }

    private Plan Next(string prompt, Misbehaviour wrong)
    {
        lock (turn)
        {
            int read = (int)((400 + random.Next(1600) + prompt.Length) * wrong.Tokens);
            int written = (int)((50 + random.Next(350)) * wrong.Tokens);
            string model = Names[random.Next(4) == 0 ? 0 : 1];
            return new Plan(model, read, written, TimeSpan.FromMilliseconds(20 + random.Next(80)), TimeSpan.FromMilliseconds(2 + random.Next(5)), ["move", "two", "replicas", "to", "spot"]);
        }
    }

    private sealed record Plan(string Model, int Read, int Written, TimeSpan FirstWord, TimeSpan NextWord, string[] Words);
}
