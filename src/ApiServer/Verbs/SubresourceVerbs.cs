using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;

namespace OptiInfra.ApiServer.Verbs;

/// <summary>The paths below an object: status, scale and those of single kinds.</summary>
internal sealed class SubresourceVerbs(ApiCore core, ResourceVerbs verbs)
{
    private readonly Responder responder = new(core);

    public Task HandleAsync(ApiRequest request)
    {
        Subresource sub = request.Info.Subresources.FirstOrDefault(known => known.Name == request.Subresource) ?? throw ApiError.NoSuchResource();
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
            throw ApiError.MethodNotAllowed();
        }

        return (sub.Name, verb) switch
        {
            ("status", "get") => responder.WriteStoredAsync(request, core.Reader.Get(request.Info, request.Namespace, request.Name, request.Query)),
            ("status", "update") => verbs.UpdateAsync(request),
            ("status", "patch") => new PatchVerb(core, responder).HandleAsync(request),
            _ => throw ApiError.NoSuchResource(),
        };
    }
}
