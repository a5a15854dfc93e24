using OptiInfra.Crds;
using OptiInfra.Kubernetes.Objects;
using OptiInfra.Operator.Feedback;
using OptiInfra.Operator.Reconcile;

namespace OptiInfra.Operator.Status;

/// <summary>The status of a policy, from what is known; pure.</summary>
internal static class PolicyStatus
{
    public static AlertPolicyStatus Of(AlertPolicy policy, ResourceState state, StackWorld? world, DateTimeOffset now)
    {
        ShelfPlace? place = world?.Rules.PlaceOf(state.Key, world.Model);
        RuleSummary? rules = world?.Observed.Policies.GetValueOrDefault(state.Key);
        Verdict loaded = StatusParts.Loaded(state, place, world, StatusParts.RuleFile(state.Key));
        Verdict healthy = RulesHealthy(state, world, rules);
        RuleCounts counts = new()
        {
            Total = state.Rules,
            Loaded = rules?.Loaded ?? 0,
            Pending = rules?.Pending ?? 0,
            Firing = rules?.Firing ?? 0,
            Failing = rules?.Failing ?? 0,
        };
        return new AlertPolicyStatus
        {
            ObservedGeneration = state.Generation,
            Conditions = StatusParts.Conditions(policy.Status?.Conditions, state.Generation, now,
                (ConditionTypes.Accepted, StatusParts.Accepted(state)), (ConditionTypes.Rendered, StatusParts.Rendered(state, place)), (ConditionTypes.Loaded, loaded), (ConditionTypes.RulesHealthy, healthy)),
            Rules = counts,
            Summary = counts.Summary(),
            Agents = state.Agents,
            LastError = state.FirstError?.ToString() ?? (loaded.Reason == "Refused" ? loaded.Message : healthy.Status == Condition.False ? healthy.Message : null),
            LastGoodGeneration = state.LastGoodGeneration,
            Stack = state.Stack?.ToString(),
        };
    }

    private static Verdict RulesHealthy(ResourceState state, StackWorld? world, RuleSummary? rules)
    {
        if (state.IsEmpty && state.IsGood)
        {
            return Verdict.True("Empty", "There are no rules");
        }

        return world?.Observed.Problem is { } problem ? Verdict.Unknown("NoFeedback", problem)
            : rules is null ? Verdict.Unknown("NotSeen", "Prometheus shows no rule of it yet")
            : rules.Failing > 0 ? Verdict.False("Failing", $"{rules.Failing} of {rules.Loaded} rules fail; {rules.LastError}")
            : Verdict.True("Healthy", $"{rules.Loaded} rules evaluate");
    }
}
