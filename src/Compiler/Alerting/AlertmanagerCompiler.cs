using OptiInfra.Compiler.Compile;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds;
using OptiInfra.Crds.Schema;
using OptiInfra.PromQL.Text;

namespace OptiInfra.Compiler.Alerting;

/// <summary>What the routes of all policies of a stack compile to.</summary>
public sealed record CompiledAlerting
{
    /// <summary>alertmanager.yml.</summary>
    public required string Text { get; init; }

    public required string Hash { get; init; }

    /// <summary>The Secrets whose values the receivers read from files.</summary>
    public IReadOnlyList<SecretFile> Secrets { get; init; } = [];

    /// <summary>Policies whose routes have a mistake and were left out, as namespace/name.</summary>
    public IReadOnlyList<string> Quarantined { get; init; } = [];

    public required IReadOnlyList<Diagnostic> Diagnostics { get; init; }
}

/// <summary>
/// Compiles the routing tree: one branch for each policy, chosen by the label that its alerts carry, so that no policy can
/// route or silence the alerts of another. A policy with a mistake is left out, the others are not touched. Secrets are
/// named as files; none of their values is in the text.
/// </summary>
public static class AlertmanagerCompiler
{
    private const string Nobody = "nobody";

    public static CompiledAlerting Compile(StackModel stack, IReadOnlyList<AlertPolicy> policies)
    {
        ArgumentNullException.ThrowIfNull(stack);
        ArgumentNullException.ThrowIfNull(policies);
        List<Diagnostic> diagnostics = [];
        List<string> quarantined = [];
        List<PolicyRoutes> routes = [];
        foreach (AlertPolicy policy in policies.OrderBy(policy => policy.Metadata.Namespace, StringComparer.Ordinal).ThenBy(policy => policy.Metadata.Name, StringComparer.Ordinal))
        {
            var report = new Report($"AlertPolicy {policy.Metadata.Namespace ?? "default"}/{policy.Metadata.Name}");
            NotificationChecks.Run(policy, stack, report);
            diagnostics.AddRange(report.Diagnostics);
            if (report.HasErrors)
            {
                quarantined.Add($"{policy.Metadata.Namespace ?? "default"}/{policy.Metadata.Name}");
            }
            else
            {
                routes.Add(PolicyRoutes.Of(policy));
            }
        }

        var fallbackReport = new Report($"MonitoringStack {stack.Namespace}/{stack.Name}");
        NotificationChecks.Fallback(stack, fallbackReport);
        diagnostics.AddRange(fallbackReport.Diagnostics);
        PolicyRoutes? fallback = fallbackReport.HasErrors ? null : PolicyRoutes.Fallback(stack);

        var secrets = new SortedDictionary<string, SecretFile>(StringComparer.Ordinal);
        string text = Write(stack, routes, fallback, secrets);
        return new CompiledAlerting { Text = text, Hash = Naming.Hash(text), Secrets = [.. secrets.Values], Quarantined = quarantined, Diagnostics = diagnostics };
    }

    private static string Write(StackModel stack, List<PolicyRoutes> policies, PolicyRoutes? fallback, SortedDictionary<string, SecretFile> secrets)
    {
        PolicyRoutes[] all = fallback is null ? [.. policies] : [.. policies, fallback];
        var yaml = new YamlWriter();
        yaml.Begin("global").Pair("resolve_timeout", "5m").End();
        yaml.Begin("route").Pair("receiver", Nobody).Flow("group_by", ["alertname", "namespace", "agent"]);
        yaml.Pair("group_wait", "30s").Pair("group_interval", "5m").Pair("repeat_interval", "4h");
        if (all.Any(routes => routes.Notifications.Count > 0))
        {
            yaml.Begin("routes");
            foreach (PolicyRoutes routes in all.Where(routes => routes.Notifications.Count > 0))
            {
                routes.WriteRoute(yaml, Nobody);
            }

            yaml.End();
        }

        yaml.End();
        if (policies.Any(routes => routes.Policy?.Spec.Inhibit is { Count: > 0 }))
        {
            yaml.Begin("inhibit_rules");
            foreach (PolicyRoutes routes in policies)
            {
                routes.WriteInhibitions(yaml);
            }

            yaml.End();
        }

        if (policies.Any(routes => routes.Policy?.Spec.Times is { Count: > 0 }))
        {
            yaml.Begin("time_intervals");
            foreach (PolicyRoutes routes in policies)
            {
                routes.WriteTimes(yaml);
            }

            yaml.End();
        }

        yaml.Begin("receivers");
        yaml.BeginItem().Pair("name", Nobody).EndItem();
        foreach (PolicyRoutes routes in all)
        {
            var files = new SecretFiles(routes.SecretNamespace(stack), prefix: "");
            var stackFiles = new SecretFiles(stack.Namespace, prefix: "");
            foreach ((Notification notification, string name) in routes.Notifications)
            {
                Receivers.Write(yaml, name, notification, stack, files, stackFiles);
            }

            foreach (SecretFile file in files.All.Concat(stackFiles.All))
            {
                secrets[file.File] = file;
            }
        }

        return yaml.End().ToString();
    }
}
