using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using OptiInfra.Compiler.Compile;
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
internal sealed class StackReconciler(Fleet fleet, Action<ObjectKey> statusIsDue, Action<ObjectKey> servedIsDue)
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
        CompiledStack compiled = StackCompiler.Compile(model);
        long generation = stack.Metadata.Generation ?? 0;
        string? version = before?.RootVersion;
        if (compiled.IsGood)
        {
            (world.Model, world.Owner) = (model, stack.Metadata);
            version = await ApplyAsync(stack, model, compiled, stop);
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

    private async Task<string> ApplyAsync(MonitoringStack stack, StackModel model, CompiledStack compiled, CancellationToken stop)
    {
        Manifest report = Manifest.Create(Kinds.ConfigMap, model.Namespace, Naming.StackObject(model.Name, SyncReport.Artifact), ConfigMaps.Labels(model.Name, SyncReport.Artifact), new JsonObject());
        List<Manifest> wanted = [report, .. compiled.Manifests];
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

        return version;
    }
}
