using OptiInfra.Compiler.Compile;
using OptiInfra.Compiler.Model;
using OptiInfra.Crds;
using OptiInfra.Kubernetes.Objects;
using OptiInfra.Kubernetes.Runtime;

namespace OptiInfra.Operator.Reconcile;

/// <summary>One AlertPolicy, in the same way as <see cref="AgentReconciler"/>: its rule file goes on the stack's shelf of rules.</summary>
internal sealed class PolicyReconciler(Fleet fleet, Action<ObjectKey> statusIsDue, Action<ObjectKey> routesChanged)
{
    public async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken stop)
    {
        AlertPolicy? policy = fleet.Policies.Store.Get(key);
        if (policy is null || policy.Metadata.IsDeleting)
        {
            if (fleet.PolicyStates.TryRemove(key, out ResourceState? gone))
            {
                Leave(gone, null);
            }

            return ReconcileResult.Done;
        }

        ResourceState? before = fleet.PolicyStates.GetValueOrDefault(key);
        MonitoringStack? stack = fleet.StackFor(policy.Spec.Stack, key.Namespace);
        ResourceState state = stack is null ? Unserved(policy, key) : await CompileAsync(policy, stack, before, stop);
        if (before is not null && before.Stack != state.Stack)
        {
            Leave(before, state.Stack);
        }

        fleet.PolicyStates[key] = state;
        if (before?.Generation != state.Generation && state.Stack is { } serving)
        {
            routesChanged(serving);
        }

        statusIsDue(key);
        return ReconcileResult.Done;
    }

    private async Task<ResourceState> CompileAsync(AlertPolicy policy, MonitoringStack stack, ResourceState? before, CancellationToken stop)
    {
        StackWorld world = await fleet.WorldOfAsync(stack, stop);
        CompiledPolicy compiled = PolicyCompiler.Compile(policy, fleet.Agents.Store.List(policy.Metadata.Namespace), world.Model);
        long generation = policy.Metadata.Generation ?? 0;
        if (compiled.IsGood)
        {
            world.Put(compiled);
            foreach (Manifest manifest in compiled.Manifests)
            {
                await fleet.Applier.ApplyAsync(manifest, OptiResources.Policies.Kind, policy.Metadata, stop);
            }

            await fleet.Applier.PruneAsync(policy.Metadata, compiled.Manifests, stop);
        }

        return new ResourceState
        {
            Generation = generation,
            Uid = policy.Metadata.Uid,
            Stack = ObjectKey.Of(stack),
            Key = compiled.Key,
            Diagnostics = compiled.Diagnostics,
            LastGoodGeneration = compiled.IsGood ? generation : before?.LastGoodGeneration ?? policy.Status?.LastGoodGeneration,
            IsEmpty = compiled.Text.Length == 0,
            Rules = compiled.IsGood ? compiled.Rules : before?.Rules ?? policy.Status?.Rules?.Total ?? 0,
            Agents = compiled.Agents,
        };
    }

    private static ResourceState Unserved(AlertPolicy policy, ObjectKey key) => new()
    {
        Generation = policy.Metadata.Generation ?? 0,
        Uid = policy.Metadata.Uid,
        Key = Naming.Key(key.Namespace, key.Name),
        Diagnostics = [NoStack.For($"AlertPolicy {key}", key.Namespace, policy.Spec.Stack)],
        LastGoodGeneration = policy.Status?.LastGoodGeneration,
    };

    private void Leave(ResourceState state, ObjectKey? to)
    {
        if (state.Stack is { } from && from != to)
        {
            fleet.FindWorld(from)?.RemovePolicy(state.Key);
            routesChanged(from);
        }
    }
}
