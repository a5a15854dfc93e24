namespace OptiInfra.Compiler.Model;

/// <summary>
/// The names that the operator, <c>sync</c>, people and tests rely on: labels of what we write, artifact kinds, and where
/// the files lie in the directory that Prometheus reads. Changing one of these is a breaking change.
/// </summary>
public static class Contract
{
    public const string ManagedByLabel = "app.kubernetes.io/managed-by";
    public const string ManagedBy = "optiinfra";
    public const string StackLabel = "optiinfra.io/stack";
    public const string ArtifactLabel = "optiinfra.io/artifact";
    public const string BucketLabel = "optiinfra.io/bucket";
    public const string AgentLabel = "optiinfra.io/agent";
    public const string ExporterLabel = "optiinfra.io/exporter";
    public const string DashboardLabel = "grafana_dashboard";
    public const string HashAnnotation = "optiinfra.io/content-hash";

    /// <summary>The root configuration's key in its ConfigMap, and its file name.</summary>
    public const string ConfigFile = "prometheus.yml";

    /// <summary>Resolved discovery: the key that holds one scrape job per class of settings.</summary>
    public const string ClassesFile = "classes.yml";

    /// <summary>Alertmanager's configuration, in its Secret.</summary>
    public const string AlertmanagerFile = "alertmanager.yml";

    // Directories beside prometheus.yml.
    public const string ScrapeDirectory = "scrape";
    public const string RulesDirectory = "rules";
    public const string TargetsDirectory = "targets";
    public const string SecretsDirectory = "secrets";
}

/// <summary>What a ConfigMap or Secret of ours holds; the value of the label <see cref="Contract.ArtifactLabel"/>.</summary>
public static class Artifacts
{
    public const string Scrape = "scrape";
    public const string Rules = "rules";
    public const string Config = "config";
    public const string Secrets = "secrets";
    public const string Alertmanager = "alertmanager";
    public const string Dashboard = "dashboard";
}
