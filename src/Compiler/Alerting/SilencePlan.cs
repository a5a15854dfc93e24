using System.Globalization;
using OptiInfra.Compiler.Compile;
using OptiInfra.Crds;

namespace OptiInfra.Compiler.Alerting;

/// <summary>A silence that Alertmanager should have while the policy says so.</summary>
/// <param name="Key">Identifies it among all silences of ours: policy and name of the maintenance.</param>
/// <param name="Matchers">What is silenced; always confined to the policy.</param>
/// <param name="Start">When it begins.</param>
/// <param name="End">When it ends.</param>
/// <param name="Comment">Why.</param>
public sealed record SilencePlan(string Key, IReadOnlyList<AlertMatcher> Matchers, DateTimeOffset Start, DateTimeOffset End, string Comment)
{
    public const string CreatedBy = "optiinfra";

    /// <summary>The silences of a policy whose routes have been checked.</summary>
    public static IReadOnlyList<SilencePlan> Of(AlertPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        string identity = $"{policy.Metadata.Namespace ?? "default"}/{policy.Metadata.Name}";
        return [.. (policy.Spec.Maintenance ?? []).Select(maintenance => new SilencePlan(
            $"{identity}/{maintenance.Name}",
            [new AlertMatcher(RuleFileWriter.PolicyLabel, "=", identity), .. (maintenance.Matchers ?? []).Select(text => AlertMatcher.Parse(text)).OfType<AlertMatcher>()],
            Time(maintenance.Start),
            Time(maintenance.End),
            $"{maintenance.Comment ?? "Planned work."} ({identity}/{maintenance.Name})"))];
    }

    private static DateTimeOffset Time(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal).ToUniversalTime();
}
