using System.Collections.Frozen;

namespace OptiInfra.PromQL.Alerting;

/// <summary>How the value of a field is read.</summary>
internal enum FieldKind
{
    Text,
    Flag,
    Integer,
    Duration,

    /// <summary>A duration as Go writes it: <c>1.5h</c>, <c>300ms</c>.</summary>
    GoDuration,
    Url,
    HostPort,
    Texts,
    TextMap,
    Matchers,
    RegexMap,
    Any,
    Object,
    Objects,
}

internal readonly record struct FieldSchema(string Name, FieldKind Kind, string Type);

/// <summary>
/// The fields of alertmanager.yml (0.28) by type, as data. In a definition each word is <c>field:kind</c>: s text (the default), b flag, i integer,
/// d duration, g Go duration, url, hp host:port, l list of texts, m map of texts, x matchers, r map of patterns, any; any other word is
/// a type of this table, with * for a list of it.
/// </summary>
internal static class AlertmanagerSchema
{
    private const string Notifier = "send_resolved:b http_config:http ";

    private static readonly FrozenDictionary<string, FieldSchema[]> Types = new Dictionary<string, string>
    {
        ["config"] = "global:global route:route inhibit_rules:*inhibit receivers:*receiver templates:l mute_time_intervals:*interval time_intervals:*interval",
        ["global"] = "resolve_timeout:d http_config:http jira_api_url:url smtp_from smtp_hello smtp_smarthost:hp smtp_auth_username smtp_auth_password "
            + "smtp_auth_password_file smtp_auth_secret smtp_auth_identity smtp_require_tls:b smtp_tls_config:tls slack_api_url:url slack_api_url_file "
            + "pagerduty_url:url opsgenie_api_url:url opsgenie_api_key opsgenie_api_key_file wechat_api_url:url wechat_api_secret wechat_api_corp_id "
            + "victorops_api_url:url victorops_api_key victorops_api_key_file telegram_api_url:url webex_api_url:url rocketchat_api_url:url rocketchat_token "
            + "rocketchat_token_file rocketchat_token_id rocketchat_token_id_file",
        ["route"] = "receiver group_by:l match:m match_re:r matchers:x mute_time_intervals:l active_time_intervals:l continue:b routes:*route group_wait:d "
            + "group_interval:d repeat_interval:d",
        ["inhibit"] = "source_match:m source_match_re:r source_matchers:x target_match:m target_match_re:r target_matchers:x equal:l",
        ["interval"] = "name time_intervals:*times",
        ["times"] = "times:*time weekdays:l days_of_month:l months:l years:l location",
        ["time"] = "start_time end_time",
        ["receiver"] = "name discord_configs:*discord email_configs:*email pagerduty_configs:*pagerduty slack_configs:*slack webhook_configs:*webhook "
            + "opsgenie_configs:*opsgenie wechat_configs:*wechat pushover_configs:*pushover victorops_configs:*victorops sns_configs:*sns "
            + "telegram_configs:*telegram webex_configs:*webex msteams_configs:*msteams msteamsv2_configs:*msteamsv2 jira_configs:*jira rocketchat_configs:*rocketchat",
        ["discord"] = Notifier + "webhook_url:url webhook_url_file content title message username avatar_url",
        ["email"] = "send_resolved:b to from hello smarthost:hp auth_username auth_password auth_password_file auth_secret auth_identity headers:m html text "
            + "require_tls:b tls_config:tls",
        ["pagerduty"] = Notifier + "service_key service_key_file routing_key routing_key_file url:url client client_url description details:m "
            + "images:*pagerduty_image links:*pagerduty_link source severity class component group",
        ["pagerduty_image"] = "src alt href",
        ["pagerduty_link"] = "href text",
        ["slack"] = Notifier + "api_url:url api_url_file channel username color title title_link pretext text fields:*slack_field short_fields:b footer fallback "
            + "callback_id icon_emoji icon_url image_url thumb_url link_names:b mrkdwn_in:l actions:*slack_action",
        ["slack_field"] = "title value short:b",
        ["slack_action"] = "type text url style name value confirm:slack_confirm",
        ["slack_confirm"] = "text title ok_text dismiss_text",
        ["webhook"] = Notifier + "url:url url_file max_alerts:i timeout:g",
        ["opsgenie"] = Notifier + "api_key api_key_file api_url:url message description source details:m entity responders:*responder actions tags note priority "
            + "update_alerts:b",
        ["responder"] = "id name username type",
        ["wechat"] = Notifier + "api_secret corp_id message api_url:url to_user to_party to_tag agent_id message_type",
        ["pushover"] = Notifier + "user_key user_key_file token token_file title message url url_title device sound priority retry:g expire:g ttl:g html:b",
        ["victorops"] = Notifier + "api_key api_key_file api_url:url routing_key message_type state_message entity_display_name monitoring_tool custom_fields:m",
        ["sns"] = Notifier + "api_url sigv4:sigv4 topic_arn phone_number target_arn subject message attributes:m",
        ["sigv4"] = "region access_key secret_key profile role_arn use_fips_sts_endpoint:b",
        ["telegram"] = Notifier + "api_url:url bot_token bot_token_file chat_id:i message_thread_id:i message disable_notifications:b parse_mode",
        ["webex"] = Notifier + "api_url:url message room_id",
        ["msteams"] = Notifier + "webhook_url:url webhook_url_file title summary text",
        ["msteamsv2"] = Notifier + "webhook_url:url webhook_url_file title text",
        ["jira"] = Notifier + "api_url:url project summary description labels:l priority issue_type reopen_transition resolve_transition wont_fix_resolution "
            + "reopen_duration:d fields:any",
        ["rocketchat"] = Notifier + "api_url:url token_id token_id_file token token_file channel color title title_link text fields:*any short_fields:b emoji icon_url "
            + "image_url thumb_url link_names:b actions:*any",
        ["any"] = "",
        ["http"] = "basic_auth:basic authorization:authorization oauth2:oauth2 bearer_token bearer_token_file tls_config:tls follow_redirects:b enable_http2:b "
            + "proxy_url no_proxy proxy_from_environment:b proxy_connect_header:any http_headers:any",
        ["basic"] = "username username_file username_ref password password_file password_ref",
        ["authorization"] = "type credentials credentials_file credentials_ref",
        ["oauth2"] = "client_id client_secret client_secret_file client_secret_ref scopes:l token_url endpoint_params:m tls_config:tls proxy_url no_proxy "
            + "proxy_from_environment:b proxy_connect_header:any",
        ["tls"] = "ca cert key ca_file cert_file key_file ca_ref cert_ref key_ref server_name insecure_skip_verify:b min_version max_version",
    }.ToFrozenDictionary(type => type.Key, type => type.Value.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Field).ToArray(), StringComparer.Ordinal);

    public static FieldSchema[] Fields(string type) => Types[type];

    private static FieldSchema Field(string definition)
    {
        string[] parts = definition.Split(':');
        return parts.Length == 1 ? new FieldSchema(parts[0], FieldKind.Text, "") : parts[1] switch
        {
            "b" => new(parts[0], FieldKind.Flag, ""),
            "i" => new(parts[0], FieldKind.Integer, ""),
            "d" => new(parts[0], FieldKind.Duration, ""),
            "g" => new(parts[0], FieldKind.GoDuration, ""),
            "url" => new(parts[0], FieldKind.Url, ""),
            "hp" => new(parts[0], FieldKind.HostPort, ""),
            "l" => new(parts[0], FieldKind.Texts, ""),
            "m" => new(parts[0], FieldKind.TextMap, ""),
            "x" => new(parts[0], FieldKind.Matchers, ""),
            "r" => new(parts[0], FieldKind.RegexMap, ""),
            "any" or "*any" => new(parts[0], FieldKind.Any, ""),
            ['*', .. var item] => new(parts[0], FieldKind.Objects, item),
            var type => new(parts[0], FieldKind.Object, type),
        };
    }
}
