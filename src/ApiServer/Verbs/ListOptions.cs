using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Verbs;

/// <summary>The options of list, watch and deletecollection, checked.</summary>
internal sealed record ListOptions
{
    public IReadOnlyList<LabelRequirement>? Labels { get; init; }

    public IReadOnlyList<FieldRequirement>? Fields { get; init; }

    public long Limit { get; init; }

    public string? Continue { get; init; }

    public string ResourceVersion { get; init; } = "";

    public string Match { get; init; } = "";

    public bool Watch { get; init; }

    public bool Bookmarks { get; init; }

    public bool? SendInitialEvents { get; init; }

    public TimeSpan? Timeout { get; init; }

    public bool Selects => Labels is not null || Fields is not null;

    public static ListOptions Parse(RequestQuery query, ResourceInfo info)
    {
        ListOptions options = new()
        {
            Limit = query.Number("limit") ?? 0,
            Timeout = query.Number("timeoutSeconds") is { } seconds ? TimeSpan.FromSeconds(Math.Clamp(seconds, 0, 86_400)) : null,
            Continue = query.Text("continue") is { Length: > 0 } token ? token : null,
            ResourceVersion = query.Text("resourceVersion") ?? "",
            Match = query.Text("resourceVersionMatch") ?? "",
            Watch = query.Flag("watch"),
            Bookmarks = query.Flag("allowWatchBookmarks"),
            SendInitialEvents = query.Has("sendInitialEvents") ? query.Flag("sendInitialEvents") : null,
            Labels = LabelSelectorText.Parse(query.Text("labelSelector")),
            Fields = FieldSelectorText.Parse(query.Text("fieldSelector"), info),
        };
        FieldError[] errors = [.. options.Watch ? options.CheckWatch() : options.CheckList()];
        return errors.Length == 0 ? options : throw ApiError.Invalid("meta.k8s.io", "ListOptions", "", errors);
    }

    private IEnumerable<FieldError> CheckList()
    {
        foreach (FieldError error in Match.Length == 0 ? [] : CheckMatch())
        {
            yield return error;
        }

        if (SendInitialEvents is not null)
        {
            yield return FieldError.Forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list");
        }
    }

    private IEnumerable<FieldError> CheckMatch()
    {
        if (ResourceVersion.Length == 0)
        {
            yield return FieldError.Forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided");
        }

        if (Continue is not null)
        {
            yield return FieldError.Forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided");
        }

        if (Match is not ("Exact" or "NotOlderThan"))
        {
            yield return UnknownMatch("\"Exact\", \"NotOlderThan\", \"\"");
        }

        if (Match == "Exact" && ResourceVersion == "0")
        {
            yield return FieldError.Forbidden("resourceVersionMatch", "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
        }
    }

    private IEnumerable<FieldError> CheckWatch()
    {
        if (Match.Length > 0)
        {
            if (SendInitialEvents is null)
            {
                yield return FieldError.Forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
            }
            else if (Match != "NotOlderThan")
            {
                yield return FieldError.Forbidden("resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
            }

            if (Match != "NotOlderThan")
            {
                yield return UnknownMatch("\"NotOlderThan\"");
            }
        }
        else if (SendInitialEvents is not null)
        {
            yield return FieldError.Forbidden("resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
        }

        if (Continue is not null)
        {
            yield return FieldError.Forbidden("continue", "continue is forbidden for watch");
        }
    }

    private FieldError UnknownMatch(string supported) =>
        FieldError.NotSupported("resourceVersionMatch", MetadataRules.Quote(Match), "supported values: " + supported);
}
