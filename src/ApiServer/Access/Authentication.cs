using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Http;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Verbs;

namespace OptiInfra.ApiServer.Access;

/// <summary>
/// Finds out who sends a request, in this order: bearer token, client certificate, and over plain HTTP the
/// administrator when neither is given; then whom the sender speaks for (impersonation).
/// </summary>
internal sealed class Authentication(ApiCore core, string adminToken)
{
    public UserInfo Identify(HttpContext http)
    {
        UserInfo user = Sender(http);
        string impersonated = http.Request.Headers["Impersonate-User"].ToString();
        if (impersonated.Length == 0)
        {
            return user;
        }

        AccessQuestion question = new("impersonate") { Resource = "users", Name = impersonated };
        if (!core.Rbac.Ask(user, question).Allowed)
        {
            throw new ApiError(
                403, "Forbidden", $"users \"{impersonated}\" is forbidden: User \"{user.Name}\" cannot impersonate resource \"users\" in API group \"\" at the cluster scope", []);
        }

        string[] groups = [.. http.Request.Headers["Impersonate-Group"].Select(group => group ?? "")];
        return new UserInfo(impersonated, http.Request.Headers["Impersonate-Uid"].ToString(), [.. groups.Append("system:authenticated").Distinct()]) { IsChecked = true };
    }

    private UserInfo Sender(HttpContext http)
    {
        bool given = http.Request.Headers.TryGetValue("Authorization", out var header);
        string text = header.ToString();
        if (text.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
        {
            return OfToken(text[7..].Trim());
        }

        if (http.Connection.ClientCertificate is { } certificate)
        {
            return OfCertificate(certificate);
        }

        return core.Options.Http && !given ? UserInfo.Admin : UserInfo.Anonymous with { IsChecked = true };
    }

    private UserInfo OfToken(string token)
    {
        if (token == adminToken)
        {
            return UserInfo.Admin;
        }

        if (core.Options.Tokens.TryGetValue(token, out string? user))
        {
            string[] parts = user.Split(',');
            return new UserInfo(parts[0], "uid1", [.. parts[1..], "system:authenticated"]);
        }

        TokenClaims? claims = core.Tokens.Check(core, token);
        return claims is not null && claims.Audiences.Contains(Tokens.DefaultAudience) ? claims.User : throw ApiError.Unauthorized();
    }

    private static UserInfo OfCertificate(X509Certificate2 certificate)
    {
        string name = "";
        List<string> groups = [];
        foreach (X500RelativeDistinguishedName part in certificate.SubjectName.EnumerateRelativeDistinguishedNames())
        {
            switch (part.GetSingleElementType().Value)
            {
                case "2.5.4.3":
                    name = part.GetSingleElementValue() ?? "";
                    break;
                case "2.5.4.10":
                    groups.Add(part.GetSingleElementValue() ?? "");
                    break;
                default:
                    break;
            }
        }

        return new UserInfo(name, "", [.. groups, "system:authenticated"]);
    }
}
