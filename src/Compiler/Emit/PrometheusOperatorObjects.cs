using System.Text.Json.Nodes;
using OptiInfra.Compiler.Compile;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Compiler.Emit;

/// <summary>
/// The same jobs, rules and routes as resources of the prometheus-operator (monitoring.coreos.com), for clusters that run
/// it: Services become ServiceMonitors, Pods PodMonitors, everything else ScrapeConfigs. Labels, job names and rules are
/// those that our own emission gives.
/// </summary>
internal static class PrometheusOperatorObjects
{
    private const string Group = "monitoring.coreos.com";

    public static readonly ResourceKind ServiceMonitor = new(Group, "v1", "ServiceMonitor", "servicemonitors");
    public static readonly ResourceKind PodMonitor = new(Group, "v1", "PodMonitor", "podmonitors");
    public static readonly ResourceKind ScrapeConfig = new(Group, "v1alpha1", "ScrapeConfig", "scrapeconfigs");
    public static readonly ResourceKind PrometheusRule = new(Group, "v1", "PrometheusRule", "prometheusrules");
    public static readonly ResourceKind AlertmanagerConfig = new(Group, "v1alpha1", "AlertmanagerConfig", "alertmanagerconfigs");

    /// <summary>The monitors of an agent, and a Secret with what they can only take from one (user names).</summary>
    public static IEnumerable<Manifest> Monitors(OptiAgent agent, IReadOnlyList<JobModel> jobs, StackModel stack)
    {
        string ns = agent.Metadata.Namespace ?? "default";
        string agentName = agent.Metadata.Name!;
        var labels = new Dictionary<string, string> { [Contract.StackLabel] = stack.Name, [Contract.AgentLabel] = agentName };
        JsonObject names = [];
        for (int i = 0; i < jobs.Count; i++)
        {
            JobModel job = jobs[i];
            string name = i == 0 && agent.Spec.Target is not null ? agentName : Naming.AgentObject(agentName, job.Job[(job.Job.LastIndexOf('/') + 1)..]);
            JsonObject scrape = Scrape(job, $"{agentName}-scrape", names);
            yield return job.Source.Kind switch
            {
                TargetSourceKind.Service => Manifest.Create(ServiceMonitor, ns, name, labels, Monitor(job, scrape, "endpoints")),
                TargetSourceKind.Pods => Manifest.Create(PodMonitor, ns, name, labels, Monitor(job, scrape, "podMetricsEndpoints")),
                _ => Manifest.Create(ScrapeConfig, ns, name, labels, Config(job, scrape)),
            };
        }

        if (names.Count > 0)
        {
            yield return Manifest.Create(Kinds.Secret, ns, $"{agentName}-scrape", labels, new JsonObject { ["stringData"] = names });
        }
    }

    /// <summary>The rules of a policy.</summary>
    public static Manifest Rules(AlertPolicy policy, IReadOnlyList<RuleGroup> groups, StackModel stack) =>
        Manifest.Create(PrometheusRule, policy.Metadata.Namespace ?? "default", policy.Metadata.Name!, Labels(stack), new JsonObject
        {
            ["spec"] = new JsonObject { ["groups"] = new JsonArray([.. groups.Select(group => RuleGroupJson(group, policy, stack))]) },
        });

    /// <summary>The routes of a policy; null when it has none.</summary>
    public static Manifest? Routes(AlertPolicy policy, StackModel stack) => policy.Spec.Notify is { Count: > 0 }
        ? Manifest.Create(AlertmanagerConfig, policy.Metadata.Namespace ?? "default", policy.Metadata.Name!, Labels(stack), new JsonObject { ["spec"] = OperatorRoutes.Spec(policy, stack) })
        : null;

    private static Dictionary<string, string> Labels(StackModel stack) => new() { [Contract.StackLabel] = stack.Name };

    private static JsonObject RuleGroupJson(RuleGroup group, AlertPolicy policy, StackModel stack)
    {
        var json = new JsonObject { ["name"] = group.Name };
        Put(json, "interval", group.Interval);
        Put(json, "query_offset", stack.Version >= Versions.QueryOffset ? group.QueryOffset : null);
        Put(json, "limit", group.Limit);
        json["rules"] = new JsonArray([.. (group.Rules ?? []).Select(rule =>
        {
            var item = new JsonObject();
            Put(item, "alert", rule.Alert);
            Put(item, "record", rule.Record);
            item["expr"] = rule.Expr;
            Put(item, "for", rule.For);
            Put(item, "keep_firing_for", rule.KeepFiringFor);
            var labels = new SortedDictionary<string, string>(StringComparer.Ordinal);
            foreach ((string key, string value) in (group.Labels ?? new Dictionary<string, string>()).Concat(rule.Labels ?? new Dictionary<string, string>()))
            {
                labels[key] = value;
            }

            if (rule.Alert is not null)
            {
                labels[RuleFileWriter.PolicyLabel] = $"{policy.Metadata.Namespace ?? "default"}/{policy.Metadata.Name}";
            }

            Put(item, "labels", labels);
            Put(item, "annotations", rule.Annotations);
            return item;
        })]);
        return json;
    }

    private static JsonObject Monitor(JobModel job, JsonObject endpoint, string list)
    {
        if (job.Port is { Port: { } number })
        {
            endpoint[list == "endpoints" ? "targetPort" : "portNumber"] = number;
        }
        else if (job.Port is { } port)
        {
            endpoint["port"] = port.ToString();
        }

        // A monitor chooses Services by labels only; one that is named is kept by its name.
        Relabeling[] own = job.Source.Name is { } name ? [new() { SourceLabels = ["__meta_kubernetes_service_name"], Regex = Discovery.Escape(name), Action = RelabelAction.Keep }] : [];
        AddRelabelings(endpoint, job, own, "relabelings", "metricRelabelings");
        var spec = new JsonObject { ["selector"] = Selector(job.Source.Selector), [list] = new JsonArray(endpoint) };
        Limits(spec, job.Limits);
        return new JsonObject { ["spec"] = spec };
    }

    private static JsonObject Config(JobModel job, JsonObject scrape)
    {
        // ScrapeConfig spells three fields as Prometheus does.
        Rename(scrape, "path", "metricsPath");
        Rename(scrape, "interval", "scrapeInterval");
        if (scrape["scheme"] is JsonValue scheme)
        {
            scrape["scheme"] = ((string)scheme!).ToUpperInvariant();
        }

        if (job.Source.Kind == TargetSourceKind.Static)
        {
            var labels = new JsonObject { ["job"] = job.Job };
            foreach ((string key, string value) in job.Labels)
            {
                labels[key] = value;
            }

            scrape["staticConfigs"] = new JsonArray(new JsonObject { ["targets"] = new JsonArray([.. job.Source.Addresses!.Select(address => JsonValue.Create(address))]), ["labels"] = labels });
            AddRelabelings(scrape, job with { Labels = [] }, [], "relabelings", "metricRelabelings");
        }
        else
        {
            scrape["kubernetesSDConfigs"] = new JsonArray(new JsonObject
            {
                ["role"] = job.Source.Kind == TargetSourceKind.AnnotatedPods ? "Pod" : "EndpointSlice",
                ["namespaces"] = new JsonObject { ["names"] = new JsonArray(job.Namespace) },
            });
            AddRelabelings(scrape, job with { Labels = [] }, [.. Discovery.Steps(job)], "relabelings", "metricRelabelings");
        }

        Limits(scrape, job.Limits);
        return new JsonObject { ["spec"] = scrape };
    }

    private static JsonObject Scrape(JobModel job, string secret, JsonObject names)
    {
        ScrapeSettings settings = job.Settings;
        var json = new JsonObject { ["path"] = job.Path, ["scheme"] = job.Scheme, ["interval"] = job.Interval, ["scrapeTimeout"] = job.Timeout };
        if (job.Params is { Count: > 0 } parameters)
        {
            var map = new JsonObject();
            foreach ((string key, IReadOnlyList<string> values) in parameters.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            {
                map[key] = new JsonArray([.. values.Select(value => JsonValue.Create(value))]);
            }

            json["params"] = map;
        }

        Put(json, "honorLabels", settings.HonorLabels);
        Put(json, "honorTimestamps", settings.HonorTimestamps);
        Put(json, "followRedirects", settings.FollowRedirects);
        if (settings.Auth?.Bearer is { } bearer)
        {
            json["authorization"] = new JsonObject { ["type"] = "Bearer", ["credentials"] = Key(bearer) };
        }

        if (settings.Auth?.Basic is { } basic)
        {
            names["username"] = basic.Username;
            json["basicAuth"] = new JsonObject { ["username"] = new JsonObject { ["name"] = secret, ["key"] = "username" }, ["password"] = Key(basic.Password) };
        }

        if (settings.Auth?.Oauth2 is { } oauth)
        {
            names["clientId"] = oauth.ClientId;
            var json2 = new JsonObject { ["clientId"] = new JsonObject { ["secret"] = new JsonObject { ["name"] = secret, ["key"] = "clientId" } }, ["clientSecret"] = Key(oauth.ClientSecret), ["tokenUrl"] = oauth.TokenUrl };
            Put(json2, "scopes", oauth.Scopes);
            Put(json2, "endpointParams", oauth.EndpointParams);
            json["oauth2"] = json2;
        }

        if (settings.Tls is { } tls && tls != new TlsSettings())
        {
            var config = new JsonObject();
            if (tls.Ca is not null)
            {
                config["ca"] = new JsonObject { ["secret"] = Key(tls.Ca) };
            }

            if (tls.Cert is not null)
            {
                config["cert"] = new JsonObject { ["secret"] = Key(tls.Cert) };
                config["keySecret"] = Key(tls.Key!);
            }

            Put(config, "serverName", tls.ServerName);
            Put(config, "insecureSkipVerify", tls.InsecureSkipVerify);
            json["tlsConfig"] = config;
        }

        return json;
    }

    private static void AddRelabelings(JsonObject json, JobModel job, IReadOnlyList<Relabeling> own, string before, string after)
    {
        Relabeling[] labels = job.Labels.Count == 0 ? [] :
        [
            new() { SourceLabels = ["__meta_kubernetes_pod_label_app_kubernetes_io_version"], Regex = "(.+)", TargetLabel = "version" },
            .. job.Labels.Select(label => new Relabeling { TargetLabel = label.Key, Replacement = label.Value.Replace("$", "$$", StringComparison.Ordinal) }),
        ];
        Relabeling[] steps =
        [
            .. own, .. labels,
            .. job.Source.Kind == TargetSourceKind.Static ? (Relabeling[])[] : [new() { TargetLabel = "job", Replacement = job.Job }],
            .. job.OwnRelabelings, .. job.Settings.Relabelings ?? [],
        ];
        if (steps.Length > 0)
        {
            json[before] = new JsonArray([.. steps.Select(Step)]);
        }

        if (job.Settings.MetricRelabelings is { Count: > 0 } metric)
        {
            json[after] = new JsonArray([.. metric.Select(Step)]);
        }
    }

    private static JsonObject Step(Relabeling step)
    {
        var json = new JsonObject { ["action"] = CommonChecks.Name(step.Action ?? RelabelAction.Replace) };
        Put(json, "sourceLabels", step.SourceLabels);
        Put(json, "separator", step.Separator);
        Put(json, "regex", step.Regex);
        Put(json, "targetLabel", step.TargetLabel);
        Put(json, "replacement", step.Replacement);
        if (step.Modulus is { } modulus)
        {
            json["modulus"] = modulus;
        }

        return json;
    }

    private static JsonObject Selector(LabelSelector? selector)
    {
        var json = new JsonObject();
        Put(json, "matchLabels", selector?.MatchLabels);
        if (selector?.MatchExpressions is { Count: > 0 } expressions)
        {
            json["matchExpressions"] = new JsonArray([.. expressions.Select(expression =>
            {
                var item = new JsonObject { ["key"] = expression.Key, ["operator"] = expression.Operator };
                Put(item, "values", expression.Values);
                return item;
            })]);
        }

        return json;
    }

    private static void Limits(JsonObject json, ScrapeLimits limits)
    {
        foreach ((string key, long? value) in ((string, long?)[])
        [
            ("sampleLimit", limits.Samples), ("targetLimit", limits.Targets), ("labelLimit", limits.Labels),
            ("labelNameLengthLimit", limits.LabelNameLength), ("labelValueLengthLimit", limits.LabelValueLength),
        ])
        {
            if (value is { } number)
            {
                json[key] = number;
            }
        }

        Put(json, "bodySizeLimit", limits.BodySize);
    }

    internal static JsonObject Key(SecretKey key) => new() { ["name"] = key.Name, ["key"] = key.Key };

    internal static void Put(JsonObject json, string key, string? value)
    {
        if (value is not null)
        {
            json[key] = value;
        }
    }

    private static void Put(JsonObject json, string key, bool? value)
    {
        if (value is { } flag)
        {
            json[key] = flag;
        }
    }

    private static void Put(JsonObject json, string key, int? value)
    {
        if (value is { } number)
        {
            json[key] = number;
        }
    }

    internal static void Put(JsonObject json, string key, IReadOnlyList<string>? values)
    {
        if (values is { Count: > 0 })
        {
            json[key] = new JsonArray([.. values.Select(value => JsonValue.Create(value))]);
        }
    }

    private static void Put(JsonObject json, string key, IReadOnlyDictionary<string, string>? map)
    {
        if (map is not { Count: > 0 })
        {
            return;
        }

        var node = new JsonObject();
        foreach ((string name, string value) in map.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            node[name] = value;
        }

        json[key] = node;
    }

    private static void Rename(JsonObject json, string from, string to)
    {
        JsonNode? value = json[from];
        json.Remove(from);
        json[to] = value;
    }
}
