using OptiInfra.Compiler.Compile;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds;
using OptiInfra.Kubernetes.Objects;
using OptiInfra.Kubernetes.Runtime;
using OptiInfra.PromQL.Text;

namespace OptiInfra.Operator.Reconcile;

/// <summary>
/// One OptiAgent: find its stack, compile it, put what it compiles to on the stack's shelf. A generation with an error
/// replaces nothing: what the last good one compiled to stays in force. An agent that is gone takes its key along.
/// </summary>
internal sealed class AgentReconciler(Fleet fleet, Action<ObjectKey> statusIsDue, Action<ObjectKey, OptiAgent?> agentChanged)
{
    public async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken stop)
    {
        OptiAgent? agent = fleet.Agents.Store.Get(key);
        if (agent is null || agent.Metadata.IsDeleting)
        {
            if (fleet.AgentStates.TryRemove(key, out ResourceState? gone))
            {
                Leave(gone, null);
                agentChanged(key, null);
            }

            return ReconcileResult.Done;
        }

        ResourceState? before = fleet.AgentStates.GetValueOrDefault(key);
        MonitoringStack? stack = fleet.StackFor(agent.Spec.Stack, key.Namespace);
        ResourceState state = stack is null ? Unserved(agent, key) : await CompileAsync(agent, stack, before, stop);
        if (before is not null && before.Stack != state.Stack)
        {
            Leave(before, state.Stack);
        }

        fleet.AgentStates[key] = state;
        if (before?.Generation != state.Generation || before.Uid != state.Uid)
        {
            agentChanged(key, agent);
        }

        statusIsDue(key);
        return ReconcileResult.Done;
    }

    private async Task<ResourceState> CompileAsync(OptiAgent agent, MonitoringStack stack, ResourceState? before, CancellationToken stop)
    {
        StackWorld world = await fleet.WorldOfAsync(stack, stop);
        CompiledAgent compiled = AgentCompiler.Compile(agent, world.Model);
        long generation = agent.Metadata.Generation ?? 0;
        if (compiled.IsGood)
        {
            world.Put(compiled);
            await ApplyObjectsAsync(agent, compiled.Manifests, stop);
        }

        return new ResourceState
        {
            Generation = generation,
            Uid = agent.Metadata.Uid,
            Stack = ObjectKey.Of(stack),
            Key = compiled.Key,
            Diagnostics = compiled.Diagnostics,
            LastGoodGeneration = compiled.IsGood ? generation : before?.LastGoodGeneration ?? agent.Status?.LastGoodGeneration,
            IsEmpty = compiled.Text.Length == 0,
        };
    }

    private async Task ApplyObjectsAsync(OptiAgent agent, IReadOnlyList<Manifest> manifests, CancellationToken stop)
    {
        foreach (Manifest manifest in manifests)
        {
            await fleet.Applier.ApplyAsync(manifest, OptiResources.Agents.Kind, agent.Metadata, stop);
        }

        await fleet.Applier.PruneAsync(agent.Metadata, manifests, stop);
    }

    private static ResourceState Unserved(OptiAgent agent, ObjectKey key) => new()
    {
        Generation = agent.Metadata.Generation ?? 0,
        Uid = agent.Metadata.Uid,
        Key = Naming.Key(key.Namespace, key.Name),
        Diagnostics = [NoStack.For($"OptiAgent {key}", key.Namespace, agent.Spec.Stack)],
        LastGoodGeneration = agent.Status?.LastGoodGeneration,
    };

    /// <summary>Another stack serves it now, or none, or it is gone.</summary>
    private void Leave(ResourceState state, ObjectKey? to)
    {
        if (state.Stack is { } from && from != to)
        {
            fleet.FindWorld(from)?.RemoveAgent(state.Key);
        }
    }
}

/// <summary>What a resource is told that no stack serves.</summary>
internal static class NoStack
{
    public const string Id = "stack/none";

    public static Diagnostic For(string source, string ns, StackReference? wanted) => new(
        Id,
        Severity.Error,
        wanted is null ? $"no MonitoringStack accepts namespace {ns}" : $"there is no MonitoringStack {wanted.Name} that accepts namespace {ns}")
    {
        Source = source,
        Field = wanted is null ? null : "spec.stack",
        Hint = "kubectl get monitoringstacks -A shows the stacks; spec.namespaces of a stack says whom it accepts",
    };
}
