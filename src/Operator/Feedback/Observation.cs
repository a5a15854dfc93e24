using OptiInfra.Compiler.Model;
using OptiInfra.Crds;
using OptiInfra.Operator.Prometheus;

namespace OptiInfra.Operator.Feedback;

/// <summary>The targets of one agent, exporters included, as Prometheus sees them.</summary>
internal sealed record TargetSummary(TargetCounts Counts, string? LastError);

/// <summary>The rules of one policy as Prometheus runs them.</summary>
internal sealed record RuleSummary(int Loaded, int Pending, int Firing, int Failing, string? LastError, string Groups);

/// <summary>
/// What one look at Prometheus says, summed up per resource: as much as a status needs, and nothing that changes without
/// meaning (no times, no values), so that two looks compare equal when nothing happened.
/// </summary>
internal sealed record Observation
{
    public static readonly Observation Nothing = new();

    /// <summary>By <c>namespace/agent</c>.</summary>
    public IReadOnlyDictionary<string, TargetSummary> Agents { get; init; } = new Dictionary<string, TargetSummary>();

    /// <summary>By key of the rule file.</summary>
    public IReadOnlyDictionary<string, RuleSummary> Policies { get; init; } = new Dictionary<string, RuleSummary>();

    public string? Version { get; init; }

    /// <summary>Why there is nothing to see.</summary>
    public string? Problem { get; init; }

    public static Observation Of(TargetList targets, RuleGroupList rules, string version) => new()
    {
        Agents = targets.ActiveTargets.GroupBy(AgentOf).Where(group => group.Key.Length > 0).ToDictionary(group => group.Key, Sum),
        Policies = rules.Groups.GroupBy(group => Path.GetFileName(group.File)).ToDictionary(group => group.Key, Sum),
        Version = version,
    };

    /// <summary>The agents and policies about which two looks differ.</summary>
    public (IEnumerable<string> Agents, IEnumerable<string> Policies) DifferencesTo(Observation other) =>
        (Differences(Agents, other.Agents), Differences(Policies, other.Policies));

    private static IEnumerable<string> Differences<T>(IReadOnlyDictionary<string, T> left, IReadOnlyDictionary<string, T> right)
        where T : class =>
        left.Keys.Union(right.Keys).Where(key => !Equals(left.GetValueOrDefault(key), right.GetValueOrDefault(key)));

    /// <summary>The <c>job</c> label is <c>namespace/agent</c> or <c>namespace/agent/exporter</c>.</summary>
    private static string AgentOf(ScrapeTarget target)
    {
        string[] parts = target.Label("job").Split('/');
        return parts.Length is 2 or 3 ? Naming.Job(parts[0], parts[1]) : "";
    }

    private static TargetSummary Sum(IEnumerable<ScrapeTarget> targets)
    {
        int up = 0, down = 0, unknown = 0;
        string? error = null;
        foreach (ScrapeTarget target in targets.OrderBy(target => target.ScrapeUrl, StringComparer.Ordinal))
        {
            _ = target.Health switch { ScrapeTarget.Up => up++, ScrapeTarget.Down => down++, _ => unknown++ };
            error ??= target.Health == ScrapeTarget.Down ? $"{target.ScrapeUrl}: {target.LastError}" : null;
        }

        return new TargetSummary(new TargetCounts { Up = up, Down = down, Unknown = unknown }, error);
    }

    private static RuleSummary Sum(IEnumerable<LoadedGroup> groups)
    {
        LoadedGroup[] all = [.. groups];
        LoadedRule[] rules = [.. all.SelectMany(group => group.Rules)];
        LoadedRule? failing = rules.FirstOrDefault(rule => rule.Health == "err");
        return new RuleSummary(
            rules.Length,
            rules.Sum(rule => rule.Alerts.Count(alert => alert.State == "pending")),
            rules.Sum(rule => rule.Alerts.Count(alert => alert.State == "firing")),
            rules.Count(rule => rule.Health == "err"),
            failing is null ? null : $"{failing.Name}: {failing.LastError}",
            string.Join(',', all.Select(group => group.Name)));
    }
}
