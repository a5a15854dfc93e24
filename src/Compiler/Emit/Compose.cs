using System.Globalization;
using System.Text;
using OptiInfra.Compiler.Exporters;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds;
using OptiInfra.Crds.Schema;

namespace OptiInfra.Compiler.Emit;

/// <summary>docker-compose.yml: Prometheus, Alertmanager, Grafana and the exporters, on one network with the agents.</summary>
internal static class Compose
{
    private const string Network = "optiinfra-network";

    public static string Write(StackModel stack, IReadOnlyList<OptiAgent> agents, IReadOnlyCollection<string> secrets)
    {
        var yaml = new YamlWriter();
        yaml.Comment("docker compose up -d. Put the agents' own services on the network optiinfra-network, under the names of their\nServices. Variables come from .env (see .env.example); files with secrets go into secrets/.");
        foreach (string secret in secrets)
        {
            yaml.Comment($"  secrets/{secret}");
        }

        yaml.Pair("name", "optiinfra");
        yaml.Begin("services");
        Prometheus(yaml, stack);
        if (stack.Spec.Alertmanager?.Enabled != false && stack.Spec.Alertmanager?.Urls is not { Count: > 0 })
        {
            Alertmanager(yaml, stack);
        }

        if (stack.Spec.Grafana?.Mode != GrafanaMode.None)
        {
            Grafana(yaml, stack);
        }

        foreach (OptiAgent agent in agents)
        {
            foreach (Exporter exporter in (agent.Spec.Exporters ?? []).Where(exporter => !ExporterCatalog.IsBuiltIn(exporter)))
            {
                Service(yaml, agent, exporter);
            }
        }

        yaml.End();
        yaml.Begin("networks").Begin(Network).Pair("name", Network).End().End();
        yaml.Begin("volumes").Raw("  prometheus: {}\n  alertmanager: {}\n  grafana: {}\n").End();
        return yaml.ToString();
    }

    /// <summary>Where an exporter's own query file lies.</summary>
    public static string QueriesFile(ConfigMapKey queries) => $"exporters/{queries.Name}/{queries.Key}";

    /// <summary>.env.example: the variables that exporters and Grafana need, without their values.</summary>
    public static string Variables(IReadOnlyList<OptiAgent> agents)
    {
        var names = new SortedSet<string>(StringComparer.Ordinal) { "GRAFANA_ADMIN_PASSWORD" };
        foreach (Exporter exporter in agents.SelectMany(agent => agent.Spec.Exporters ?? []).Where(exporter => !ExporterCatalog.IsBuiltIn(exporter)))
        {
            names.UnionWith(ExporterPod.Of(exporter).Secrets.Select(Variable));
        }

        var text = new StringBuilder("# Copy to .env and fill in; keep .env out of version control.\n");
        foreach (string name in names)
        {
            text.Append(name).Append("=\n");
        }

        return text.ToString();
    }

    private static void Prometheus(YamlWriter yaml, StackModel stack)
    {
        yaml.Begin("prometheus").Pair("image", Images.Prometheus(stack));
        yaml.Begin("command");
        foreach (string arg in PrometheusArgs.Of(stack, "/etc/prometheus/prometheus.yml", "/prometheus"))
        {
            yaml.Item(arg);
        }

        yaml.End();
        yaml.Begin("ports").Item("9090:9090").End();
        yaml.Begin("volumes").Item("./:/etc/prometheus:ro").Item("prometheus:/prometheus").End();
        Common(yaml, "wget -qO- http://localhost:9090/-/healthy");
    }

    private static void Alertmanager(YamlWriter yaml, StackModel stack)
    {
        yaml.Begin("alertmanager").Pair("image", stack.Spec.Alertmanager?.Image ?? Images.Alertmanager);
        yaml.Begin("command").Item("--config.file=/etc/alertmanager/alertmanager.yml").Item("--storage.path=/alertmanager").End();
        yaml.Begin("ports").Item("9093:9093").End();
        yaml.Begin("volumes").Item("./alertmanager.yml:/etc/alertmanager/alertmanager.yml:ro").Item("./secrets:/etc/alertmanager/secrets:ro").Item("alertmanager:/alertmanager").End();
        Common(yaml, "wget -qO- http://localhost:9093/-/healthy");
    }

    private static void Grafana(YamlWriter yaml, StackModel stack)
    {
        yaml.Begin("grafana").Pair("image", stack.Spec.Grafana?.Image ?? Images.Grafana);
        yaml.Begin("environment").Pair("GF_SECURITY_ADMIN_PASSWORD", "${GRAFANA_ADMIN_PASSWORD:?set it in .env}").Pair("GF_USERS_ALLOW_SIGN_UP", "false").End();
        yaml.Begin("ports").Item("3000:3000").End();
        yaml.Begin("volumes").Item("./grafana/provisioning:/etc/grafana/provisioning:ro").Item("./grafana/dashboards:/var/lib/grafana/dashboards:ro").Item("grafana:/var/lib/grafana").End();
        Common(yaml, "wget -qO- http://localhost:3000/api/health");
    }

    private static void Service(YamlWriter yaml, OptiAgent agent, Exporter exporter)
    {
        var pod = ExporterPod.Of(exporter);
        yaml.Begin(ExporterCatalog.ObjectName(agent, exporter)).Pair("image", pod.Image);
        if (pod.Args.Count > 0)
        {
            yaml.Begin("command");
            foreach (string arg in pod.Args)
            {
                // Kubernetes replaces $(NAME), compose ${NAME}; here the values are the same variables.
                yaml.Item(pod.Variables.Aggregate(arg, (text, variable) => text.Replace($"$({variable.Name})", Value(variable), StringComparison.Ordinal)));
            }

            yaml.End();
        }

        if (pod.Variables.Count > 0)
        {
            yaml.Begin("environment");
            foreach (ExporterVariable variable in pod.Variables)
            {
                yaml.Pair(variable.Name, Value(variable));
            }

            yaml.End();
        }

        yaml.Begin("ports").Item($"{pod.Port.ToString(CultureInfo.InvariantCulture)}").End();
        if (pod.Queries is { } queries)
        {
            yaml.Begin("volumes").Item($"./{QueriesFile(queries)}:{ExporterPod.QueriesPath}:ro").End();
        }

        if (pod.OnEveryNode)
        {
            yaml.Begin("volumes").Item("/:/host/root:ro,rslave").End();
        }

        Common(yaml, null);
    }

    private static void Common(YamlWriter yaml, string? healthy)
    {
        yaml.Begin("networks").Item(Network).End();
        yaml.Pair("restart", "unless-stopped");
        if (healthy is not null)
        {
            yaml.Begin("healthcheck").Flow("test", ["CMD-SHELL", $"{healthy} || exit 1"]).Pair("interval", "15s").Pair("timeout", "5s").Pair("retries", 4).End();
        }

        yaml.End();
    }

    private static string Value(ExporterVariable variable) =>
        variable.Secret is { } secret ? $"${{{Variable(secret)}:?set it in .env}}" : (variable.Value ?? "").Replace("$", "$$", StringComparison.Ordinal);

    private static string Variable(SecretKey secret) => Naming.MetaLabel($"{secret.Name}_{secret.Key}").ToUpperInvariant();
}
