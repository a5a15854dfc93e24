using OptiInfra.ApiServer.Access;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;

namespace OptiInfra.ApiServer.Verbs;

/// <summary>The paths below an object: status, scale and those of single kinds.</summary>
internal sealed class SubresourceVerbs(ApiCore core, ResourceVerbs verbs)
{
    private readonly Responder responder = new(core);

    public Task HandleAsync(ApiRequest request)
    {
        Subresource sub = request.Info.Subresources.FirstOrDefault(known => known.Name == request.Subresource) ?? throw Missing(request);
        string verb = request.Method switch
        {
            "GET" => "get",
            "PUT" => "update",
            "PATCH" => "patch",
            "POST" => "create",
            "DELETE" => "delete",
            _ => "",
        };
        if (!sub.Verbs.Contains(verb))
        {
            throw request.Info.IsCustom ? ApiError.MethodNotSupported(request.Info, verb) : ApiError.MethodNotAllowed();
        }

        return (sub.Name, verb) switch
        {
            ("status", "get") => responder.WriteStoredAsync(request, core.Reader.Get(request.Info, request.Namespace, request.Name, request.Query)),
            ("status" or "finalize", "update") => verbs.UpdateAsync(request),
            ("status", "patch") => new PatchVerb(core, responder).HandleAsync(request),
            ("scale", _) => new ScaleVerb(core, responder).HandleAsync(request, sub.Scale!),
            ("token", "create") => new TokenRequestVerb(core, responder).HandleAsync(request),
            ("binding" or "eviction", _) => new PodVerbs(core, responder).HandleAsync(request),
            ("ephemeralcontainers" or "resize", "update") => verbs.UpdateAsync(request),
            _ => new PodVerbs(core, responder).HandleAsync(request),
        };
    }

    /// <summary>A custom resource without the subresource looks like a missing object.</summary>
    private static ApiError Missing(ApiRequest request) =>
        request.Info.IsCustom && request.Subresource is "status" or "scale" ? ApiError.NotFound(request.Info, request.Name) : ApiError.NoSuchResource();
}
