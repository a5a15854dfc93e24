using System.Text.Json;
using System.Text.Json.Serialization;

namespace OptiInfra.Metrics.Agents;

/// <summary>What a model costs, in US dollars for a million tokens.</summary>
/// <param name="Provider">The provider, or <c>*</c> for any.</param>
/// <param name="Model">The model's name. A trailing star matches every name that begins so; the longest match wins.</param>
/// <param name="Input">Price of input tokens.</param>
/// <param name="Output">Price of output tokens.</param>
public sealed record LlmPrice(string Provider, string Model, double Input, double Output)
{
    /// <summary>Price of input tokens read from the provider's cache; the input price when left out.</summary>
    public double? CachedInput { get; init; }

    /// <summary>Price of input tokens written to the provider's cache; the input price when left out.</summary>
    public double? CacheWrite { get; init; }
}

/// <summary>
/// A price list. Prices are contracts and change, so none are built in: a call whose model is not on the list has no price,
/// and the sets count it as unpriced instead of guessing.
/// </summary>
public sealed class LlmPrices(IEnumerable<LlmPrice> prices)
{
    private const double Million = 1_000_000;

    // Longest pattern first, so that the first match is the best one.
    private readonly LlmPrice[] _prices = [.. prices.OrderByDescending(price => price.Model.Length).ThenBy(price => price.Provider == "*")];

    /// <summary>An empty list.</summary>
    public static LlmPrices None { get; } = new([]);

    /// <summary>Reads a list: <c>[{"provider":"openai","model":"gpt-4o*","input":2.5,"output":10,"cachedInput":1.25}]</c>.</summary>
    public static LlmPrices FromJson(string json) => new(JsonSerializer.Deserialize(json, LlmPricesJson.Default.LlmPriceArray) ?? []);

    /// <summary>The price of a model, or null when it is not on the list.</summary>
    public LlmPrice? Find(string provider, string model) => Array.Find(_prices, price =>
        (price.Provider == "*" || string.Equals(price.Provider, provider, StringComparison.OrdinalIgnoreCase))
        && (price.Model.EndsWith('*') ? model.StartsWith(price.Model[..^1], StringComparison.OrdinalIgnoreCase) : string.Equals(price.Model, model, StringComparison.OrdinalIgnoreCase)));

    /// <summary>What a call costs in US dollars, or null when its model is not on the list.</summary>
    public double? CostOf(LlmUsage usage)
    {
        if (Find(usage.Provider, usage.Model) is not { } price)
        {
            return null;
        }

        double plain = Math.Max(0, usage.InputTokens - usage.CachedInputTokens - usage.CacheWriteTokens);
        return ((plain * price.Input)
            + (usage.CachedInputTokens * (price.CachedInput ?? price.Input))
            + (usage.CacheWriteTokens * (price.CacheWrite ?? price.Input))
            + (usage.OutputTokens * price.Output)) / Million;
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(LlmPrice[]))]
internal sealed partial class LlmPricesJson : JsonSerializerContext;
