using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using OptiInfra.Compiler.Alerting;
using OptiInfra.Compiler.Compile;
using OptiInfra.Compiler.Dashboards;
using OptiInfra.Compiler.Emit;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds;
using OptiInfra.Kubernetes.Objects;
using OptiInfra.Kubernetes.Runtime;
using OptiInfra.Operator.Sync;
using OptiInfra.PromQL.Text;

namespace OptiInfra.Operator.Reconcile;

/// <summary>What became of a stack's generation.</summary>
internal sealed record StackState
{
    public required long Generation { get; init; }

    public required IReadOnlyList<Diagnostic> Diagnostics { get; init; }

    public long? LastGoodGeneration { get; init; }

    /// <summary>The version of the root configuration's ConfigMap.</summary>
    public string? RootVersion { get; init; }

    public string? Hash { get; init; }

    public bool IsGood => !Diagnostics.Any(diagnostic => diagnostic.IsError);
}

/// <summary>
/// One MonitoringStack: its root configuration, the ConfigMap that sync reports to, and what the stack runs itself. When
/// the stack changes, everything that it serves is compiled again.
/// </summary>
internal sealed class StackReconciler(Fleet fleet, string? image, Action<ObjectKey> statusIsDue, Action<ObjectKey> servedIsDue)
{
    public ConcurrentDictionary<ObjectKey, StackState> States { get; } = new();

    public async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken stop)
    {
        MonitoringStack? stack = fleet.Stacks.Store.Get(key);
        if (stack is null || stack.Metadata.IsDeleting)
        {
            if (States.TryRemove(key, out _))
            {
                fleet.ForgetWorld(key);
                servedIsDue(key);
            }

            return ReconcileResult.Done;
        }

        StackState? before = States.GetValueOrDefault(key);
        StackWorld world = await fleet.WorldOfAsync(stack, stop);
        StackModel model = StackModel.From(stack);
        CompiledStack compiled = StackCompiler.Compile(model, image);
        long generation = stack.Metadata.Generation ?? 0;
        string? version = before?.RootVersion;
        if (compiled.IsGood)
        {
            (world.Model, world.Owner) = (model, stack.Metadata);
            version = await ApplyAsync(stack, world, compiled, stop);
        }

        States[key] = new StackState
        {
            Generation = generation,
            Diagnostics = compiled.Diagnostics,
            LastGoodGeneration = compiled.IsGood ? generation : before?.LastGoodGeneration ?? stack.Status?.LastGoodGeneration,
            RootVersion = version,
            Hash = compiled.IsGood ? compiled.Hash : before?.Hash,
        };
        if (before?.Generation != generation)
        {
            servedIsDue(key);
        }

        statusIsDue(key);
        return ReconcileResult.Done;
    }

    private async Task<string> ApplyAsync(MonitoringStack stack, StackWorld world, CompiledStack compiled, CancellationToken stop)
    {
        StackModel model = world.Model;
        List<Manifest> wanted =
        [
            Manifest.Create(Kinds.ConfigMap, model.Namespace, Naming.StackObject(model.Name, SyncReport.Artifact), ConfigMaps.Labels(model.Name, SyncReport.Artifact), []),
            .. Dashboards(world),
            .. Alerting(world),
            .. compiled.Manifests,
        ];
        string version = "";
        if (model.Mode != StackMode.PrometheusOperator)
        {
            Manifest root = ConfigMaps.Root(model, compiled.Text);
            version = await fleet.Applier.ApplyAsync(root, OptiResources.Stacks.Kind, stack.Metadata, stop);
            wanted.Add(root);
        }

        foreach (Manifest manifest in wanted)
        {
            await fleet.Applier.ApplyAsync(manifest, OptiResources.Stacks.Kind, stack.Metadata, stop);
        }

        world.Secrets.Want("", compiled.Secrets);
        return version;
    }

    /// <summary>One ConfigMap per dashboard that the served agents call for.</summary>
    private IEnumerable<Manifest> Dashboards(StackWorld world)
    {
        ObjectKey stack = new(world.Model.Namespace, world.Model.Name);
        OptiAgent[] served = [.. fleet.AgentStates.Where(pair => pair.Value.Stack == stack).Select(pair => fleet.Agents.Store.Get(pair.Key)).OfType<OptiAgent>()];
        lock (world.Looks)
        {
            world.Looks.UnionWith(served.Select(LookOf));
        }

        return DashboardLibrary.For(served).Select(dashboard => GrafanaProvisioning.ConfigMap(world.Model, dashboard));
    }

    /// <summary>The routes of all served policies, as Alertmanager's configuration.</summary>
    private IEnumerable<Manifest> Alerting(StackWorld world)
    {
        StackModel model = world.Model;
        if (model.Spec.Alertmanager?.Enabled == false || model.Mode == StackMode.PrometheusOperator)
        {
            return [];
        }

        ObjectKey stack = new(model.Namespace, model.Name);
        AlertPolicy[] served = [.. fleet.PolicyStates.Where(pair => pair.Value.Stack == stack && pair.Value.IsGood).Select(pair => fleet.Policies.Store.Get(pair.Key)).OfType<AlertPolicy>()];
        CompiledAlerting alerting = AlertmanagerCompiler.Compile(model, served);
        world.Secrets.Want("alertmanager", alerting.Secrets);
        JsonObject data = new() { [Contract.AlertmanagerFile] = Convert.ToBase64String(Encoding.UTF8.GetBytes(alerting.Text)) };
        return [Manifest.Create(Kinds.Secret, model.Namespace, Naming.StackObject(model.Name, Artifacts.Alertmanager), ConfigMaps.Labels(model.Name, Artifacts.Alertmanager), new JsonObject { ["type"] = "Opaque", ["data"] = data })];
    }

    /// <summary>What decides which dashboards an agent calls for.</summary>
    public static string LookOf(OptiAgent agent) =>
        $"{agent.Spec.Dialect}|{agent.Spec.Role}|{agent.Spec.MetricPrefix}|{(agent.Spec.Dialect == MetricDialect.Module ? agent.Metadata.Name : "")}|{agent.Spec.Dashboards?.Enabled}|{agent.Spec.Exporters?.Count > 0}";
}
