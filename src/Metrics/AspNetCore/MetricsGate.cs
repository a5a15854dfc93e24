using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace OptiInfra.Metrics.AspNetCore;

/// <summary>Who may scrape, how often, and on which port. The default lets everybody in, as Prometheus endpoints usually do.</summary>
public sealed record MetricsEndpointOptions
{
    /// <summary>Accepts any of these keys, as <c>Authorization: Bearer</c> or <c>X-Api-Key</c>.</summary>
    public IReadOnlyList<string> ApiKeys { get; init; } = [];

    /// <summary>Accepts any of these users with their passwords, by HTTP basic authentication.</summary>
    public IReadOnlyDictionary<string, string> BasicUsers { get; init; } = new Dictionary<string, string>();

    /// <summary>Demands a client certificate which the server has validated.</summary>
    public bool RequireClientCertificate { get; init; }

    /// <summary>Accepts only client certificates with one of these SHA-256 thumbprints (hexadecimal).</summary>
    public IReadOnlyList<string> ClientCertificateThumbprints { get; init; } = [];

    /// <summary>Most scrapes a minute, over all readers. Zero means no limit.</summary>
    public int RequestsPerMinute { get; init; }

    /// <summary>Answers only on this local port; elsewhere the endpoint does not exist. Zero means every port.</summary>
    public int Port { get; init; }

    /// <summary>Compresses for readers that accept gzip.</summary>
    public bool Compression { get; init; } = true;

    /// <summary>How long asynchronous collect callbacks may take when the reader does not say.</summary>
    public TimeSpan CollectTimeout { get; init; } = TimeSpan.FromSeconds(8);
}

/// <summary>Why a scrape was refused.</summary>
internal sealed record MetricsRefusal(int Status, string Message, string Challenge = "", TimeSpan? RetryAfter = null);

/// <summary>Decides whether a request may scrape. Keys and passwords are compared by digest in constant time, and never logged.</summary>
internal sealed class MetricsGate(MetricsEndpointOptions options, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly byte[][] _keys = [.. options.ApiKeys.Select(Digest)];
    private readonly byte[][] _users = [.. options.BasicUsers.Select(user => Digest($"{user.Key}:{user.Value}"))];
    private double _tokens = options.RequestsPerMinute;
    private long _refilled = time.GetTimestamp();

    public MetricsRefusal? Refuse(HttpContext context)
    {
        if (options.Port != 0 && context.Connection.LocalPort != options.Port)
        {
            return new(StatusCodes.Status404NotFound, "not found");
        }

        return RefuseCertificate(context.Connection.ClientCertificate) ?? RefuseCredentials(context.Request) ?? RefuseRate();
    }

    private MetricsRefusal? RefuseCertificate(X509Certificate2? certificate)
    {
        bool wanted = options.RequireClientCertificate || options.ClientCertificateThumbprints.Count > 0;
        if (!wanted)
        {
            return null;
        }

        if (certificate is null)
        {
            return new(StatusCodes.Status403Forbidden, "a client certificate is required");
        }

        string thumbprint = certificate.GetCertHashString(HashAlgorithmName.SHA256);
        return options.ClientCertificateThumbprints.Count == 0 || options.ClientCertificateThumbprints.Contains(thumbprint, StringComparer.OrdinalIgnoreCase)
            ? null
            : new(StatusCodes.Status403Forbidden, "this client certificate may not read metrics");
    }

    private MetricsRefusal? RefuseCredentials(HttpRequest request)
    {
        if (_keys.Length == 0 && _users.Length == 0)
        {
            return null;
        }

        string authorization = request.Headers.Authorization.ToString();
        string challenge = _users.Length > 0 ? "Basic realm=\"metrics\", charset=\"UTF-8\"" : "Bearer realm=\"metrics\"";
        bool known = Matches(_keys, request.Headers["X-Api-Key"].ToString())
            || (After(authorization, "Bearer ") is { } key && Matches(_keys, key))
            || (After(authorization, "Basic ") is { } basic && Decode(basic) is { } user && Matches(_users, user));
        return known ? null : new(StatusCodes.Status401Unauthorized, "valid credentials are required to read metrics", challenge);
    }

    private MetricsRefusal? RefuseRate()
    {
        if (options.RequestsPerMinute <= 0)
        {
            return null;
        }

        lock (_lock)
        {
            long now = time.GetTimestamp();
            double perSecond = options.RequestsPerMinute / 60.0;
            _tokens = Math.Min(options.RequestsPerMinute, _tokens + (time.GetElapsedTime(_refilled, now).TotalSeconds * perSecond));
            _refilled = now;
            if (_tokens >= 1)
            {
                _tokens--;
                return null;
            }

            return new(StatusCodes.Status429TooManyRequests, "metrics are read too often", RetryAfter: TimeSpan.FromSeconds((1 - _tokens) / perSecond));
        }
    }

    private static string? After(string text, string prefix) =>
        text.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) ? text[prefix.Length..].Trim() : null;

    private static string? Decode(string base64)
    {
        byte[] bytes = new byte[base64.Length];
        return Convert.TryFromBase64String(base64, bytes, out int length) ? Encoding.UTF8.GetString(bytes, 0, length) : null;
    }

    /// <summary>Looks at every candidate, so that the time says nothing about which one matched.</summary>
    private static bool Matches(byte[][] digests, string presented)
    {
        byte[] digest = Digest(presented);
        bool found = false;
        foreach (byte[] known in digests)
        {
            found |= CryptographicOperations.FixedTimeEquals(known, digest);
        }

        return found;
    }

    private static byte[] Digest(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
