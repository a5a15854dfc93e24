using OptiInfra.Compiler.Model;
using OptiInfra.Crds;
using OptiInfra.Kubernetes.Objects;
using OptiInfra.Operator.Feedback;
using OptiInfra.Operator.Reconcile;

namespace OptiInfra.Operator.Status;

/// <summary>The status of an agent, from what is known; pure.</summary>
internal static class AgentStatus
{
    public static OptiAgentStatus Of(OptiAgent agent, ResourceState state, StackWorld? world, DateTimeOffset now)
    {
        ShelfPlace? place = world?.Scrape.PlaceOf(state.Key, world.Model);
        string job = Naming.Job(agent.Metadata.Namespace ?? "", agent.Metadata.Name ?? "");
        TargetSummary? targets = world?.Observed.Agents.GetValueOrDefault(job);
        Verdict accepted = StatusParts.Accepted(state);
        Verdict rendered = StatusParts.Rendered(state, place);
        Verdict loaded = StatusParts.Loaded(state, place, world, StatusParts.ScrapeFile(state.Key));
        Verdict up = TargetsUp(state, world, job, targets);
        TargetCounts counts = targets?.Counts ?? new TargetCounts();
        return new OptiAgentStatus
        {
            ObservedGeneration = state.Generation,
            Conditions = StatusParts.Conditions(agent.Status?.Conditions, state.Generation, now,
                (ConditionTypes.Accepted, accepted), (ConditionTypes.Rendered, rendered), (ConditionTypes.Loaded, loaded), (ConditionTypes.TargetsUp, up)),
            Targets = counts,
            Summary = counts.Summary(),
            LastError = state.FirstError?.ToString() ?? (loaded.Reason == "Refused" ? loaded.Message : up.Status == Condition.False ? up.Message : null),
            LastGoodGeneration = state.LastGoodGeneration,
            Stack = state.Stack?.ToString(),
        };
    }

    private static Verdict TargetsUp(ResourceState state, StackWorld? world, string job, TargetSummary? targets)
    {
        if (state.IsEmpty && state.IsGood)
        {
            return Verdict.True("Empty", "There is nothing to scrape");
        }

        if (world?.Observed.Problem is { } problem)
        {
            return Verdict.Unknown("NoFeedback", problem);
        }

        if (targets is null)
        {
            string? why = world?.Reports.Values.Select(report => report.Problems.GetValueOrDefault(job)).FirstOrDefault(found => found is not null);
            return why is null ? Verdict.Unknown("NoTargets", "Prometheus knows no target of it yet") : Verdict.False("NoTargets", why);
        }

        TargetCounts counts = targets.Counts;
        return counts.Down > 0 ? Verdict.False("Down", $"{counts.Down} of {counts.Up + counts.Down + counts.Unknown} targets are down; {targets.LastError}")
            : counts.Unknown > 0 ? Verdict.Unknown("NotScraped", $"{counts.Unknown} targets have not been scraped yet")
            : Verdict.True("Up", $"{counts.Summary()} targets are up");
    }
}
