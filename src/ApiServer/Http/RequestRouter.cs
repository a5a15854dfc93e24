using Microsoft.AspNetCore.Http;
using OptiInfra.ApiServer.Discovery;
using OptiInfra.ApiServer.Faults;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Verbs;

namespace OptiInfra.ApiServer.Http;

/// <summary>
/// Takes every request: health and discovery paths are answered here, resource paths are taken apart and handed to the
/// verbs. Errors become Status objects; a bug becomes a 500 and is not hidden from the log.
/// </summary>
internal sealed class RequestRouter(ApiCore core, Access.Authentication authentication)
{
    private readonly ResourceVerbs verbs = new(core);
    private readonly DiscoveryDocuments discovery = new();

    public async Task HandleAsync(HttpContext http)
    {
        try
        {
            await RouteAsync(http).ConfigureAwait(false);
        }
        catch (ApiError error)
        {
            if (!http.Response.HasStarted)
            {
                await Responder.WriteErrorAsync(http, error).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested || core.Stopping.IsCancellationRequested)
        {
            // The client went away, or we do.
        }
        catch (Exception bug) when (bug is not (IOException or BadHttpRequestException or OperationCanceledException))
        {
            // A bug of ours: the client hears of it, and so does whoever runs the server.
            core.Options.ReportBug(bug);
            if (!http.Response.HasStarted)
            {
                await Responder.WriteErrorAsync(http, ApiError.InternalError(bug.Message)).ConfigureAwait(false);
            }
        }
        catch (BadHttpRequestException e)
        {
            if (!http.Response.HasStarted)
            {
                await Responder.WriteErrorAsync(http, new ApiError(e.StatusCode, "BadRequest", e.Message)).ConfigureAwait(false);
            }
        }
    }

    private async Task RouteAsync(HttpContext http)
    {
        string path = http.Request.Path.Value ?? "/";
        string[] parts = path.Split('/')[1..];
        ResourceRegistry.Picture served = core.Registry.Current;
        bool health = parts[0] is "healthz" or "livez" or "readyz";
        if (!health && core.Chaos.Hit(http.Request.Method, path, watch: http.Request.Query.ContainsKey("watch")) is { } fault)
        {
            http.Items[typeof(Fault)] = fault;
            if (!await Chaos.StrikeAsync(fault, http, core.Clock).ConfigureAwait(false))
            {
                return;
            }
        }

        await DispatchAsync(http, parts, served, authentication.Identify(http)).ConfigureAwait(false);
    }

    private Task DispatchAsync(HttpContext http, string[] parts, ResourceRegistry.Picture served, UserInfo user)
    {
        switch (parts[0])
        {
            case "healthz" or "livez" or "readyz":
                return Responder.WriteTextAsync(http, 200, "ok");
            case "version" or "openapi" or "" or ".well-known":
                return discovery.WriteAsync(http, parts, served);
            case "api":
                return parts.Length <= 2 || parts is [_, "v1", ""]
                    ? discovery.WriteAsync(http, parts, served)
                    : ResourceAsync(http, served, user, "", parts[1], parts[2..]);
            case "apis":
                return parts.Length <= 3 || parts is [_, _, _, ""]
                    ? discovery.WriteAsync(http, parts, served)
                    : ResourceAsync(http, served, user, parts[1], parts[2], parts[3..]);
            default:
                return Responder.WriteTextAsync(http, 404, "404 page not found\n");
        }
    }

    private Task ResourceAsync(HttpContext http, ResourceRegistry.Picture served, UserInfo user, string group, string version, string[] rest)
    {
        if (!served.ServesGroup(group) || served.IsCustomGroup(group) && !served.Serves(group, version))
        {
            return Responder.WriteTextAsync(http, 404, "404 page not found\n");
        }

        string ns = "";
        if (rest is ["namespaces", { Length: > 0 } named, { Length: > 0 } next, ..] && !(group.Length == 0 && next is "status" or "finalize"))
        {
            ns = named;
            rest = rest[2..];
        }

        if (served.Find(group, version, rest[0]) is not { } info)
        {
            return served.IsCustomGroup(group) ? Responder.WriteTextAsync(http, 404, "404 page not found\n") : throw ApiError.NoSuchResource();
        }

        if (info.IsCustom && ns.Length > 0 && !info.Namespaced)
        {
            return Responder.WriteTextAsync(http, 404, "404 page not found\n");
        }

        if (info.DeprecationWarning is { } warning)
        {
            http.Response.Headers.Append("Warning", $"299 - {MetadataRules.Quote(warning)}");
        }

        string name = rest.Length > 1 ? Uri.UnescapeDataString(rest[1]) : "";
        string sub = rest.Length > 2 ? string.Join('/', rest[2..]) : "";
        if (rest.Length > 1 && name.Length == 0 || ns.Length > 0 && !info.Namespaced || info.Namespaced && ns.Length == 0 && name.Length > 0)
        {
            throw ApiError.NoSuchResource();
        }

        if (http.Request.Method is not ("GET" or "POST" or "PUT" or "PATCH" or "DELETE"))
        {
            throw ApiError.MethodNotAllowed();
        }

        ApiRequest request = new()
        {
            Http = http,
            Served = served,
            Info = info,
            Namespace = ns,
            Name = name,
            Subresource = sub,
            User = user,
            Query = new RequestQuery(http.Request.Query),
            Accept = Negotiation.Choose(http.Request.Headers.Accept.ToString()),
        };
        return verbs.HandleAsync(request);
    }
}
