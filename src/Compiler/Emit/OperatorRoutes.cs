using System.Text.Json.Nodes;
using OptiInfra.Compiler.Alerting;
using OptiInfra.Compiler.Compile;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds;
using static OptiInfra.Compiler.Emit.PrometheusOperatorObjects;

namespace OptiInfra.Compiler.Emit;

/// <summary>A policy's routes as the spec of an AlertmanagerConfig. Secrets are referred to, as everywhere.</summary>
internal static class OperatorRoutes
{
    private const string Nobody = "nobody";

    public static JsonObject Spec(AlertPolicy policy, StackModel stack)
    {
        var routes = PolicyRoutes.Of(policy);
        var spec = new JsonObject
        {
            ["route"] = new JsonObject
            {
                ["receiver"] = Nobody,
                ["groupBy"] = new JsonArray("alertname", "namespace", "agent"),
                ["matchers"] = new JsonArray(Matcher(new AlertMatcher(RuleFileWriter.PolicyLabel, "=", routes.Identity))),
                ["routes"] = new JsonArray([.. routes.Notifications.Select((pair, i) => Route(pair.Notification, ReceiverName(i, pair.Notification), i < routes.Notifications.Count - 1))]),
            },
            ["receivers"] = new JsonArray([new JsonObject { ["name"] = Nobody }, .. routes.Notifications.Select((pair, i) => Receiver(pair.Notification, ReceiverName(i, pair.Notification), stack))]),
        };
        if (policy.Spec.Inhibit is { Count: > 0 } inhibitions)
        {
            spec["inhibitRules"] = new JsonArray([.. inhibitions.Select(inhibition =>
            {
                var rule = new JsonObject
                {
                    ["sourceMatch"] = new JsonArray([.. inhibition.Source.Select(text => Matcher(AlertMatcher.Parse(text)!))]),
                    ["targetMatch"] = new JsonArray([.. inhibition.Target.Select(text => Matcher(AlertMatcher.Parse(text)!))]),
                };
                Put(rule, "equal", inhibition.Equal);
                return rule;
            })]);
        }

        if (policy.Spec.Times is { Count: > 0 } times)
        {
            spec["muteTimeIntervals"] = new JsonArray([.. times.Select(Times)]);
        }

        return spec;
    }

    private static string ReceiverName(int index, Notification notification) => $"{index}-{Receivers.Name(notification.Receiver)}";

    private static JsonObject Route(Notification notification, string receiver, bool further)
    {
        var route = new JsonObject { ["receiver"] = receiver };
        AlertMatcher[] matchers = [.. PolicyRoutes.Matchers(notification)];
        if (matchers.Length > 0)
        {
            route["matchers"] = new JsonArray([.. matchers.Select(Matcher)]);
        }

        if (further)
        {
            route["continue"] = true;
        }

        Put(route, "groupBy", notification.GroupBy);
        Put(route, "groupWait", notification.GroupWait);
        Put(route, "groupInterval", notification.GroupInterval);
        Put(route, "repeatInterval", notification.RepeatInterval);
        Put(route, "muteTimeIntervals", notification.MuteTimes);
        Put(route, "activeTimeIntervals", notification.ActiveTimes);
        return route;
    }

    private static JsonObject Receiver(Notification notification, string name, StackModel stack)
    {
        var config = new JsonObject { ["sendResolved"] = notification.SendResolved ?? true };
        string list = notification.Receiver switch
        {
            ReceiverType.Slack => Slack(config, notification),
            ReceiverType.Email => Email(config, notification, stack),
            ReceiverType.PagerDuty => With(config, "routingKey", notification.KeySecret!, "pagerdutyConfigs"),
            ReceiverType.Opsgenie => With(config, "apiKey", notification.KeySecret!, "opsgenieConfigs"),
            ReceiverType.Teams => With(config, "webhookUrl", notification.UrlSecret!, "msteamsv2Configs"),
            _ => Webhook(config, notification),
        };
        return new JsonObject { ["name"] = name, [list] = new JsonArray(config) };
    }

    private static string Slack(JsonObject config, Notification notification)
    {
        Put(config, "channel", notification.Channel);
        return With(config, "apiURL", notification.UrlSecret!, "slackConfigs");
    }

    private static string Email(JsonObject config, Notification notification, StackModel stack)
    {
        config["to"] = string.Join(", ", notification.To!);
        Put(config, "from", notification.From ?? stack.Spec.Alertmanager?.Mail?.From);
        Put(config, "smarthost", notification.Smarthost ?? stack.Spec.Alertmanager?.Mail?.Smarthost);
        if (notification.Auth is { } auth)
        {
            config["authUsername"] = auth.Username;
            config["authPassword"] = Key(auth.Password);
        }

        return "emailConfigs";
    }

    private static string Webhook(JsonObject config, Notification notification)
    {
        Put(config, "url", notification.Url);
        return notification.UrlSecret is { } secret ? With(config, "urlSecret", secret, "webhookConfigs") : "webhookConfigs";
    }

    private static string With(JsonObject config, string field, SecretKey key, string list)
    {
        config[field] = Key(key);
        return list;
    }

    private static JsonObject Matcher(AlertMatcher matcher) => new() { ["name"] = matcher.Name, ["value"] = matcher.Value, ["matchType"] = matcher.Op };

    private static JsonObject Times(TimeInterval times)
    {
        var interval = new JsonObject();
        if (times.Hours is { Count: > 0 } hours)
        {
            interval["times"] = new JsonArray([.. hours.Select(hour => hour.Split('-')).Select(range => new JsonObject { ["startTime"] = range[0], ["endTime"] = range[1] })]);
        }

        Put(interval, "weekdays", times.Weekdays);
        Put(interval, "months", times.Months);
        if (times.DaysOfMonth is { Count: > 0 } days)
        {
            interval["daysOfMonth"] = new JsonArray([.. days.Select(day => day.Split(':')).Select(range => new JsonObject
            {
                ["start"] = int.Parse(range[0], System.Globalization.CultureInfo.InvariantCulture),
                ["end"] = int.Parse(range[^1], System.Globalization.CultureInfo.InvariantCulture),
            })]);
        }

        return new JsonObject { ["name"] = times.Name, ["timeIntervals"] = new JsonArray(interval) };
    }
}
