using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace OptiInfra.Samples.Agents;

/// <summary>What is wrong with an agent on purpose; nothing by default.</summary>
/// <param name="Latency">Added to every answer.</param>
/// <param name="Errors">Share of requests that fail, 0 to 1.</param>
/// <param name="Quality">Taken off the quality of every answer, 0 to 1.</param>
/// <param name="Cost">Factor on what a model call costs.</param>
/// <param name="Tokens">Factor on the tokens a model call uses: a token storm.</param>
/// <param name="Unhealthy">Every page answers 503, as if the process hung: silence.</param>
internal sealed record Misbehaviour(TimeSpan Latency, double Errors, double Quality, double Cost, double Tokens, bool Unhealthy)
{
    public static readonly Misbehaviour None = new(TimeSpan.Zero, 0, 0, 1, 1, false);

    /// <summary>Reads <c>?latency=2s&amp;errors=0.5&amp;quality=0.3&amp;cost=10&amp;tokens=20&amp;unhealthy=true</c>; what is not there is not wrong.</summary>
    public static Misbehaviour Read(IQueryCollection query) => new(
        TimeSpan.FromSeconds(Number(query, "latency", 0)),
        Number(query, "errors", 0),
        Number(query, "quality", 0),
        Number(query, "cost", 1),
        Number(query, "tokens", 1),
        query["unhealthy"] == "true");

    private static double Number(IQueryCollection query, string name, double otherwise) =>
        query.TryGetValue(name, out var text) ? double.Parse(text.ToString().TrimEnd('s'), CultureInfo.InvariantCulture) : otherwise;
}
