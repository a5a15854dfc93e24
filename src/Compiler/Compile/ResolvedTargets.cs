using System.Text.Json;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds;
using OptiInfra.Crds.Schema;

namespace OptiInfra.Compiler.Compile;

/// <summary>
/// Resolved discovery: <c>sync</c> finds the targets and writes them as files. What may differ from target to target
/// travels in its labels; what may not (authentication, TLS, limits, relabelling) makes the class, and each class is one
/// scrape job for all agents that share it.
/// </summary>
internal static class ResolvedTargets
{
    public static string Write(IReadOnlyList<JobModel> jobs, StackModel stack, SecretFiles secrets, List<ScrapeClass> classes)
    {
        var specs = new TargetSpec[jobs.Count];
        for (int i = 0; i < specs.Length; i++)
        {
            ScrapeClass scrapeClass = ClassOf(jobs[i], stack, secrets);
            if (!classes.Any(known => known.Id == scrapeClass.Id))
            {
                classes.Add(scrapeClass);
            }

            specs[i] = Spec(jobs[i], scrapeClass.Id);
        }

        return JsonSerializer.Serialize(new TargetFile { Jobs = specs }, TargetJson.Default.TargetFile) + "\n";
    }

    private static TargetSpec Spec(JobModel job, string scrapeClass)
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal) { ["job"] = job.Job };
        foreach ((string key, string value) in job.Labels)
        {
            labels[key] = value;
        }

        labels["__scheme__"] = job.Scheme;
        labels["__metrics_path__"] = job.Path;
        labels["__scrape_interval__"] = job.Interval;
        labels["__scrape_timeout__"] = job.Timeout;
        foreach ((string name, IReadOnlyList<string> values) in job.Params ?? new Dictionary<string, IReadOnlyList<string>>())
        {
            if (values.Count == 1)
            {
                labels[$"__param_{name}"] = values[0];
            }
        }

        return new TargetSpec
        {
            Job = job.Job,
            Class = scrapeClass,
            Namespace = job.Namespace,
            Source = job.Source,
            PortName = job.Port is { Port: null } portName ? portName.ToString() : null,
            PortNumber = job.Port?.Port,
            Labels = labels,
            MaxTargets = job.Limits.Targets is > 0 and var most ? (int)Math.Min(most, int.MaxValue) : null,
        };
    }

    private static ScrapeClass ClassOf(JobModel job, StackModel stack, SecretFiles secrets)
    {
        // The settings are written twice: once to be hashed, once below the job name, which holds the hash.
        string settings = Settings(job, stack, secrets);
        string id = Naming.Hash(settings, 8);
        var yaml = new YamlWriter();
        yaml.Begin("scrape_configs").BeginItem().Pair("job_name", $"optiinfra-{id}");
        yaml.Begin("file_sd_configs").BeginItem();
        yaml.Flow("files", [$"../{Contract.TargetsDirectory}/{id}/*.json"]);
        yaml.EndItem().End().EndItem();
        yaml.Raw(settings);
        return new ScrapeClass(id, yaml.End().ToString()["scrape_configs:\n".Length..]);
    }

    private static string Settings(JobModel job, StackModel stack, SecretFiles secrets)
    {
        var yaml = new YamlWriter(depth: 1);
        (string Key, IReadOnlyList<string> Value)[] lists = [.. (job.Params ?? new Dictionary<string, IReadOnlyList<string>>()).Where(pair => pair.Value.Count != 1).OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => (pair.Key, pair.Value))];
        if (lists.Length > 0)
        {
            yaml.Begin("params");
            foreach ((string key, IReadOnlyList<string> values) in lists)
            {
                yaml.Flow(key, values);
            }

            yaml.End();
        }

        ScrapeYaml.SharedSettings(yaml, job, stack, secrets, targetLimit: false);
        Relabeling[] steps = [.. job.OwnRelabelings, .. job.Settings.Relabelings ?? []];
        ScrapeYaml.Relabelings(yaml, "relabel_configs", steps);
        ScrapeYaml.Relabelings(yaml, "metric_relabel_configs", job.Settings.MetricRelabelings);
        return yaml.ToString();
    }
}
