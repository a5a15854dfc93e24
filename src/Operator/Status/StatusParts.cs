using OptiInfra.Compiler.Model;
using OptiInfra.Crds;
using OptiInfra.Kubernetes.Objects;
using OptiInfra.Operator.Reconcile;
using OptiInfra.Operator.Sync;

namespace OptiInfra.Operator.Status;

/// <summary>One link of the status chain before it has a time.</summary>
internal readonly record struct Verdict(string Status, string Reason, string Message)
{
    public static Verdict True(string reason, string message) => new(Condition.True, reason, message);

    public static Verdict False(string reason, string message) => new(Condition.False, reason, message);

    public static Verdict Unknown(string reason, string message) => new(Condition.Unknown, reason, message);
}

/// <summary>
/// The links that agents and policies have in common; pure. Each is a small function from what is known to a verdict:
/// Accepted (the spec is right and a stack serves it) → Rendered (it is in the stack's ConfigMap) → Loaded (every
/// Prometheus of the stack runs it).
/// </summary>
internal static class StatusParts
{
    private const int MaxMessage = 1024;

    public static Verdict Accepted(ResourceState state)
    {
        if (state.FirstError is not { } error)
        {
            return Verdict.True("Valid", state.Diagnostics.Count == 0 ? "The spec is right" : state.Diagnostics[0].ToString());
        }

        int more = state.Diagnostics.Count(diagnostic => diagnostic.IsError) - 1;
        string text = more == 0 ? $"{error}" : $"{error} (and {more} more)";
        return Verdict.False(error.Id == NoStack.Id ? "NoStack" : "Invalid", text);
    }

    public static Verdict Rendered(ResourceState state, ShelfPlace? place)
    {
        if (state.Stack is null)
        {
            return Verdict.False("NoStack", "No MonitoringStack serves it");
        }

        if (!state.IsGood)
        {
            return place is null
                ? Verdict.False("NothingGood", "No generation of it was right so far; nothing is written")
                : Verdict.False("LastGoodKept", $"Generation {state.Generation} has an error; generation {state.LastGoodGeneration} stays in force");
        }

        return state.IsEmpty ? Verdict.True("Empty", "There is nothing to write")
            : place is { } written ? Verdict.True("Written", $"It is in ConfigMap {written.ConfigMap}")
            : Verdict.False("Pending", "It is being written");
    }

    public static Verdict Loaded(ResourceState state, ShelfPlace? place, StackWorld? world, string file)
    {
        if (state.IsEmpty && state.IsGood)
        {
            return Verdict.True("Empty", "There is nothing to load");
        }

        if (place is not { } written || world is null)
        {
            return Verdict.False("NotWritten", "There is nothing for Prometheus to load yet");
        }

        return Reported(world, file, written.ConfigMap, written.Version);
    }

    /// <summary>What the copies of sync say about one file in one version of a ConfigMap; the worst word counts.</summary>
    public static Verdict Reported(StackWorld world, string file, string configMap, string version)
    {
        if (world.Reports.IsEmpty)
        {
            return Verdict.Unknown("NoReport", "No sync has reported yet; without the sync sidecar nobody can tell");
        }

        foreach (SyncReport report in world.Reports.Values)
        {
            if (report.Waiting is { } why)
            {
                return Verdict.False("Waiting", why);
            }

            if (report.Refused.TryGetValue(file, out string? refusal))
            {
                return Verdict.False("Refused", $"Prometheus refuses it, what was loaded before stays: {refusal}");
            }

            if (!report.Loaded.TryGetValue(configMap, out string? loaded) || ResourceVersions.Compare(version, loaded) > 0)
            {
                return Verdict.False("Pending", "Prometheus has not loaded it yet");
            }
        }

        return Verdict.True("Loaded", "Prometheus runs it");
    }

    public static Verdict Ready(IEnumerable<(string Type, Verdict Verdict)> chain)
    {
        foreach ((string type, Verdict verdict) in chain)
        {
            if (verdict.Status != Condition.True)
            {
                return new Verdict(verdict.Status, $"{type}Is{verdict.Status}", $"{type}: {verdict.Message}");
            }
        }

        return Verdict.True("Ready", "All of it works");
    }

    /// <summary>The chain with Ready at its end, as conditions; a time moves only where a status does.</summary>
    public static IReadOnlyList<Condition> Conditions(IReadOnlyList<Condition>? before, long generation, DateTimeOffset now, params (string Type, Verdict Verdict)[] chain)
    {
        IReadOnlyList<Condition> conditions = [];
        foreach ((string type, Verdict verdict) in chain.Append((ConditionTypes.Ready, Ready(chain))))
        {
            Condition fresh = new()
            {
                Type = type,
                Status = verdict.Status,
                ObservedGeneration = generation,
                LastTransitionTime = now,
                Reason = verdict.Reason,
                Message = verdict.Message.Length > MaxMessage ? verdict.Message[..MaxMessage] + "…" : verdict.Message,
            };
            Condition? old = Kubernetes.Runtime.Conditions.Find(before, type);
            conditions = [.. conditions, old?.Status == fresh.Status ? fresh with { LastTransitionTime = old.LastTransitionTime } : fresh];
        }

        return conditions;
    }

    public static string ScrapeFile(string key) => $"{Contract.ScrapeDirectory}/{key}";

    public static string RuleFile(string key) => $"{Contract.RulesDirectory}/{key}";
}
