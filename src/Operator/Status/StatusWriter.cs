using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using OptiInfra.Crds;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;
using OptiInfra.Kubernetes.Runtime;
using OptiInfra.Operator.Feedback;
using OptiInfra.Operator.Reconcile;

namespace OptiInfra.Operator.Status;

/// <summary>
/// Writes statuses: computes what it should be, compares with what the cache says it is, and applies the difference. When
/// nothing changed nothing is written, so a quiet fleet causes no traffic. A generation that is not reconciled yet waits
/// for its reconciler.
/// </summary>
internal sealed class StatusWriter(KubeClient client, Fleet fleet, StackReconciler stacks, EventRecorder events, TimeProvider clock)
{
    private long writes;

    /// <summary>How many statuses were written.</summary>
    public long Writes => Interlocked.Read(ref writes);

    public async Task<ReconcileResult> WriteAgentAsync(ObjectKey key, CancellationToken stop)
    {
        if (fleet.Agents.Store.Get(key) is { } agent && fleet.AgentStates.TryGetValue(key, out ResourceState? state) && IsCurrent(agent, state) && !IsTooEarly(state, agent.Status?.ObservedGeneration))
        {
            OptiAgentStatus wanted = AgentStatus.Of(agent, state, WorldOf(state), clock.GetUtcNow());
            await WriteAsync(OptiResources.Agents.Kind, agent, agent.Status, wanted, (agent.Status?.Conditions, wanted.Conditions), OptiJson.Default.OptiAgentStatus, stop);
        }

        return ReconcileResult.Done;
    }

    public async Task<ReconcileResult> WritePolicyAsync(ObjectKey key, CancellationToken stop)
    {
        if (fleet.Policies.Store.Get(key) is { } policy && fleet.PolicyStates.TryGetValue(key, out ResourceState? state) && IsCurrent(policy, state) && !IsTooEarly(state, policy.Status?.ObservedGeneration))
        {
            AlertPolicyStatus wanted = PolicyStatus.Of(policy, state, WorldOf(state), clock.GetUtcNow());
            await WriteAsync(OptiResources.Policies.Kind, policy, policy.Status, wanted, (policy.Status?.Conditions, wanted.Conditions), OptiJson.Default.AlertPolicyStatus, stop);
        }

        return ReconcileResult.Done;
    }

    public async Task<ReconcileResult> WriteStackAsync(ObjectKey key, CancellationToken stop)
    {
        if (fleet.Stacks.Store.Get(key) is { } stack && stacks.States.TryGetValue(key, out StackState? state) && fleet.FindWorld(key) is { } world && state.Generation == stack.Metadata.Generation
            && !(world.Observed == Observation.Nothing && stack.Status?.ObservedGeneration == state.Generation))
        {
            int agents = fleet.AgentStates.Values.Count(agent => agent.Stack == key);
            int policies = fleet.PolicyStates.Values.Count(policy => policy.Stack == key);
            MonitoringStackStatus wanted = StackStatus.Of(stack, state, world, agents, policies, clock.GetUtcNow());
            await WriteAsync(OptiResources.Stacks.Kind, stack, stack.Status, wanted, (stack.Status?.Conditions, wanted.Conditions), OptiJson.Default.MonitoringStackStatus, stop);
        }

        return ReconcileResult.Done;
    }

    private async Task WriteAsync<T>(ResourceKind kind, IKubeObject obj, T? before, T wanted, (IReadOnlyList<Condition>? Before, IReadOnlyList<Condition>? After) conditions, JsonTypeInfo<T> type, CancellationToken stop)
        where T : class
    {
        JsonNode? text = JsonSerializer.SerializeToNode(wanted, type);
        if (before is not null && JsonNode.DeepEquals(JsonSerializer.SerializeToNode(before, type), text))
        {
            return;
        }

        JsonObject manifest = new()
        {
            ["apiVersion"] = kind.ApiVersion,
            ["kind"] = kind.Kind,
            // The uid makes sure that it is this object and not a namesake that came after it.
            ["metadata"] = new JsonObject { ["name"] = obj.Metadata.Name, ["namespace"] = obj.Metadata.Namespace, ["uid"] = obj.Metadata.Uid },
            ["status"] = text,
        };
        try
        {
            await client.ApplyStatusAsync(kind, manifest, FieldManagers.Operator, force: true, stop);
            Interlocked.Increment(ref writes);
            Announce(kind, obj.Metadata, conditions.Before, conditions.After);
        }
        catch (KubeApiException gone) when (gone.IsNotFound || gone.IsConflict)
        {
            // Deleted, or replaced by a namesake: whoever is there now is reconciled for itself.
        }
    }

    /// <summary>What changed for better or worse becomes an event; what is merely not known yet does not.</summary>
    private void Announce(ResourceKind kind, ObjectMeta about, IReadOnlyList<Condition>? before, IReadOnlyList<Condition>? after)
    {
        foreach (Condition now in after ?? [])
        {
            string? was = Conditions.Find(before, now.Type)?.Status;
            bool isBad = now.Status == Condition.False && now.Reason != "Pending";
            bool isNews = was != now.Status && (now.Type != ConditionTypes.Ready || now.Status == Condition.True);
            if (isNews && (isBad || (now.Status == Condition.True && (was == Condition.False || now.Type == ConditionTypes.Ready))))
            {
                events.Record(kind, about, isBad ? KubeEventType.Warning : KubeEventType.Normal, isBad || now.Type == ConditionTypes.Ready ? now.Reason : now.Type, "Reconcile", now.Message);
            }
        }
    }

    private static bool IsCurrent(IKubeObject obj, ResourceState state) => state.Generation == (obj.Metadata.Generation ?? 0) && state.Uid == obj.Metadata.Uid;

    /// <summary>Before the first look at Prometheus we know less than the status that an earlier process left.</summary>
    private bool IsTooEarly(ResourceState state, long? written) => written == state.Generation && WorldOf(state)?.Observed == Observation.Nothing;

    private StackWorld? WorldOf(ResourceState state) => state.Stack is { } stack ? fleet.FindWorld(stack) : null;
}
