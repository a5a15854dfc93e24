using System.Globalization;
using OptiInfra.Compiler.Compile;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds;

namespace OptiInfra.Compiler.Alerting;

/// <summary>What can be wrong with the routes, inhibitions, times and silences of a policy.</summary>
internal static class NotificationChecks
{
    public static void Run(AlertPolicy policy, StackModel stack, Report report)
    {
        AlertPolicySpec spec = policy.Spec;
        HashSet<string> times = [.. (spec.Times ?? []).Select(times => times.Name)];
        Notifications(spec.Notify ?? [], "spec.notify", times, stack, report);
        for (int i = 0; i < (spec.Inhibit?.Count ?? 0); i++)
        {
            Matchers(spec.Inhibit![i].Source, $"spec.inhibit[{i}].source", report);
            Matchers(spec.Inhibit[i].Target, $"spec.inhibit[{i}].target", report);
        }

        for (int i = 0; i < (spec.Times?.Count ?? 0); i++)
        {
            Hours(spec.Times![i], $"spec.times[{i}]", report);
        }

        for (int i = 0; i < (spec.Maintenance?.Count ?? 0); i++)
        {
            Silence(spec.Maintenance![i], $"spec.maintenance[{i}]", report);
        }
    }

    /// <summary>The receivers of the stack itself.</summary>
    public static void Fallback(StackModel stack, Report report) =>
        Notifications(stack.Spec.Alertmanager?.Fallback ?? [], "spec.alertmanager.fallback", [], stack, report);

    private static void Notifications(IReadOnlyList<Notification> notifications, string field, HashSet<string> times, StackModel stack, Report report)
    {
        for (int i = 0; i < notifications.Count; i++)
        {
            Notification notification = notifications[i];
            string path = $"{field}[{i}]";
            if (Missing(notification, stack) is { } missing)
            {
                report.Error("policy/receiver", path, missing);
            }

            Matchers(notification.Matchers ?? [], $"{path}.matchers", report);
            CommonChecks.Duration(notification.GroupWait, $"{path}.groupWait", report, zero: true);
            CommonChecks.Duration(notification.GroupInterval, $"{path}.groupInterval", report);
            CommonChecks.Duration(notification.RepeatInterval, $"{path}.repeatInterval", report);
            foreach ((string name, string part) in (notification.MuteTimes ?? []).Select(name => (name, "muteTimes")).Concat((notification.ActiveTimes ?? []).Select(name => (name, "activeTimes"))))
            {
                if (!times.Contains(name))
                {
                    report.Error("policy/receiver", $"{path}.{part}", $"there are no times named {name}", "define them under spec.times");
                }
            }
        }
    }

    private static string? Missing(Notification notification, StackModel stack) => notification switch
    {
        { Receiver: ReceiverType.Slack, UrlSecret: null } => "a slack receiver needs urlSecret, the Secret with the webhook's URL",
        { Receiver: ReceiverType.Teams, UrlSecret: null } => "a teams receiver needs urlSecret, the Secret with the webhook's URL",
        { Receiver: ReceiverType.PagerDuty, KeySecret: null } => "a pagerduty receiver needs keySecret, the Secret with the routing key",
        { Receiver: ReceiverType.Opsgenie, KeySecret: null } => "an opsgenie receiver needs keySecret, the Secret with the API key",
        { Receiver: ReceiverType.Webhook } when (notification.Url is null) == (notification.UrlSecret is null) => "a webhook receiver needs url or urlSecret, exactly one of them",
        { Receiver: ReceiverType.Email, To: not { Count: > 0 } } => "an email receiver needs to, the addresses",
        { Receiver: ReceiverType.Email } when (notification.Smarthost ?? stack.Spec.Alertmanager?.Mail?.Smarthost) is null => "an email receiver needs smarthost, because the stack names no mail server",
        { Receiver: ReceiverType.Email } when (notification.From ?? stack.Spec.Alertmanager?.Mail?.From) is null => "an email receiver needs from, because the stack names no sender",
        _ => null,
    };

    private static void Matchers(IReadOnlyList<string> matchers, string field, Report report)
    {
        for (int i = 0; i < matchers.Count; i++)
        {
            if (AlertMatcher.Parse(matchers[i]) is null)
            {
                report.Error("policy/matcher", $"{field}[{i}]", $"{matchers[i]} is not a matcher", "write for example severity=\"critical\" or agent=~\"cost.*\"");
            }
        }
    }

    private static void Hours(TimeInterval times, string field, Report report)
    {
        for (int i = 0; i < (times.Hours?.Count ?? 0); i++)
        {
            string[] range = times.Hours![i].Split('-');
            if (range.Length != 2 || string.CompareOrdinal(range[0], range[1]) >= 0)
            {
                report.Error("policy/times", $"{field}.hours[{i}]", $"{times.Hours[i]} does not end after it starts", "split a night into 22:00-24:00 and 00:00-06:00");
            }
        }
    }

    private static void Silence(Maintenance maintenance, string field, Report report)
    {
        bool start = DateTimeOffset.TryParse(maintenance.Start, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset from);
        bool end = DateTimeOffset.TryParse(maintenance.End, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset to);
        if (!start || !end)
        {
            report.Error("policy/maintenance", $"{field}.{(start ? "end" : "start")}", "this is not a time", "write for example 2026-03-01T22:00:00Z");
        }
        else if (to <= from)
        {
            report.Error("policy/maintenance", $"{field}.end", "the maintenance ends before it starts");
        }

        Matchers(maintenance.Matchers ?? [], $"{field}.matchers", report);
    }
}
