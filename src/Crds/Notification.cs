using System.ComponentModel;
using System.Text.Json.Serialization;
using OptiInfra.Crds.Schema;

namespace OptiInfra.Crds;

/// <summary>One place that hears of a policy's alerts.</summary>
public sealed record Notification
{
    [Description("Kind of the receiver.")]
    public required ReceiverType Receiver { get; init; }

    [Description("Only alerts with exactly these labels. Default: all alerts of the policy.")]
    [Entries(16)]
    public IReadOnlyDictionary<string, string>? Match { get; init; }

    [Description("Only alerts that satisfy these matchers, for example severity=~\"warning|critical\".")]
    [Entries(16)]
    [Text(MinLength = 1, MaxLength = 512)]
    public IReadOnlyList<string>? Matchers { get; init; }

    [Description("Slack: the channel, for example #optiinfra-alerts.")]
    [Text(MinLength = 1, MaxLength = 256)]
    public string? Channel { get; init; }

    [Description("E-mail: the addresses.")]
    [Entries(32)]
    [Text(MinLength = 3, MaxLength = 320)]
    public IReadOnlyList<string>? To { get; init; }

    [Description("E-mail: the sender. Default: that of the stack.")]
    [Text(MinLength = 3, MaxLength = 320)]
    public string? From { get; init; }

    [Description("E-mail: host:port of the mail server. Default: that of the stack.")]
    [Text(MinLength = 1, MaxLength = 262, Pattern = Patterns.HostPort)]
    public string? Smarthost { get; init; }

    [Description("E-mail: user name and password of the mail server.")]
    public BasicAuth? Auth { get; init; }

    [Description("Slack, Teams, webhook: the URL to post to, from a Secret.")]
    public SecretKey? UrlSecret { get; init; }

    [Description("Webhook: the URL, when it is not secret.")]
    [Text(MinLength = 8, MaxLength = 2048, Pattern = Patterns.Url)]
    public string? Url { get; init; }

    [Description("PagerDuty: the routing key. Opsgenie: the API key.")]
    public SecretKey? KeySecret { get; init; }

    [Description("Also tell when the alert is over. Default: true.")]
    public bool? SendResolved { get; init; }

    [Description("Labels by which alerts are put into one message. Default: alertname, namespace, agent.")]
    [Entries(16)]
    [Text(MinLength = 1, MaxLength = 256)]
    public IReadOnlyList<string>? GroupBy { get; init; }

    [Description("How long to wait for more alerts of a new group. Default: 30s.")]
    [Text(MinLength = 1, MaxLength = 32, Pattern = Patterns.Duration)]
    public string? GroupWait { get; init; }

    [Description("Shortest time between two messages about a group. Default: 5m.")]
    [Text(MinLength = 1, MaxLength = 32, Pattern = Patterns.Duration)]
    public string? GroupInterval { get; init; }

    [Description("When to tell again about an alert that goes on. Default: 4h.")]
    [Text(MinLength = 1, MaxLength = 32, Pattern = Patterns.Duration)]
    public string? RepeatInterval { get; init; }

    [Description("Names of times at which nothing is sent.")]
    [Entries(8)]
    [Text(MinLength = 1, MaxLength = 63)]
    public IReadOnlyList<string>? MuteTimes { get; init; }

    [Description("Names of the only times at which something is sent.")]
    [Entries(8)]
    [Text(MinLength = 1, MaxLength = 63)]
    public IReadOnlyList<string>? ActiveTimes { get; init; }
}

public enum ReceiverType
{
    [JsonStringEnumMemberName("slack")]
    Slack,
    [JsonStringEnumMemberName("email")]
    Email,
    [JsonStringEnumMemberName("pagerduty")]
    PagerDuty,
    [JsonStringEnumMemberName("webhook")]
    Webhook,
    [JsonStringEnumMemberName("teams")]
    Teams,
    [JsonStringEnumMemberName("opsgenie")]
    Opsgenie,
}

/// <summary>While an alert of the source fires, alerts of the target are not sent.</summary>
public sealed record Inhibition
{
    [Description("Matchers of the alert that silences, for example severity=\"critical\".")]
    [Entries(16, Minimum = 1)]
    [Text(MinLength = 1, MaxLength = 512)]
    public required IReadOnlyList<string> Source { get; init; }

    [Description("Matchers of the alerts that are silenced.")]
    [Entries(16, Minimum = 1)]
    [Text(MinLength = 1, MaxLength = 512)]
    public required IReadOnlyList<string> Target { get; init; }

    [Description("Labels that must be equal in both.")]
    [Entries(16)]
    [Text(MinLength = 1, MaxLength = 256)]
    public IReadOnlyList<string>? Equal { get; init; }
}

/// <summary>A named set of times, as in Alertmanager.</summary>
public sealed record TimeInterval
{
    [Description("Its name.")]
    [Text(MinLength = 1, MaxLength = 63, Pattern = Patterns.DnsLabel)]
    public required string Name { get; init; }

    [Description("Time zone, for example Europe/Berlin. Default: UTC.")]
    [Text(MinLength = 1, MaxLength = 64)]
    public string? Location { get; init; }

    [Description("Hours of the day as 09:00-17:00. Default: all day.")]
    [Entries(16)]
    [Text(MaxLength = 11, Pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
    public IReadOnlyList<string>? Hours { get; init; }

    [Description("Days of the week, for example monday:friday or sunday. Default: every day.")]
    [Entries(7)]
    [Text(MaxLength = 32, Pattern = "^(monday|tuesday|wednesday|thursday|friday|saturday|sunday)(:(monday|tuesday|wednesday|thursday|friday|saturday|sunday))?$")]
    public IReadOnlyList<string>? Weekdays { get; init; }

    [Description("Days of the month, for example 1:5 or -3:-1.")]
    [Entries(16)]
    [Text(MaxLength = 16, Pattern = "^-?[0-9]{1,2}(:-?[0-9]{1,2})?$")]
    public IReadOnlyList<string>? DaysOfMonth { get; init; }

    [Description("Months, for example january:march or 12.")]
    [Entries(12)]
    [Text(MaxLength = 32, Pattern = "^[a-z0-9]+(:[a-z0-9]+)?$")]
    public IReadOnlyList<string>? Months { get; init; }
}

/// <summary>A silence as code: it exists in Alertmanager while the resource does and the time is right.</summary>
public sealed record Maintenance
{
    [Description("Its name, unique in the policy.")]
    [Text(MinLength = 1, MaxLength = 63, Pattern = Patterns.DnsLabel)]
    public required string Name { get; init; }

    [Description("When it begins, for example 2026-03-01T22:00:00Z.")]
    [Text(MaxLength = 40, Pattern = Patterns.Time)]
    public required string Start { get; init; }

    [Description("When it ends.")]
    [Text(MaxLength = 40, Pattern = Patterns.Time)]
    public required string End { get; init; }

    [Description("Matchers of the alerts that are silenced. Default: all alerts of the policy.")]
    [Entries(16)]
    [Text(MinLength = 1, MaxLength = 512)]
    public IReadOnlyList<string>? Matchers { get; init; }

    [Description("Why.")]
    [Text(MaxLength = 1024)]
    public string? Comment { get; init; }
}
