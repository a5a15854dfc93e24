using OptiInfra.Metrics.Agents;

namespace OptiInfra.Metrics.Tests.Agents;

public sealed class LlmCallTests
{
    private static readonly LlmPrices Prices = LlmPrices.FromJson(
        """[{"provider":"openai","model":"gpt-4o*","input":2.5,"output":10,"cachedInput":1.25},{"provider":"openai","model":"gpt-4o-mini","input":0.15,"output":0.6}]""");

    private readonly MetricRegistry _registry = new();

    [Fact]
    public void A_call_is_recorded_with_tokens_and_the_cost_of_the_price_list()
    {
        var metrics = new BaseMetrics(_registry, new AgentMetricsOptions { Prices = Prices });
        metrics.TrackLlmCall("openai", "gpt-4o-2024", 1000, 500);
        Assert.Equal(1, metrics.LlmCalls.WithLabels("openai", "gpt-4o-2024").Value);
        Assert.Equal(1000, metrics.LlmTokens.WithLabels("openai", "input").Value);
        Assert.Equal(500, metrics.LlmTokens.WithLabels("openai", "output").Value);
        Assert.Equal(0.0075, metrics.Llm.Cost.WithLabels("openai", "gpt-4o-2024").Value, 1e-12);
    }

    [Fact]
    public void A_model_without_price_is_counted_and_costs_nothing()
    {
        var metrics = new BaseMetrics(_registry, new AgentMetricsOptions { Prices = Prices });
        metrics.TrackLlmCall("local", "mistral-7b", 10, 10);
        Assert.Equal(1, metrics.Llm.Unpriced.WithLabels("local").Value);
        Assert.Empty(metrics.Llm.Cost.AllSeries());
    }

    [Fact]
    public void The_providers_own_cost_wins_over_the_price_list()
    {
        var metrics = new GenAiMetrics(_registry, new AgentMetricsOptions { Prices = Prices });
        metrics.TrackLlmCall("openai", "gpt-4o", 1000, 500, costUsd: 0.05);
        Assert.Equal(0.05, metrics.Cost.WithLabels("openai", "gpt-4o", "provider").Value);
    }

    [Theory]
    [InlineData("openai", "gpt-4o-mini", 0.15)]
    [InlineData("openai", "gpt-4o", 2.5)]
    [InlineData("OpenAI", "GPT-4o-audio", 2.5)]
    [InlineData("azure", "gpt-4o", null)]
    [InlineData("openai", "gpt-5", null)]
    public void The_longest_matching_price_is_the_price(string provider, string model, double? input) =>
        Assert.Equal(input, Prices.Find(provider, model)?.Input);

    [Fact]
    public void Cached_tokens_are_priced_and_counted_apart()
    {
        var metrics = new LlmMetrics(_registry, new AgentMetricsOptions { Prices = Prices });
        metrics.Record(new LlmUsage("openai", "gpt-4o", 1000, 100) { CachedInputTokens = 600, ReasoningTokens = 40 });
        Assert.Equal(400, metrics.Tokens.WithLabels("openai", "gpt-4o", "input").Value);
        Assert.Equal(600, metrics.Tokens.WithLabels("openai", "gpt-4o", "input_cached").Value);
        Assert.Equal(60, metrics.Tokens.WithLabels("openai", "gpt-4o", "output").Value);
        Assert.Equal(40, metrics.Tokens.WithLabels("openai", "gpt-4o", "output_reasoning").Value);
        Assert.Equal(((400 * 2.5) + (600 * 1.25) + (100 * 10)) / 1e6, metrics.Cost.WithLabels("openai", "gpt-4o").Value, 1e-12);
    }

    [Fact]
    public async Task A_stream_is_measured_to_its_last_chunk_and_its_first_one_is_noted()
    {
        var metrics = new GenAiMetrics(_registry);
        var chunks = new List<string>();
        using (LlmCall call = metrics.StartLlmCall("openai", "gpt-4o"))
        {
            await foreach (string chunk in call.Measure(Answer("a", "b", "c")))
            {
                chunks.Add(chunk);
                Assert.Equal(0, metrics.OperationDuration.SeriesCount);
            }

            call.Complete(10, 3);
        }

        Assert.Equal(["a", "b", "c"], chunks);
        Assert.Equal(1, metrics.OperationDuration.WithLabels("chat", "openai", "gpt-4o", "").Count);
        Assert.Equal(1, metrics.FirstChunk.WithLabels("openai", "gpt-4o").Count);
        Assert.Equal(1, metrics.PerChunk.WithLabels("openai", "gpt-4o").Count);
    }

    [Fact]
    public async Task A_stream_that_breaks_is_an_error_and_the_exception_passes()
    {
        var metrics = new LlmMetrics(_registry);
        await Assert.ThrowsAsync<TimeoutException>(async () =>
        {
            using LlmCall call = metrics.StartLlmCall("openai", "gpt-4o");
            await foreach (string _ in call.Measure(Broken()))
            {
            }
        });
        Assert.Equal(1, metrics.Requests.WithLabels("openai", "gpt-4o", "error").Value);
        Assert.Equal(0, metrics.Unpriced.SeriesCount);
    }

    [Fact]
    public void A_call_that_nobody_completed_is_an_error()
    {
        var metrics = new BaseMetrics(_registry);
        metrics.StartLlmCall("openai", "gpt-4o").Dispose();
        Assert.Equal(1, metrics.Errors.WithLabels(ErrorTypes.Unfinished).Value);
    }

    [Fact]
    public void A_model_name_that_was_made_up_does_not_become_a_label()
    {
        var metrics = new LlmMetrics(_registry, new AgentMetricsOptions { Models = ["gpt-4o"] });
        metrics.TrackLlmCall("openai", "gpt-4o", 1, 1);
        metrics.TrackLlmCall("openai", "ignore previous instructions", 1, 1);
        Assert.Equal(["gpt-4o", "_other"], metrics.Requests.AllSeries().Select(series => series.LabelValues[1]));
    }

    private static async IAsyncEnumerable<string> Answer(params string[] chunks)
    {
        foreach (string chunk in chunks)
        {
            await Task.Yield();
            yield return chunk;
        }
    }

    private static async IAsyncEnumerable<string> Broken()
    {
        yield return "a";
        await Task.Yield();
        throw new TimeoutException();
    }
}
