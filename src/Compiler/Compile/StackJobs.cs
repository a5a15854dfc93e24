using OptiInfra.Compiler.Model;
using OptiInfra.Crds;
using OptiInfra.Crds.Schema;

namespace OptiInfra.Compiler.Compile;

/// <summary>The jobs of the root configuration: Prometheus itself, and the parts of the cluster that the stack asks for.</summary>
internal static class StackJobs
{
    private const string Account = "/var/run/secrets/kubernetes.io/serviceaccount";

    public static void Write(YamlWriter yaml, StackModel stack)
    {
        yaml.BeginItem().Pair("job_name", "prometheus");
        yaml.Begin("static_configs").BeginItem().Flow("targets", ["localhost:9090"]).EndItem().End().EndItem();
        if (stack.ForFiles || stack.Spec.Cluster is not { } cluster)
        {
            return;
        }

        if (cluster.ApiServer == true)
        {
            ApiServer(yaml);
        }

        if (cluster.Nodes == true)
        {
            Kubelet(yaml, "kubernetes-nodes", "/metrics");
        }

        if (cluster.Containers == true)
        {
            Kubelet(yaml, "kubernetes-containers", "/metrics/cadvisor");
        }

        if (cluster.AnnotatedPods == true)
        {
            Annotated(yaml, stack, "kubernetes-pods", "pod", TargetSourceKind.AnnotatedPods);
        }

        if (cluster.AnnotatedServices == true)
        {
            Annotated(yaml, stack, "kubernetes-services", "endpointslice", TargetSourceKind.AnnotatedServices);
        }
    }

    private static void ApiServer(YamlWriter yaml)
    {
        yaml.BeginItem().Pair("job_name", "kubernetes-apiservers").Pair("scheme", "https");
        Credentials(yaml);
        yaml.Begin("kubernetes_sd_configs").BeginItem().Pair("role", "endpointslice");
        yaml.Begin("namespaces").Flow("names", ["default"]).End().EndItem().End();
        ScrapeYaml.Relabelings(yaml, "relabel_configs",
        [
            new Relabeling
            {
                SourceLabels = ["__meta_kubernetes_service_name", "__meta_kubernetes_endpointslice_port_name"],
                Regex = "kubernetes;https",
                Action = RelabelAction.Keep,
            },
        ]);
        yaml.EndItem();
    }

    private static void Kubelet(YamlWriter yaml, string job, string path)
    {
        yaml.BeginItem().Pair("job_name", job).PairIf("metrics_path", path == "/metrics" ? null : path).Pair("scheme", "https");
        Credentials(yaml);
        yaml.Begin("kubernetes_sd_configs").BeginItem().Pair("role", "node").EndItem().End();
        ScrapeYaml.Relabelings(yaml, "relabel_configs",
        [
            new Relabeling { SourceLabels = ["__meta_kubernetes_node_name"], TargetLabel = "node" },
            new Relabeling { Regex = "__meta_kubernetes_node_label_(.+)", Action = RelabelAction.LabelMap },
        ]);
        yaml.EndItem();
    }

    private static void Annotated(YamlWriter yaml, StackModel stack, string job, string role, TargetSourceKind kind)
    {
        yaml.BeginItem().Pair("job_name", job);
        yaml.Begin("kubernetes_sd_configs").BeginItem().Pair("role", role);
        if (stack.Spec.Namespaces?.MatchNames is { Count: > 0 } names && stack.Spec.Namespaces.Selector is null)
        {
            yaml.Begin("namespaces").Flow("names", names.Order(StringComparer.Ordinal)).End();
        }

        yaml.EndItem().End();
        var model = new JobModel
        {
            Job = job,
            Namespace = "",
            Source = new TargetSource { Kind = kind },
            Labels = [],
            Scheme = "http",
            Interval = stack.Interval,
            Timeout = stack.Timeout,
            Settings = new ScrapeSettings(),
            Limits = LimitRules.Effective(null, stack.Spec.Defaults?.Limits, stack.Spec.Maximum?.Limits),
        };
        ScrapeYaml.Limits(yaml, model.Limits, targetLimit: false);
        Relabeling[] steps = [.. Discovery.Steps(model), new Relabeling { SourceLabels = ["__meta_kubernetes_namespace"], TargetLabel = "namespace" }];
        ScrapeYaml.Relabelings(yaml, "relabel_configs", steps);
        yaml.EndItem();
    }

    private static void Credentials(YamlWriter yaml)
    {
        yaml.Begin("authorization").Pair("credentials_file", $"{Account}/token").End();
        yaml.Begin("tls_config").Pair("ca_file", $"{Account}/ca.crt").End();
    }
}
