using System.Text.Json;
using System.Text.Json.Nodes;
using OptiInfra.Compiler.Dashboards;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds.Schema;

namespace OptiInfra.Compiler.Emit;

/// <summary>What Grafana reads at its start: the datasource, and where dashboards lie.</summary>
public static class GrafanaProvisioning
{
    public static string Datasource(string url)
    {
        var yaml = new YamlWriter();
        yaml.Pair("apiVersion", 1).Begin("datasources").BeginItem();
        yaml.Pair("name", "Prometheus").Pair("type", "prometheus").Pair("uid", "prometheus").Pair("url", url).Pair("access", "proxy").Pair("isDefault", true);
        yaml.Begin("jsonData").Pair("timeInterval", "15s").Pair("httpMethod", "POST").End();
        return yaml.EndItem().End().ToString();
    }

    public static string Dashboards(string folder)
    {
        var yaml = new YamlWriter();
        yaml.Pair("apiVersion", 1).Begin("providers").BeginItem();
        yaml.Pair("name", "optiinfra").Pair("folder", "OptiInfra").Pair("type", "file").Pair("allowUiUpdates", false).Pair("updateIntervalSeconds", 30);
        yaml.Begin("options").Pair("path", folder).End();
        return yaml.EndItem().End().ToString();
    }

    /// <summary>A dashboard as the file that Grafana loads.</summary>
    public static string Json(Dashboard dashboard)
    {
        ArgumentNullException.ThrowIfNull(dashboard);
        return GrafanaJson.Write(dashboard).ToJsonString(new JsonSerializerOptions { WriteIndented = true }) + "\n";
    }

    /// <summary>A dashboard as the ConfigMap that Grafana's sidecar looks for.</summary>
    public static Manifest ConfigMap(StackModel stack, Dashboard dashboard)
    {
        ArgumentNullException.ThrowIfNull(stack);
        ArgumentNullException.ThrowIfNull(dashboard);
        var labels = new Dictionary<string, string>(ConfigMaps.Labels(stack.Name, Artifacts.Dashboard)) { [Contract.DashboardLabel] = "1" };

        // The sidecar puts all files into one folder, so the key must be unique among all stacks.
        return Manifest.Create(Kinds.ConfigMap, stack.Namespace, Naming.StackObject(stack.Name, Artifacts.Dashboard, dashboard.Uid), labels,
            new JsonObject { ["data"] = new JsonObject { [$"{stack.Namespace}.{stack.Name}.{dashboard.Uid}.json"] = GrafanaJson.Write(dashboard).ToJsonString() } });
    }
}
