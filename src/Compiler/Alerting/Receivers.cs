using OptiInfra.Compiler.Compile;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds;
using OptiInfra.Crds.Schema;

namespace OptiInfra.Compiler.Alerting;

/// <summary>Writes one receiver in Alertmanager's form; every secret is a file.</summary>
internal static class Receivers
{
    private const string Title = "[{{ .Status | toUpper }}{{ if eq .Status \"firing\" }}:{{ .Alerts.Firing | len }}{{ end }}] {{ .CommonLabels.alertname }} {{ .CommonLabels.namespace }}/{{ .CommonLabels.agent }}";
    private const string Body = "{{ range .Alerts }}{{ .Annotations.summary }} {{ .Annotations.description }}{{ if .Annotations.runbook_url }} {{ .Annotations.runbook_url }}{{ end }}\n{{ end }}";

    public static string Name(ReceiverType type) => type.ToString().ToLowerInvariant();

    public static void Write(YamlWriter yaml, string name, Notification notification, StackModel stack, SecretFiles secrets, SecretFiles stackSecrets)
    {
        yaml.BeginItem().Pair("name", name);
        switch (notification.Receiver)
        {
            case ReceiverType.Slack:
                Begin(yaml, "slack_configs", notification).Pair("api_url_file", secrets.Path(notification.UrlSecret!)).PairIf("channel", notification.Channel);
                yaml.Pair("title", Title).Pair("text", Body);
                break;
            case ReceiverType.Email:
                Email(yaml, notification, stack, secrets, stackSecrets);
                break;
            case ReceiverType.PagerDuty:
                Begin(yaml, "pagerduty_configs", notification).Pair("routing_key_file", secrets.Path(notification.KeySecret!)).Pair("description", Title);
                break;
            case ReceiverType.Webhook:
                Begin(yaml, "webhook_configs", notification).PairIf("url", notification.Url).PairIf("url_file", notification.UrlSecret is null ? null : secrets.Path(notification.UrlSecret));
                break;
            case ReceiverType.Teams:
                Begin(yaml, "msteamsv2_configs", notification).Pair("webhook_url_file", secrets.Path(notification.UrlSecret!)).Pair("title", Title).Pair("text", Body);
                break;
            default:
                Begin(yaml, "opsgenie_configs", notification).Pair("api_key_file", secrets.Path(notification.KeySecret!)).Pair("message", Title).Pair("description", Body);
                break;
        }

        yaml.EndItem().End().EndItem();
    }

    private static YamlWriter Begin(YamlWriter yaml, string key, Notification notification) =>
        yaml.Begin(key).BeginItem().Pair("send_resolved", notification.SendResolved ?? true);

    private static void Email(YamlWriter yaml, Notification notification, StackModel stack, SecretFiles secrets, SecretFiles stackSecrets)
    {
        MailServer? server = stack.Spec.Alertmanager?.Mail;
        Begin(yaml, "email_configs", notification).Pair("to", string.Join(", ", notification.To!));
        yaml.Pair("from", notification.From ?? server!.From).Pair("smarthost", notification.Smarthost ?? server!.Smarthost);

        // The stack's credentials belong to the stack's namespace; a policy that brings its own server brings its own.
        BasicAuth? auth = notification.Auth ?? (notification.Smarthost is null ? server?.Auth : null);
        if (auth is null)
        {
            yaml.Pair("require_tls", false);
            return;
        }

        yaml.Pair("auth_username", auth.Username);
        yaml.Pair("auth_password_file", (notification.Auth is null ? stackSecrets : secrets).Path(auth.Password));
    }
}
