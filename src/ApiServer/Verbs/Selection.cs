using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Http;

namespace OptiInfra.ApiServer.Verbs;

/// <summary>Whether labels satisfy a selector as it stands in objects: matchLabels and matchExpressions, or a plain map.</summary>
internal static class Selection
{
    /// <summary>A missing selector selects nothing, an empty one everything.</summary>
    public static bool Matches(JsonObject? selector, JsonObject? labels) =>
        selector is not null
        && MatchesMap(selector.Obj("matchLabels"), labels)
        && selector.Arr("matchExpressions").Objects().All(expression => MatchesExpression(expression, labels));

    public static bool MatchesMap(JsonObject? wanted, JsonObject? labels) =>
        wanted is null || wanted.All(pair => labels.Str(pair.Key) == pair.Value.Str());

    private static bool MatchesExpression(JsonObject expression, JsonObject? labels)
    {
        string? value = labels.Str(expression.Str("key") ?? "");
        return expression.Str("operator") switch
        {
            "In" => value is not null && expression.Arr("values").Strings().Contains(value),
            "NotIn" => value is null || !expression.Arr("values").Strings().Contains(value),
            "Exists" => value is not null,
            "DoesNotExist" => value is null,
            _ => false,
        };
    }
}
