using System.Globalization;
using OptiInfra.Compiler.Compile;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds;

namespace OptiInfra.Compiler.Packs;

/// <summary>
/// Multi-window, multi-burn-rate alerts from the objectives of agents: the share of bad requests is recorded over seven
/// windows, and an alert fires when the error budget burns too fast over a long window and still does over a short one
/// (https://sre.google/workbook/alerting-on-slos/, method 6).
/// </summary>
internal static class SloRules
{
    public const string Alert = "ErrorBudgetBurn";

    private static readonly string[] Windows = ["5m", "30m", "1h", "2h", "6h", "1d", "3d"];

    /// <summary>Long window and its hours, short window, share of the budget that may burn in the long one, severity.</summary>
    private static readonly (string Long, double Hours, string Short, double Share, string Severity)[] Burns =
    [
        ("1h", 1, "5m", 0.02, "critical"),
        ("6h", 6, "30m", 0.05, "critical"),
        ("1d", 24, "2h", 0.10, "warning"),
        ("3d", 72, "6h", 0.10, "warning"),
    ];

    /// <summary>One kind of objective: what is bad, and of what.</summary>
    private sealed record Objective(string Name, double Percent, Func<string, string> Ratio);

    public static IEnumerable<RuleGroup> Write(AlertPolicy policy, IReadOnlyList<OptiAgent> watched, PackUse use, Report report)
    {
        foreach (OptiAgent agent in watched.Where(agent => agent.Spec.Slo is not null))
        {
            string name = agent.Metadata.Name!;
            Objective[] objectives = [.. Objectives(agent)];
            if (objectives.Length == 0)
            {
                report.Warning("policy/slo", "spec.packs", $"the objectives of {name} cannot be measured: its dialect names no requests", "set spec.dialect of the agent");
            }

            foreach (Objective objective in objectives)
            {
                string field = "spec.packs";
                Rule[] rules = [.. Recordings(agent, objective, policy), .. Alerts(agent, objective, policy)];
                yield return new RuleGroup
                {
                    Name = $"slo:{name}:{objective.Name}",
                    Interval = use.Interval ?? "30s",
                    Rules = [.. rules.Select(rule => PackExpander.Overridden(rule, use, field, report)).OfType<Rule>()],
                };
            }
        }
    }

    private static IEnumerable<Objective> Objectives(OptiAgent agent)
    {
        string where = $"namespace=\"{agent.Metadata.Namespace ?? "default"}\",agent=\"{agent.Metadata.Name}\"";
        if (Requests(agent) is not { } requests)
        {
            yield break;
        }

        if (agent.Spec.Slo?.Availability is { } availability)
        {
            yield return new Objective("availability", availability, window =>
                $"sum by (namespace, agent) (rate({requests.Bad(where)}[{window}])) / sum by (namespace, agent) (rate({requests.All}{{{where}}}[{window}]))");
        }

        if (agent.Spec.Slo?.Latency is { } latency)
        {
            // Prometheus 3 writes whole bounds as 1.0, older versions as the target does.
            string bound = StackModel.Length(latency.Threshold).Seconds.ToString(CultureInfo.InvariantCulture);
            string le = bound.Contains('.', StringComparison.Ordinal) ? $"le=\"{bound}\"" : $"le=~\"{bound}|{bound}\\\\.0\"";
            yield return new Objective("latency", latency.Target, window =>
                $"1 - sum by (namespace, agent) (rate({requests.Histogram}_bucket{{{where},{le}}}[{window}])) / sum by (namespace, agent) (rate({requests.Histogram}_count{{{where}}}[{window}]))");
        }
    }

    private static (string All, Func<string, string> Bad, string Histogram)? Requests(OptiAgent agent)
    {
        string prefix = Dialects.Prefix(agent);
        return Dialects.Name(agent.Spec.Dialect) switch
        {
            Dialects.OptiInfra => ("requests_total", where => $"requests_total{{{where},status=~\"5..\"}}", "request_duration_seconds"),
            Dialects.Kosmos => ("http_requests_total", where => $"http_requests_total{{{where},status=~\"5..\"}}", "http_request_duration_seconds"),
            Dialects.GoldenSignals => ("cugar_executions_total", where => $"cugar_executions_total{{{where},outcome=\"failure\"}}", "cugar_execution_duration_seconds"),
            Dialects.Module => ($"{prefix}_operations_total", where => $"{prefix}_errors_total{{{where}}}", $"{prefix}_operation_duration_seconds"),
            Dialects.GenAi => ("gen_ai_invoke_agent_duration_seconds_count", where => $"gen_ai_invoke_agent_duration_seconds_count{{{where},outcome=~\"failure|failed|error\"}}", "gen_ai_invoke_agent_duration_seconds"),
            _ => null,
        };
    }

    private static IEnumerable<Rule> Recordings(OptiAgent agent, Objective objective, AlertPolicy policy) => Windows.Select(window => new Rule
    {
        Record = Series(window),
        Expr = objective.Ratio(window),
        Labels = Identity(agent, objective, policy),
    });

    private static IEnumerable<Rule> Alerts(OptiAgent agent, Objective objective, AlertPolicy policy)
    {
        double budget = 1 - (objective.Percent / 100);
        double hours = agent.Spec.Slo?.Window is { } window ? StackModel.Length(window).Seconds / 3600 : 720;
        string where = string.Join(',', Identity(agent, objective, policy).Select(label => $"{label.Key}=\"{label.Value}\""));
        foreach (string severity in (string[])["critical", "warning"])
        {
            var conditions = Burns.Where(burn => burn.Severity == severity).Select(burn =>
            {
                string limit = Math.Round(burn.Share * hours / burn.Hours * budget, 10).ToString(CultureInfo.InvariantCulture);
                return $"({Series(burn.Long)}{{{where}}} > {limit} and {Series(burn.Short)}{{{where}}} > {limit})";
            });
            yield return new Rule
            {
                Alert = Alert,
                Expr = string.Join(" or ", conditions),
                For = severity == "critical" ? "2m" : "15m",
                Labels = new Dictionary<string, string> { ["severity"] = severity, ["slo"] = objective.Name, ["agent"] = agent.Metadata.Name! },
                Annotations = new Dictionary<string, string>
                {
                    ["summary"] = "{{ $labels.agent }} burns its error budget.",
                    ["description"] = $"{{{{ $value | humanizePercentage }}}} of the requests to {{{{ $labels.namespace }}}}/{{{{ $labels.agent }}}} miss the objective of {objective.Percent.ToString(CultureInfo.InvariantCulture)} % {objective.Name}.",
                    ["runbook_url"] = $"https://optiinfra.io/runbooks/{Alert}",
                },
            };
        }
    }

    // The policy is part of the series: two policies that watch the same agent must not record the same series.
    private static SortedDictionary<string, string> Identity(OptiAgent agent, Objective objective, AlertPolicy policy) => new(StringComparer.Ordinal)
    {
        ["agent"] = agent.Metadata.Name!,
        ["namespace"] = agent.Metadata.Namespace ?? "default",
        [RuleFileWriter.PolicyLabel] = $"{policy.Metadata.Namespace ?? "default"}/{policy.Metadata.Name}",
        ["slo"] = objective.Name,
    };

    private static string Series(string window) => $"agent:slo_errors:ratio_rate{window}";
}
