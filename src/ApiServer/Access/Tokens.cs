using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Storage;
using OptiInfra.ApiServer.Verbs;

namespace OptiInfra.ApiServer.Access;

/// <summary>What a token that checks out says: whose it is and for whom it is meant.</summary>
internal sealed record TokenClaims(UserInfo User, IReadOnlyList<string> Audiences);

/// <summary>Issues and checks the tokens of service accounts: JWTs signed with a key of this server.</summary>
internal sealed class Tokens : IDisposable
{
    public const string DefaultAudience = "https://kubernetes.default.svc";

    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public string Issue(ApiCore core, string ns, string account, string uid, IReadOnlyList<string> audiences, long seconds)
    {
        long now = core.Clock.GetUtcNow().ToUnixTimeSeconds();
        JsonObject claims = new()
        {
            ["aud"] = new JsonArray([.. audiences.Select(audience => (JsonNode)JsonValue.Create(audience))]),
            ["exp"] = now + seconds,
            ["iat"] = now,
            ["iss"] = DefaultAudience,
            ["jti"] = Guid.NewGuid().ToString(),
            ["kubernetes.io"] = new JsonObject
            {
                ["namespace"] = ns,
                ["serviceaccount"] = new JsonObject { ["name"] = account, ["uid"] = uid },
            },
            ["nbf"] = now,
            ["sub"] = $"system:serviceaccount:{ns}:{account}",
        };
        string head = Base64Url.EncodeToString("{\"alg\":\"ES256\",\"typ\":\"JWT\"}"u8);
        string signed = $"{head}.{Base64Url.EncodeToString(JsonBytes.Write(claims))}";
        return $"{signed}.{Base64Url.EncodeToString(key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}";
    }

    /// <summary>The claims of a token of ours that is still good and whose account still exists; null for anything else.</summary>
    public TokenClaims? Check(ApiCore core, string token)
    {
        string[] parts = token.Split('.');
        if (parts.Length != 3 || !TryDecode(parts[2], out byte[] signature) || !TryDecode(parts[1], out byte[] payload)
            || !key.VerifyData(Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), signature, HashAlgorithmName.SHA256))
        {
            return null;
        }

        JsonObject claims;
        try
        {
            claims = JsonBytes.ReadObject(payload);
        }
        catch (JsonException)
        {
            return null;
        }

        JsonObject? bound = claims.Obj("kubernetes.io");
        string ns = bound.Str("namespace") ?? "";
        string name = bound.Obj("serviceaccount").Str("name") ?? "";
        string uid = bound.Obj("serviceaccount").Str("uid") ?? "";
        bool alive = claims.Int("exp") > core.Clock.GetUtcNow().ToUnixTimeSeconds()
            && core.Store.Find("serviceaccounts", StoredObject.KeyOf(ns, name))?.Uid == uid;
        return alive ? new TokenClaims(UserOf(ns, name, uid, claims.Str("jti") ?? ""), [.. claims.Arr("aud").Strings()]) : null;
    }

    public void Dispose() => key.Dispose();

    private static UserInfo UserOf(string ns, string name, string uid, string id) => new(
        $"system:serviceaccount:{ns}:{name}", uid, ["system:serviceaccounts", $"system:serviceaccounts:{ns}", "system:authenticated"])
    {
        Extra = new Dictionary<string, IReadOnlyList<string>> { ["authentication.kubernetes.io/credential-id"] = [$"JTI={id}"] },
    };

    private static bool TryDecode(string text, out byte[] bytes)
    {
        try
        {
            bytes = Base64Url.DecodeFromChars(text);
            return true;
        }
        catch (FormatException)
        {
            bytes = [];
            return false;
        }
    }
}
