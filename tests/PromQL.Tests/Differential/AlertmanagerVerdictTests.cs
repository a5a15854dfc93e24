using System.Diagnostics;
using System.Globalization;
using OptiInfra.PromQL.Alerting;
using OptiInfra.PromQL.Tests.Support;
using Xunit.Abstractions;

namespace OptiInfra.PromQL.Tests.Differential;

/// <summary>Alertmanager configurations, right and broken, and what amtool check-config says of each.</summary>
public sealed class AlertmanagerVerdictTests(ITestOutputHelper output)
{
    private static readonly int Count = int.Parse(Environment.GetEnvironmentVariable("OPTIINFRA_DIFFERENTIAL_FILES") ?? "400", CultureInfo.InvariantCulture);

    private const string Base = """
        global:
          resolve_timeout: 5m
          smtp_smarthost: mail:25
          smtp_from: a@b
          slack_api_url: https://hooks.slack.com/x
          http_config:
            follow_redirects: true
        route:
          receiver: team
          group_by: [alertname, job]
          group_wait: 30s
          group_interval: 5m
          repeat_interval: 4h
          routes:
          - receiver: pager
            matchers:
            - severity="critical"
            - team=~"a|b"
            continue: true
            mute_time_intervals: [nights]
          - match: {team: x}
            match_re: {job: "a.*"}
            active_time_intervals: [days]
        inhibit_rules:
        - source_matchers: [severity="critical"]
          target_matchers:
          - severity=~"warning|info"
          equal: [alertname]
        receivers:
        - name: team
          slack_configs:
          - channel: '#x'
            send_resolved: true
            actions:
            - {type: button, text: go, url: 'http://x'}
          email_configs:
          - to: a@b
        - name: pager
          pagerduty_configs:
          - routing_key: k
          webhook_configs:
          - url: http://hook/x
            http_config:
              basic_auth: {username: u, password: p}
          telegram_configs:
          - {bot_token: t, chat_id: 5}
        time_intervals:
        - name: nights
          time_intervals:
          - times:
            - start_time: '00:00'
              end_time: '06:00'
            weekdays: ['monday:friday', sunday]
            days_of_month: ['1:5', '-3:-1']
            months: ['january:march', '12']
            years: ['2024:2026']
            location: UTC
        - name: days
          time_intervals: []
        """;

    private static readonly string[] Values =
    [
        "", "~", "5m", "0s", "0", "5", "x", "''", "[]", "{}", "[a]", "{a: b}", "true", "yes", "maybe", "http://x", "ftp://x", "http://", "host:80", "host", ":80", "team", "nobody", "nights", "[nights]", "[nowhere]",
        "['...']", "['...', a]", "[a, a]", "[\"\"]", "'a=b'", "['a=b']", "['a=\"b\"']", "['a']", "['a=~\"(\"']", "['{a=b}']", "['a=b,c=d']", "['a=b,']", "['\"a b\"=c']", "['é=x']", "['a=b\"c']", "['a==b']", "[a=b c]",
        "['a=~b|c']", "['{a=b']", "['a b=c']", "['=x']", "[a!~b]", "['a=\"\\\\x\"']", "['']", "[',']", "{1a: b}", "{a: '('}", "'25:00'", "'06:00'", "['monday']", "['friday:monday']", "['x']", "['31:1']", "['0']", "['-1:1']",
        "['13']", "['dec']", "['march:january']", "['2026:2024']", "Nowhere/City", "Europe/Berlin", "1.5h", "basic",
    ];

    private static readonly string[] Lines =
    [
        "unknown: 1", "  unknown: 1", "  continue: true", "  matchers: [a=b]", "  mute_time_intervals: [nights]", "- name: team", "- name: other", "  smtp_auth_password: x", "  smtp_auth_password_file: y", "  slack_api_url_file: z",
        "    - {type: button, text: go}", "    - {type: button}", "  - url_file: x", "  - {url: 'http://x', url_file: y}", "  discord_configs:\n  - {}", "  discord_configs:\n  - webhook_url: http://x", "  opsgenie_configs:\n  - {api_key: k}",
        "  opsgenie_configs:\n  - {}", "  victorops_configs:\n  - {api_key: k, routing_key: r}", "  victorops_configs:\n  - {api_key: k}", "  pushover_configs:\n  - {user_key: u, token: t}", "  pushover_configs:\n  - {user_key: u}",
        "  sns_configs:\n  - {topic_arn: a}", "  sns_configs:\n  - {}", "  sns_configs:\n  - {topic_arn: a, phone_number: b}", "  sns_configs:\n  - {topic_arn: a, target_arn: b}", "  webex_configs:\n  - {room_id: r}",
        "  webex_configs:\n  - {room_id: r, http_config: {authorization: {credentials: c}}}", "  msteams_configs:\n  - {webhook_url: 'http://x'}", "  msteamsv2_configs:\n  - {}", "  jira_configs:\n  - {project: p, issue_type: t, api_url: 'http://j'}",
        "  jira_configs:\n  - {project: p, issue_type: t}", "  wechat_configs:\n  - {api_secret: s, corp_id: c}", "  wechat_configs:\n  - {}", "  rocketchat_configs:\n  - {token: t, token_id: i}", "  rocketchat_configs:\n  - {}",
        "  telegram_configs:\n  - {bot_token: t}", "              bearer_token: x", "            bearer_token: x", "      authorization: {type: Basic}", "      tls_config: {cert_file: x}", "      tls_config: {min_version: TLS09}", "      no_proxy: x",
        "      oauth2: {client_id: x}", "      proxy_from_environment: true", "templates: [x.tmpl]", "mute_time_intervals:\n- {name: days, time_intervals: []}", "mute_time_intervals:\n- {name: m}", "    title: x", "  - {}",
    ];

    [ToolFact("amtool")]
    public void Mutated_configurations_get_amtools_verdict()
    {
        var random = new Random(3);
        string[] files = ["", Base, "route: {receiver: a}", "route: {receiver: a}\nreceivers: [{name: a}]", .. Enumerable.Range(0, Count).Select(_ => Mutate(random))];
        string folder = Directory.CreateTempSubdirectory("optiinfra-am-").FullName;
        string[] names = [.. files.Select((_, i) => Path.Combine(folder, $"f{i}.yml"))];
        foreach ((string name, string text) in names.Zip(files))
        {
            File.WriteAllText(name, text);
        }
        using Process process = Process.Start(new ProcessStartInfo(Tools.Find("amtool")!, ["check-config", .. names]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> rest = process.StandardError.ReadToEndAsync();
        string[] answers = process.StandardOutput.ReadToEnd().Split("Checking '");
        process.WaitForExit();
        Directory.Delete(folder, recursive: true);
        Dictionary<string, string> verdicts = answers.Skip(1).ToDictionary(answer => answer[..answer.IndexOf('\'', StringComparison.Ordinal)], answer => answer);

        int differences = 0, refused = 0;
        for (int i = 0; i < files.Length; i++)
        {
            AlertmanagerConfig ours = AlertmanagerConfig.Parse(files[i]);
            string theirs = verdicts[names[i]];
            bool accepted = theirs.Contains("SUCCESS", StringComparison.Ordinal);
            refused += accepted ? 0 : 1;
            if (ours.IsValid != accepted)
            {
                differences++;
                output.WriteLine($"---- amtool: {theirs.Trim().ReplaceLineEndings(" ")}\n     ours: {string.Join("; ", ours.Diagnostics)}\n     changed: {string.Join(" | ", files[i].Split('\n').Except(Base.Split('\n')))}");
            }
        }
        output.WriteLine($"{files.Length} files, {refused} refused, {differences} other verdicts");
        Assert.Equal(0, differences);
    }

    private static string Mutate(Random random)
    {
        List<string> lines = [.. Base.Split('\n')];
        for (int edits = random.Next(1, 3); edits > 0; edits--)
        {
            int at = random.Next(lines.Count);
            switch (random.Next(5))
            {
                case 0:
                    lines.RemoveAt(at);
                    break;
                case 1:
                    lines.Insert(at, Lines[random.Next(Lines.Length)]);
                    break;
                default:
                    int colon = lines[at].IndexOf(": ", StringComparison.Ordinal);
                    lines[at] = (colon < 0 ? lines[at] + " " : lines[at][..(colon + 2)]) + Values[random.Next(Values.Length)];
                    break;
            }
        }
        return string.Join('\n', lines);
    }
}
