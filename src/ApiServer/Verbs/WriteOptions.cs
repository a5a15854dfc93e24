using System.Text;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Verbs;

internal enum FieldValidation
{
    Ignore,
    Warn,
    Strict,
}

/// <summary>The options of create, update and patch, checked; and where warnings for the client are collected.</summary>
internal sealed record WriteOptions
{
    public bool DryRun { get; init; }

    public FieldValidation Validation { get; init; } = FieldValidation.Warn;

    /// <summary>Who owns what this write sets: the parameter, or the start of the User-Agent.</summary>
    public required string Manager { get; init; }

    public bool? Force { get; init; }

    /// <summary>The subresource that is written, empty for the object itself.</summary>
    public string Subresource { get; init; } = "";

    /// <summary>An apply, which creates what is missing.</summary>
    public bool Apply { get; init; }

    public UserInfo User { get; init; } = UserInfo.Admin;

    public List<string> Warnings { get; init; } = [];

    public bool CreatesMissing(Registry.ResourceInfo info) => Apply || info.Rules.CreateOnUpdate;

    /// <summary>The server's own writes: controllers pass admission webhooks and field validation by.</summary>
    public static WriteOptions Internal(string manager) => new() { Manager = manager, Validation = FieldValidation.Ignore, User = UserInfo.Server };

    public static WriteOptions Parse(RequestQuery query, string kind, string? userAgent, bool apply, UserInfo user, string subresource)
    {
        List<FieldError> errors = [];
        string manager = query.Text("fieldManager") ?? "";
        bool isPatch = kind == "PatchOptions";
        bool? force = query.Has("force") ? query.Flag("force") : null;
        if (isPatch && !apply && force is not null)
        {
            errors.Add(FieldError.Forbidden("force", "may not be specified for non-apply patch"));
        }

        if (apply && manager.Length == 0)
        {
            errors.Add(FieldError.Required("fieldManager", "is required for apply patch"));
        }

        if (Encoding.UTF8.GetByteCount(manager) > 128)
        {
            errors.Add(new FieldError(FieldErrorType.TooLong, "fieldManager", null, "may not be more than 128 bytes"));
        }

        for (int i = 0; i < manager.Length; i++)
        {
            if (char.IsControl(manager[i]))
            {
                errors.Add(FieldError.Invalid("fieldManager", MetadataRules.Quote(manager), $"should contain only printable characters (index {i})"));
                break;
            }
        }

        string[] dryRun = query.All("dryRun");
        CheckDryRun(dryRun, errors);
        string validation = query.Text("fieldValidation") ?? "";
        if (validation is not ("" or "Ignore" or "Warn" or "Strict"))
        {
            errors.Add(FieldError.NotSupported(
                "fieldValidation", MetadataRules.Quote(validation), "supported values: \"\", \"Ignore\", \"Strict\", \"Warn\""));
        }

        if (errors.Count > 0)
        {
            throw ApiError.Invalid("meta.k8s.io", kind, "", errors);
        }

        return new WriteOptions
        {
            DryRun = dryRun.Length > 0,
            Validation = validation switch { "Strict" => FieldValidation.Strict, "Ignore" => FieldValidation.Ignore, _ => FieldValidation.Warn },
            Manager = manager.Length > 0 ? manager : ManagerOf(userAgent),
            Force = force,
            Apply = apply,
            Subresource = subresource,
            User = user,
        };
    }

    public static void CheckDryRun(string[] dryRun, List<FieldError> errors)
    {
        if (dryRun.Any(value => value != "All"))
        {
            errors.Add(FieldError.NotSupported("dryRun", $"[{string.Join(",", dryRun.Select(MetadataRules.Quote))}]", "supported values: \"All\""));
        }
    }

    private static string ManagerOf(string? userAgent)
    {
        string manager = (userAgent ?? "").Split('/')[0];
        return manager.Length == 0 ? "unknown" : manager.Length > 128 ? manager[..128] : manager;
    }
}

/// <summary>Who sends a request.</summary>
internal sealed record UserInfo(string Name, string Uid, IReadOnlyList<string> Groups)
{
    public static readonly UserInfo Admin = new("admin", "uid1", ["system:masters", "system:authenticated"]);

    public static readonly UserInfo Server = new("system:apiserver", "", ["system:masters", "system:authenticated"]);

    public static readonly UserInfo Anonymous = new("system:anonymous", "", ["system:unauthenticated"]);

    /// <summary>Asked of RBAC even where authorization is off: impersonated and anonymous requests are about what somebody may do.</summary>
    public bool IsChecked { get; init; }

    public IReadOnlyDictionary<string, IReadOnlyList<string>> Extra { get; init; } = new Dictionary<string, IReadOnlyList<string>>();
}
