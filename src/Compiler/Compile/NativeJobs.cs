using OptiInfra.Compiler.Model;
using OptiInfra.Crds;
using OptiInfra.Crds.Schema;

namespace OptiInfra.Compiler.Compile;

/// <summary>
/// Native discovery: every job finds its own targets through Prometheus. All jobs of a namespace use the very same
/// discovery configuration, which Prometheus then runs once; each job keeps its own targets by relabelling.
/// </summary>
internal static class NativeJobs
{
    /// <summary>A complete file for <c>scrape_config_files</c>.</summary>
    public static string Write(IReadOnlyList<JobModel> jobs, StackModel stack, SecretFiles secrets)
    {
        var yaml = new YamlWriter();
        yaml.Begin("scrape_configs");
        foreach (JobModel job in jobs)
        {
            Job(yaml, job, stack, secrets);
        }

        return yaml.End().ToString();
    }

    private static void Job(YamlWriter yaml, JobModel job, StackModel stack, SecretFiles secrets)
    {
        yaml.BeginItem().Pair("job_name", job.Job);
        yaml.Pair("scrape_interval", job.Interval).Pair("scrape_timeout", job.Timeout);
        yaml.PairIf("metrics_path", job.Path == "/metrics" ? null : job.Path);
        yaml.PairIf("scheme", job.Scheme == "http" ? null : job.Scheme);
        if (job.Params is { Count: > 0 } parameters)
        {
            yaml.Begin("params");
            foreach ((string name, IReadOnlyList<string> values) in parameters.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            {
                yaml.Flow(name, values);
            }

            yaml.End();
        }

        ScrapeYaml.SharedSettings(yaml, job, stack, secrets, targetLimit: true);
        if (job.Source.Kind == TargetSourceKind.Static)
        {
            StaticTargets(yaml, job);
        }
        else
        {
            yaml.Begin("kubernetes_sd_configs").BeginItem();
            yaml.Pair("role", IsPods(job) ? "pod" : "endpointslice");
            yaml.Begin("namespaces").Flow("names", [job.Namespace]).End();
            yaml.EndItem().End();
        }

        Relabeling[] steps = [.. Discovery.Steps(job), .. job.OwnRelabelings, .. job.Settings.Relabelings ?? []];
        ScrapeYaml.Relabelings(yaml, "relabel_configs", steps);
        ScrapeYaml.Relabelings(yaml, "metric_relabel_configs", job.Settings.MetricRelabelings);
        yaml.EndItem();
    }

    private static void StaticTargets(YamlWriter yaml, JobModel job)
    {
        yaml.Begin("static_configs").BeginItem().Begin("targets");
        foreach (string address in job.Source.Addresses!)
        {
            yaml.Item(address);
        }

        yaml.End().Begin("labels");
        foreach ((string key, string value) in job.Labels)
        {
            yaml.Pair(key, value);
        }

        yaml.End().EndItem().End();
    }

    private static bool IsPods(JobModel job) => job.Source.Kind is TargetSourceKind.Pods or TargetSourceKind.AnnotatedPods;
}
