using OptiInfra.PromQL.Rules;
using OptiInfra.PromQL.Syntax;
using OptiInfra.PromQL.Text;
using OptiInfra.PromQL.Types;

namespace OptiInfra.PromQL.Alerting;

/// <summary>What Alertmanager demands beyond the form of each field. Every method is one demand.</summary>
internal sealed class AlertmanagerChecks(YamlFields fields)
{
    private YamlMapping? global;

    public void Check(YamlMapping? config)
    {
        global = config?.Find("global") as YamlMapping;
        AtMostOne(global, "slack_api_url", "opsgenie_api_key", "victorops_api_key", "smtp_auth_password", "rocketchat_token", "rocketchat_token_id");
        Http(global, "http_config");
        Tls(global?.Find("smtp_tls_config"));
        HashSet<string> receivers = Receivers(config);
        HashSet<string> intervals = Intervals(config);
        foreach (YamlMapping rule in Mappings(config, "inhibit_rules"))
        {
            LabelNames(rule, "source_match", "target_match");
            Patterns(rule, "source_match_re", "target_match_re");
            Utf8Names(rule, "equal");
        }
        if (config?.Find("route") is not YamlMapping root)
        {
            fields.Report(config ?? (YamlNode)new YamlMapping([]) { Start = new TextPosition(1, 1) }, "no route provided");
            return;
        }
        RootRoute(root);
        Route(root, receivers, intervals, depth: 0);
    }

    private void RootRoute(YamlMapping root)
    {
        if (Text(root, "receiver").Length == 0)
        {
            fields.Report(root, "the root route must specify a default receiver");
        }
        foreach (string field in (string[])["match", "match_re", "matchers", "mute_time_intervals", "active_time_intervals"])
        {
            if (root.Find(field) is YamlMapping { Entries.Length: > 0 } or YamlSequence { Items.Length: > 0 })
            {
                fields.Report(root.Find(field)!, $"the root route must not have {field}");
            }
        }
        if (root.Find("continue") is YamlScalar { Value: "true" or "True" or "TRUE" or "yes" or "Yes" or "YES" or "on" or "On" or "ON" or "y" or "Y" } on)
        {
            fields.Report(on, "the root route cannot have continue");
        }
    }

    private void Route(YamlMapping route, HashSet<string> receivers, HashSet<string> intervals, int depth)
    {
        LabelNames(route, "match");
        Patterns(route, "match_re");
        GroupBy(route);
        foreach (string field in (string[])["group_interval", "repeat_interval"])
        {
            if (route.Find(field) is YamlScalar text && PromDuration.TryParse(text.Value, out PromDuration duration, out _) && duration == PromDuration.Zero)
            {
                fields.Report(text, $"{field} cannot be zero");
            }
        }
        if (Text(route, "receiver") is { Length: > 0 } receiver && !receivers.Contains(receiver))
        {
            string? nearest = Nearest.To(receiver, receivers);
            fields.Report(route.Find("receiver")!, $"undefined receiver \"{receiver}\" used in route", nearest is null ? null : $"did you mean \"{nearest}\"?");
        }
        foreach (YamlScalar name in Scalars(route, "active_time_intervals").Concat(Scalars(route, "mute_time_intervals")))
        {
            if (!intervals.Contains(name.Value))
            {
                fields.Report(name, $"undefined time interval \"{name.Value}\" used in route");
            }
        }
        foreach (YamlMapping child in Mappings(route, "routes"))
        {
            Route(child, receivers, intervals, depth + 1);
        }
    }

    private void GroupBy(YamlMapping route)
    {
        Utf8Names(route, "group_by");
        YamlScalar[] labels = [.. Scalars(route, "group_by")];
        if (labels.Any(label => label.Value == "...") && labels.Any(label => label.Value != "..."))
        {
            fields.Report(route.Find("group_by")!, "cannot have the wildcard \"...\" and other labels in group_by at the same time");
        }
        foreach (IGrouping<string, YamlScalar> same in labels.Where(label => label.Value != "...").GroupBy(label => label.Value).Where(same => same.Count() > 1))
        {
            fields.Report(same.Last(), $"duplicated label \"{same.Key}\" in group_by");
        }
    }

    private HashSet<string> Intervals(YamlMapping? config)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (YamlMapping interval in Mappings(config, "mute_time_intervals").Concat(Mappings(config, "time_intervals")))
        {
            string name = Text(interval, "name");
            if (name.Length == 0)
            {
                fields.Report(interval, "missing name in time interval");
            }
            else if (!names.Add(name))
            {
                fields.Report(interval, $"time interval \"{name}\" is not unique");
            }
            foreach (YamlMapping times in Mappings(interval, "time_intervals"))
            {
                TimeIntervalChecks.Check(fields, times);
            }
        }
        return names;
    }

    // ---- Receivers.

    private HashSet<string> Receivers(YamlMapping? config)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (YamlMapping receiver in Mappings(config, "receivers"))
        {
            string name = Text(receiver, "name");
            if (name.Length == 0)
            {
                fields.Report(receiver, "missing name in receiver");
            }
            else if (!names.Add(name))
            {
                fields.Report(receiver, $"the receiver name \"{name}\" is not unique");
            }
            foreach ((YamlScalar kind, YamlNode list) in receiver.Entries.Where(entry => entry.Value is YamlSequence))
            {
                foreach (YamlMapping integration in ((YamlSequence)list).Items.OfType<YamlMapping>())
                {
                    Http(integration, "http_config");
                    Tls(integration.Find("tls_config"));
                    Integration(kind.Value, integration);
                }
            }
        }
        return names;
    }

    private void Integration(string kind, YamlMapping c)
    {
        switch (kind)
        {
            case "webhook_configs":
                ExactlyOne(c, "url");
                break;
            case "discord_configs" or "msteams_configs" or "msteamsv2_configs":
                ExactlyOne(c, "webhook_url");
                break;
            case "email_configs":
                Required(c, "to");
                GlobalOr(c, "smarthost", "smtp_smarthost");
                GlobalOr(c, "from", "smtp_from");
                foreach (IGrouping<string, YamlEntry> same in (c.Find("headers") as YamlMapping)?.Entries.GroupBy(e => e.Key.Value, StringComparer.OrdinalIgnoreCase).Where(g => g.Count() > 1) ?? [])
                {
                    fields.Report(same.Last().Key, $"duplicate header \"{same.Key}\" in email config");
                }
                break;
            case "slack_configs":
                AtMostOne(c, "api_url");
                GlobalOr(c, "api_url", "slack_api_url");
                Slack(c);
                break;
            case "pagerduty_configs":
                AtMostOne(c, "routing_key", "service_key");
                Demand(c, Has(c, "service_key") || Has(c, "routing_key"), "missing service or routing key in PagerDuty config");
                break;
            case "opsgenie_configs":
                AtMostOne(c, "api_key");
                GlobalOr(c, "api_key", "opsgenie_api_key");
                Responders(c);
                break;
            case "victorops_configs":
                Required(c, "routing_key");
                AtMostOne(c, "api_key");
                GlobalOr(c, "api_key", "victorops_api_key");
                string[] fixedFields = ["routing_key", "message_type", "state_message", "entity_display_name", "monitoring_tool", "entity_id", "entity_state"];
                Demand(c, (c.Find("custom_fields") as YamlMapping)?.Entries.Any(e => fixedFields.Contains(e.Key.Value)) != true, "custom_fields conflict with the fixed fields of VictorOps");
                break;
            case "pushover_configs":
                ExactlyOne(c, "user_key");
                ExactlyOne(c, "token");
                break;
            case "wechat_configs":
                GlobalOr(c, "api_secret", "wechat_api_secret");
                GlobalOr(c, "corp_id", "wechat_api_corp_id");
                Demand(c, Text(c, "message_type") is "" or "text" or "markdown", "message_type must be text or markdown");
                break;
            case "sns_configs":
                // Exactly one of the three, or (an oddity of Alertmanager that is kept) all of them.
                Demand(c, HasText(c, "target_arn") != HasText(c, "topic_arn") == !HasText(c, "phone_number"),
                    "must provide either a Target ARN, Topic ARN, or Phone Number for SNS config");
                break;
            case "telegram_configs":
                ExactlyOne(c, "bot_token");
                Demand(c, Text(c, "chat_id") is not ("" or "0"), "missing chat_id on telegram_config");
                Demand(c, Text(c, "parse_mode") is "" or "Markdown" or "MarkdownV2" or "HTML", "parse_mode must be Markdown, MarkdownV2, HTML or empty");
                break;
            case "webex_configs":
                Required(c, "room_id");
                Demand(c, c.Find("http_config") is YamlMapping http && http.Find("authorization") is YamlMapping, "missing http_config.authorization on webex_config");
                break;
            case "jira_configs":
                Required(c, "project");
                Required(c, "issue_type");
                GlobalOr(c, "api_url", "jira_api_url");
                break;
            case "rocketchat_configs":
                AtMostOne(c, "token", "token_id");
                GlobalOr(c, "token", "rocketchat_token");
                GlobalOr(c, "token_id", "rocketchat_token_id");
                break;
        }
    }

    private void Slack(YamlMapping c)
    {
        foreach (YamlMapping field in Mappings(c, "fields"))
        {
            Required(field, "title");
            Required(field, "value");
        }
        foreach (YamlMapping action in Mappings(c, "actions"))
        {
            Required(action, "type");
            Required(action, "text");
            Demand(action, HasText(action, "url") || HasText(action, "name"), "missing name or url in a Slack action");
            if (action.Find("confirm") is YamlMapping confirm)
            {
                Required(confirm, "text");
            }
        }
    }

    private void Responders(YamlMapping c)
    {
        foreach (YamlMapping responder in Mappings(c, "responders"))
        {
            Demand(responder, HasText(responder, "id") || HasText(responder, "username") || HasText(responder, "name"), "a responder needs an id, a username or a name");
            string type = Text(responder, "type").ToLowerInvariant();
            Demand(responder, type.Contains("{{", StringComparison.Ordinal) || type is "team" or "teams" or "user" or "escalation" or "schedule", $"the responder type \"{type}\" must be team, teams, user, escalation or schedule");
        }
    }

    // ---- HTTP clients and TLS.

    private void Http(YamlMapping? parent, string field)
    {
        if (parent?.Find(field) is not YamlMapping http)
        {
            return;
        }
        AtMostOne(http, "bearer_token");
        bool bearer = HasText(http, "bearer_token") || HasText(http, "bearer_token_file");
        int ways = new[] { http.Find("basic_auth") is YamlMapping, http.Find("oauth2") is YamlMapping, bearer, http.Find("authorization") is YamlMapping }.Count(way => way);
        Demand(http, ways <= 1, "at most one of basic_auth, oauth2, bearer_token and authorization must be configured");
        if (http.Find("basic_auth") is YamlMapping basic)
        {
            AtMostOne(basic, "username", "password");
        }
        if (http.Find("authorization") is YamlMapping authorization)
        {
            AtMostOne(authorization, "credentials");
            Demand(authorization, !Text(authorization, "type").Trim().Equals("basic", StringComparison.OrdinalIgnoreCase), "the authorization type cannot be \"basic\"; use basic_auth");
        }
        if (http.Find("oauth2") is YamlMapping oauth2)
        {
            Required(oauth2, "client_id");
            Required(oauth2, "token_url");
            AtMostOne(oauth2, "client_secret");
            Proxy(oauth2);
            Tls(oauth2.Find("tls_config"));
        }
        Proxy(http);
        Tls(http.Find("tls_config"));
    }

    private void Proxy(YamlMapping http)
    {
        bool environment = Text(http, "proxy_from_environment") is "true" or "yes" or "on";
        bool url = HasText(http, "proxy_url"), no = HasText(http, "no_proxy");
        Demand(http, !environment || (!url && !no), "proxy_from_environment excludes proxy_url and no_proxy");
        Demand(http, !no || url, "no_proxy needs proxy_url");
    }

    private void Tls(YamlNode? node)
    {
        if (node is not YamlMapping tls)
        {
            return;
        }
        AtMostOne(tls, "ca", "cert", "key");
        bool cert = HasText(tls, "cert") || HasText(tls, "cert_file") || HasText(tls, "cert_ref");
        bool key = HasText(tls, "key") || HasText(tls, "key_file") || HasText(tls, "key_ref");
        Demand(tls, cert == key, "a client certificate and its key must be configured together");
        foreach (string field in (string[])["min_version", "max_version"])
        {
            Demand(tls, Text(tls, field) is "" or "TLS10" or "TLS11" or "TLS12" or "TLS13", $"{field} must be TLS10, TLS11, TLS12 or TLS13");
        }
    }

    // ---- Small parts.

    private void Patterns(YamlMapping mapping, params string[] names)
    {
        LabelNames(mapping, names);
        foreach (YamlEntry entry in names.SelectMany(name => (mapping.Find(name) as YamlMapping)?.Entries ?? []))
        {
            if (entry.Value is YamlScalar pattern && AlertMatchers.RegexError(pattern.Value) is { } error)
            {
                fields.Report(pattern, error);
            }
        }
    }

    private void LabelNames(YamlMapping mapping, params string[] names)
    {
        foreach (YamlEntry entry in names.SelectMany(name => (mapping.Find(name) as YamlMapping)?.Entries ?? []))
        {
            if (!MetricNames.IsLabelName(entry.Key.Value, PrometheusVersion.V253))
            {
                fields.Report(entry.Key, $"invalid label name \"{entry.Key.Value}\"");
            }
        }
    }

    private void Utf8Names(YamlMapping mapping, string field)
    {
        foreach (YamlScalar label in Scalars(mapping, field).Where(label => label.Value.Length == 0 || label.IsNull))
        {
            fields.Report(label, $"invalid label name \"\" in {field}");
        }
    }

    private void Required(YamlMapping mapping, string field) => Demand(mapping, HasText(mapping, field), $"missing {field}");

    /// <summary>A value may be given inline or as a file, not both.</summary>
    private void AtMostOne(YamlMapping? mapping, params string[] names)
    {
        foreach (string name in names)
        {
            Demand(mapping, !(HasText(mapping, name) && HasText(mapping, name + "_file")), $"at most one of {name} and {name}_file must be configured");
        }
    }

    private void ExactlyOne(YamlMapping mapping, string name)
    {
        Demand(mapping, Has(mapping, name), $"one of {name} or {name}_file must be configured");
        AtMostOne(mapping, name);
    }

    private void GlobalOr(YamlMapping mapping, string own, string inGlobal) =>
        Demand(mapping, Has(mapping, own) || Has(global, inGlobal), $"no {own} set, and no {inGlobal} in the global section");

    private void Demand(YamlMapping? mapping, bool met, string message)
    {
        if (!met)
        {
            fields.Report(mapping!, message);
        }
    }

    private static bool Has(YamlMapping? mapping, string name) => HasText(mapping, name) || HasText(mapping, name + "_file");

    private static bool HasText(YamlMapping? mapping, string name) => mapping is not null && Text(mapping, name).Length > 0;

    private static string Text(YamlMapping mapping, string name) => mapping.Find(name) is YamlScalar { IsNull: false } scalar ? scalar.Value : "";

    private static IEnumerable<YamlScalar> Scalars(YamlMapping mapping, string name) => (mapping.Find(name) as YamlSequence)?.Items.OfType<YamlScalar>() ?? [];

    private static IEnumerable<YamlMapping> Mappings(YamlMapping? mapping, string name) => (mapping?.Find(name) as YamlSequence)?.Items.OfType<YamlMapping>() ?? [];
}
