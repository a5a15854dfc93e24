using OptiInfra.Crds;
using OptiInfra.PromQL.Syntax;

namespace OptiInfra.Compiler.Compile;

/// <summary>Checks that several kinds share.</summary>
internal static class CommonChecks
{
    public static void Name(string? name, Report report)
    {
        if (name is not { Length: > 0 and <= 63 } || !name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-') || name[0] == '-' || name[^1] == '-')
        {
            report.Error("resource/name", "metadata.name", $"\"{name}\" cannot be a name", "use at most 63 lower-case letters, digits and dashes, with a letter or digit at both ends");
        }
    }

    public static bool IsLabelName(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');

    /// <summary>A duration that is given must be one, and longer than nothing unless zero is fine.</summary>
    public static void Duration(string? duration, string field, Report report, bool zero = false)
    {
        if (duration is null)
        {
            return;
        }

        if (!PromDuration.TryParse(duration, out PromDuration length, out _))
        {
            report.Error("resource/duration", field, $"\"{duration}\" is not a duration", "write for example 15s, 5m or 1h30m");
        }
        else if (!zero && length.Nanoseconds == 0)
        {
            report.Error("resource/duration", field, "the duration must be longer than 0");
        }
    }

    public static void Auth(AuthSettings? auth, string field, Report report)
    {
        if (auth is not null && new object?[] { auth.Bearer, auth.Basic, auth.Oauth2 }.Count(part => part is not null) > 1)
        {
            report.Error("resource/auth", field, "more than one kind of authentication is given", "set at most one of bearer, basic, oauth2");
        }
    }

    public static void Tls(TlsSettings? tls, string field, Report report)
    {
        if (tls is not null && (tls.Cert is null) != (tls.Key is null))
        {
            report.Error("resource/auth", field, "a client certificate needs both cert and key");
        }
    }

    public static void Relabelings(IReadOnlyList<Relabeling>? steps, string field, Report report)
    {
        for (int i = 0; i < (steps?.Count ?? 0); i++)
        {
            if (Problem(steps![i]) is { } problem)
            {
                report.Error("resource/relabeling", $"{field}[{i}]", problem);
            }
        }
    }

    private static string? Problem(Relabeling step)
    {
        RelabelAction action = step.Action ?? RelabelAction.Replace;
        bool target = step.TargetLabel is not null;
        return action switch
        {
            RelabelAction.Replace or RelabelAction.HashMod or RelabelAction.Lowercase or RelabelAction.Uppercase or RelabelAction.KeepEqual or RelabelAction.DropEqual when !target =>
                $"the action {Name(action)} needs targetLabel",
            RelabelAction.HashMod when step.Modulus is null => "the action hashmod needs modulus",
            RelabelAction.Keep or RelabelAction.Drop or RelabelAction.KeepEqual or RelabelAction.DropEqual or RelabelAction.Lowercase or RelabelAction.Uppercase or RelabelAction.HashMod when step.SourceLabels is not { Count: > 0 } =>
                $"the action {Name(action)} needs sourceLabels",
            RelabelAction.LabelDrop or RelabelAction.LabelKeep when step.SourceLabels is not null || target || step.Replacement is not null || step.Separator is not null || step.Modulus is not null =>
                $"the action {Name(action)} takes only regex",
            RelabelAction.Lowercase or RelabelAction.Uppercase or RelabelAction.KeepEqual or RelabelAction.DropEqual when step.Replacement is not null || (action is RelabelAction.KeepEqual or RelabelAction.DropEqual && step.Regex is not null) =>
                $"the action {Name(action)} takes neither regex nor replacement",
            _ => null,
        };
    }

    internal static string Name(RelabelAction action) => action.ToString().ToLowerInvariant();
}
