using OptiInfra.Compiler.Model;
using OptiInfra.Crds;
using OptiInfra.Operator.Feedback;
using OptiInfra.Operator.Reconcile;

namespace OptiInfra.Operator.Status;

/// <summary>The status of a stack: the sum of what it serves, and whether its Prometheus answers; pure.</summary>
internal static class StackStatus
{
    public static MonitoringStackStatus Of(MonitoringStack stack, StackState state, StackWorld world, int agents, int policies, DateTimeOffset now)
    {
        Observation seen = world.Observed;
        TargetCounts targets = new()
        {
            Up = seen.Agents.Values.Sum(agent => agent.Counts.Up),
            Down = seen.Agents.Values.Sum(agent => agent.Counts.Down),
            Unknown = seen.Agents.Values.Sum(agent => agent.Counts.Unknown),
        };
        RuleCounts rules = new()
        {
            Total = seen.Policies.Values.Sum(policy => policy.Loaded),
            Loaded = seen.Policies.Values.Sum(policy => policy.Loaded),
            Pending = seen.Policies.Values.Sum(policy => policy.Pending),
            Firing = seen.Policies.Values.Sum(policy => policy.Firing),
            Failing = seen.Policies.Values.Sum(policy => policy.Failing),
        };
        string? error = state.Diagnostics.FirstOrDefault(diagnostic => diagnostic.IsError)?.ToString();
        return new MonitoringStackStatus
        {
            ObservedGeneration = state.Generation,
            Conditions = StatusParts.Conditions(stack.Status?.Conditions, state.Generation, now,
                (ConditionTypes.Accepted, error is null ? Verdict.True("Valid", "The spec is right") : Verdict.False("Invalid", error)),
                (ConditionTypes.Rendered, Rendered(state)),
                (ConditionTypes.Loaded, Loaded(state, world)),
                (ConditionTypes.Available, Available(world))),
            Agents = agents,
            Policies = policies,
            Targets = targets,
            Summary = targets.Summary(),
            Rules = rules,
            PrometheusVersion = seen.Version,
            ConfigHash = state.Hash,
            LastError = error ?? seen.Problem,
            LastGoodGeneration = state.LastGoodGeneration,
        };
    }

    private static Verdict Rendered(StackState state) =>
        !state.IsGood ? Verdict.False("LastGoodKept", $"Generation {state.Generation} has an error; generation {state.LastGoodGeneration} stays in force")
        : state.RootVersion is null ? Verdict.False("Pending", "The configuration is being written")
        : Verdict.True("Written", "The configuration is written");

    private static Verdict Loaded(StackState state, StackWorld world) => state.RootVersion is { Length: > 0 } version
        ? StatusParts.Reported(world, Contract.ConfigFile, Naming.StackObject(world.Model.Name, Artifacts.Config), version)
        : Verdict.Unknown("NotWritten", "There is nothing for Prometheus to load yet");

    private static Verdict Available(StackWorld world) =>
        world.Observed.Problem is { } problem ? Verdict.False("Unreachable", problem)
        : world.Observed.Version is { } version ? Verdict.True("Answers", $"Prometheus {version} answers")
        : Verdict.Unknown("NotAsked", "Prometheus has not been asked yet");
}
