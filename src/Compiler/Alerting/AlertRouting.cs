using OptiInfra.Compiler.Compile;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds;

namespace OptiInfra.Compiler.Alerting;

/// <summary>One receiver that hears of an alert, and why.</summary>
/// <param name="Receiver">Its name in Alertmanager.</param>
/// <param name="Policy">The policy that says so, or "fallback".</param>
/// <param name="Target">Where the message goes: a channel, addresses, a URL.</param>
/// <param name="MutedAt">Names of the times at which it does not.</param>
public sealed record RoutedTo(string Receiver, string Policy, string Target, IReadOnlyList<string> MutedAt);

/// <summary>Where an alert would go: the same tree that <see cref="AlertmanagerCompiler"/> writes, walked for a set of labels.</summary>
public static class AlertRouting
{
    public static IReadOnlyList<RoutedTo> Explain(StackModel stack, IReadOnlyList<AlertPolicy> policies, IReadOnlyDictionary<string, string> labels)
    {
        ArgumentNullException.ThrowIfNull(stack);
        ArgumentNullException.ThrowIfNull(labels);
        foreach (PolicyRoutes routes in policies.Select(PolicyRoutes.Of))
        {
            if (routes.Notifications.Count > 0 && labels.GetValueOrDefault(RuleFileWriter.PolicyLabel) == routes.Identity)
            {
                return Walk(routes, labels);
            }
        }

        return Walk(PolicyRoutes.Fallback(stack), labels);
    }

    private static IReadOnlyList<RoutedTo> Walk(PolicyRoutes routes, IReadOnlyDictionary<string, string> labels) =>
    [
        .. from pair in routes.Notifications
           where PolicyRoutes.Matchers(pair.Notification).All(matcher => matcher.Matches(labels))
           select new RoutedTo(pair.Receiver, routes.Identity, Target(pair.Notification), pair.Notification.MuteTimes ?? []),
    ];

    private static string Target(Notification notification) => notification switch
    {
        { Channel: { } channel } => channel,
        { To: { Count: > 0 } to } => string.Join(", ", to),
        { Url: { } url } => url,
        { UrlSecret: { } secret } => $"the URL in Secret {secret.Name}",
        { KeySecret: { } secret } => $"the key in Secret {secret.Name}",
        _ => "",
    };
}
