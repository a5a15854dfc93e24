using OptiInfra.Compiler.Emit;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds;
using OptiInfra.Crds.Schema;

namespace OptiInfra.Compiler.Compile;

/// <summary>Compiles a MonitoringStack to the root configuration. It names directories, not agents: adding an agent does not change it.</summary>
public static class StackCompiler
{
    /// <param name="stack">The stack.</param>
    /// <param name="image">The image that has <c>sync</c>; with it, a managed stack also compiles to its workloads.</param>
    public static CompiledStack Compile(StackModel stack, string? image = null)
    {
        ArgumentNullException.ThrowIfNull(stack);
        var report = new Report($"MonitoringStack {stack.Namespace}/{stack.Name}");
        StackChecks.Run(stack, report);
        if (report.HasErrors)
        {
            return new CompiledStack { Text = "", Hash = "", Diagnostics = report.Diagnostics };
        }

        var secrets = new SecretFiles(stack.Namespace, prefix: "");
        string text = Root(stack, secrets);
        IReadOnlyList<Manifest> manifests = image is not null && stack is { Mode: StackMode.Managed, ForFiles: false } ? ManagedStack.Of(stack, image) : [];
        return new CompiledStack { Text = text, Hash = Naming.Hash(text), Secrets = secrets.All, Manifests = manifests, Diagnostics = report.Diagnostics };
    }

    /// <summary>Resolved discovery: the file <c>classes.yml</c>, from the classes of all agents of the stack.</summary>
    public static string Classes(IEnumerable<ScrapeClass> classes)
    {
        ArgumentNullException.ThrowIfNull(classes);
        return "scrape_configs:" + string.Concat(classes.DistinctBy(item => item.Id).OrderBy(item => item.Id, StringComparer.Ordinal).Select(item => "\n" + item.Yaml.TrimEnd('\n')).DefaultIfEmpty(" []")) + "\n";
    }

    private static string Root(StackModel stack, SecretFiles secrets)
    {
        var yaml = new YamlWriter();
        yaml.Begin("global").Pair("scrape_interval", stack.Interval).Pair("scrape_timeout", AgentJobs.DefaultTimeout(stack.Interval, stack)).Pair("evaluation_interval", stack.EvaluationInterval);
        if (stack.Version >= Versions.QueryOffset)
        {
            yaml.PairIf("rule_query_offset", stack.Spec.Prometheus?.RuleQueryOffset);
        }

        ExternalLabels(yaml, stack);
        yaml.End();
        if (stack.Spec.Prometheus?.OutOfOrderWindow is { } window)
        {
            yaml.Begin("storage").Begin("tsdb").Pair("out_of_order_time_window", window).End().End();
        }

        yaml.Begin("rule_files").Item($"{Contract.RulesDirectory}/*.yml").End();
        yaml.Begin("scrape_config_files").Item($"{Contract.ScrapeDirectory}/*.yml").End();
        Alerting(yaml, stack);
        yaml.Begin("scrape_configs");
        StackJobs.Write(yaml, stack);
        yaml.End();
        RemoteWrites(yaml, stack, secrets);
        return yaml.ToString();
    }

    private static void ExternalLabels(YamlWriter yaml, StackModel stack)
    {
        var labels = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach ((string key, string value) in stack.Spec.ExternalLabels ?? new Dictionary<string, string>())
        {
            // From 3.0 on, $ starts the name of an environment variable.
            labels[key] = stack.Version >= Versions.Three ? value.Replace("$", "$$", StringComparison.Ordinal) : value;
        }

        if (stack is { Mode: StackMode.Managed, ForFiles: false } && stack.Spec.Prometheus?.Replicas > 1)
        {
            labels.TryAdd("prometheus_replica", "${POD_NAME}");
        }

        if (labels.Count > 0)
        {
            yaml.Begin("external_labels");
            ScrapeYaml.Sorted(yaml, labels);
            yaml.End();
        }
    }

    private static void Alerting(YamlWriter yaml, StackModel stack)
    {
        if (stack.Spec.Alertmanager?.Enabled == false)
        {
            return;
        }

        yaml.Begin("alerting");
        if (stack.Spec.Prometheus?.Replicas > 1)
        {
            // Copies must send the same alert, or Alertmanager could not see that it is one.
            yaml.Begin("alert_relabel_configs").BeginItem().Pair("regex", "prometheus_replica").Pair("action", "labeldrop").EndItem().End();
        }

        yaml.Begin("alertmanagers");
        if (stack.Spec.Alertmanager?.Urls is { Count: > 0 } urls)
        {
            foreach (string url in urls)
            {
                var address = new Uri(url);
                yaml.BeginItem();
                yaml.PairIf("scheme", address.Scheme == "http" ? null : address.Scheme);
                yaml.PairIf("path_prefix", address.AbsolutePath == "/" ? null : address.AbsolutePath);
                yaml.Begin("static_configs").BeginItem().Begin("targets").Item($"{address.Host}:{address.Port}").End().EndItem().End().EndItem();
            }
        }
        else if (stack.ForFiles)
        {
            yaml.BeginItem().Begin("static_configs").BeginItem().Begin("targets").Item("alertmanager:9093").End().EndItem().End().EndItem();
        }
        else
        {
            // The headless Service has one address per copy; all of them must hear of an alert.
            yaml.BeginItem().Begin("dns_sd_configs").BeginItem().Begin("names").Item($"{Naming.StackObject(stack.Name, Artifacts.Alertmanager)}.{stack.Namespace}.svc").End();
            yaml.Pair("type", "A").Pair("port", 9093).EndItem().End().EndItem();
        }

        yaml.End().End();
    }

    private static void RemoteWrites(YamlWriter yaml, StackModel stack, SecretFiles secrets)
    {
        if (stack.Spec.Prometheus?.RemoteWrite is not { Count: > 0 } writes)
        {
            return;
        }

        yaml.Begin("remote_write");
        foreach (RemoteWrite write in writes)
        {
            yaml.BeginItem().Pair("name", write.Name).Pair("url", write.Url).PairIf("remote_timeout", write.Timeout);
            if (write.Headers is { Count: > 0 } headers)
            {
                yaml.Begin("headers");
                ScrapeYaml.Sorted(yaml, headers);
                yaml.End();
            }

            yaml.PairIf("send_native_histograms", write.SendNativeHistograms == true ? true : null);
            ScrapeYaml.Auth(yaml, write.Auth, secrets);
            ScrapeYaml.Tls(yaml, write.Tls, secrets);
            ScrapeYaml.Relabelings(yaml, "write_relabel_configs", write.Relabelings);
            yaml.EndItem();
        }

        yaml.End();
    }
}
