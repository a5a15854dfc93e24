using OptiInfra.Compiler.Compile;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds;
using OptiInfra.Crds.Schema;

namespace OptiInfra.Compiler.Alerting;

/// <summary>The branch of one policy in the routing tree, or that of the stack's fallback.</summary>
internal sealed class PolicyRoutes
{
    private PolicyRoutes(AlertPolicy? policy, string identity, IReadOnlyList<Notification> notifications)
    {
        Policy = policy;
        Identity = identity;
        Notifications = [.. notifications.Select((notification, i) => (notification, $"{identity}/{i}-{Receivers.Name(notification.Receiver)}"))];
    }

    public AlertPolicy? Policy { get; }

    /// <summary>namespace/name; the value of the label on the policy's alerts.</summary>
    public string Identity { get; }

    /// <summary>The notifications and the names of their receivers.</summary>
    public IReadOnlyList<(Notification Notification, string Receiver)> Notifications { get; }

    public static PolicyRoutes Of(AlertPolicy policy) =>
        new(policy, $"{policy.Metadata.Namespace ?? "default"}/{policy.Metadata.Name}", policy.Spec.Notify ?? []);

    public static PolicyRoutes Fallback(StackModel stack) => new(null, "fallback", stack.Spec.Alertmanager?.Fallback ?? []);

    /// <summary>Where the Secrets of the receivers are.</summary>
    public string SecretNamespace(StackModel stack) => Policy is null ? stack.Namespace : Policy.Metadata.Namespace ?? "default";

    public void WriteRoute(YamlWriter yaml, string nobody)
    {
        yaml.BeginItem().Pair("receiver", nobody);
        if (Policy is not null)
        {
            yaml.Begin("matchers").Item(OwnMatcher().ToString()).End();
        }

        yaml.Begin("routes");
        for (int i = 0; i < Notifications.Count; i++)
        {
            (Notification notification, string receiver) = Notifications[i];
            yaml.BeginItem().Pair("receiver", receiver);
            AlertMatcher[] matchers = [.. Matchers(notification)];
            if (matchers.Length > 0)
            {
                yaml.Begin("matchers");
                foreach (AlertMatcher matcher in matchers)
                {
                    yaml.Item(matcher.ToString());
                }

                yaml.End();
            }

            // Every receiver that matches hears of the alert, not only the first.
            yaml.PairIf("continue", i < Notifications.Count - 1 ? true : null);
            if (notification.GroupBy is { Count: > 0 } groupBy)
            {
                yaml.Flow("group_by", groupBy);
            }

            yaml.PairIf("group_wait", notification.GroupWait).PairIf("group_interval", notification.GroupInterval).PairIf("repeat_interval", notification.RepeatInterval);
            Times(yaml, "mute_time_intervals", notification.MuteTimes);
            Times(yaml, "active_time_intervals", notification.ActiveTimes);
            yaml.EndItem();
        }

        yaml.End().EndItem();
    }

    public void WriteInhibitions(YamlWriter yaml)
    {
        foreach (Inhibition inhibition in Policy?.Spec.Inhibit ?? [])
        {
            yaml.BeginItem();
            foreach ((string key, IReadOnlyList<string> matchers) in ((string, IReadOnlyList<string>)[])[("source_matchers", inhibition.Source), ("target_matchers", inhibition.Target)])
            {
                yaml.Begin(key).Item(OwnMatcher().ToString());
                foreach (string matcher in matchers)
                {
                    yaml.Item(AlertMatcher.Parse(matcher)!.ToString());
                }

                yaml.End();
            }

            if (inhibition.Equal is { Count: > 0 } equal)
            {
                yaml.Flow("equal", equal);
            }

            yaml.EndItem();
        }
    }

    public void WriteTimes(YamlWriter yaml)
    {
        foreach (TimeInterval times in Policy?.Spec.Times ?? [])
        {
            yaml.BeginItem().Pair("name", $"{Identity}/{times.Name}").Begin("time_intervals").BeginItem();
            if (times.Hours is { Count: > 0 } hours)
            {
                yaml.Begin("times");
                foreach (string[] range in hours.Select(hour => hour.Split('-')))
                {
                    yaml.BeginItem().Pair("start_time", range[0]).Pair("end_time", range[1]).EndItem();
                }

                yaml.End();
            }

            Flow(yaml, "weekdays", times.Weekdays);
            Flow(yaml, "days_of_month", times.DaysOfMonth);
            Flow(yaml, "months", times.Months);
            yaml.Pair("location", times.Location ?? "UTC");
            yaml.EndItem().End().EndItem();
        }
    }

    /// <summary>The conditions of a notification beside the policy's own: the short form first.</summary>
    internal static IEnumerable<AlertMatcher> Matchers(Notification notification) =>
        (notification.Match ?? new Dictionary<string, string>()).OrderBy(label => label.Key, StringComparer.Ordinal).Select(label => new AlertMatcher(label.Key, "=", label.Value))
            .Concat((notification.Matchers ?? []).Select(text => AlertMatcher.Parse(text)!));

    private AlertMatcher OwnMatcher() => new(RuleFileWriter.PolicyLabel, "=", Identity);

    private void Times(YamlWriter yaml, string key, IReadOnlyList<string>? names)
    {
        if (names is { Count: > 0 })
        {
            yaml.Flow(key, names.Select(name => $"{Identity}/{name}"));
        }
    }

    private static void Flow(YamlWriter yaml, string key, IReadOnlyList<string>? values)
    {
        if (values is { Count: > 0 })
        {
            yaml.Begin(key);
            foreach (string value in values)
            {
                yaml.Item(value);
            }

            yaml.End();
        }
    }
}
