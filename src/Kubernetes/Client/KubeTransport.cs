using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Kubernetes.Client;

/// <summary>One request, kept as bytes so that it can be sent again unchanged.</summary>
internal sealed record KubeRequest(HttpMethod Method, string PathAndQuery)
{
    public byte[]? Body { get; init; }

    public string? ContentType { get; init; }

    public string Accept { get; init; } = "application/json";

    public bool IsWatch { get; init; }
}

/// <summary>A successful answer; disposing it frees its place in the connection pool.</summary>
internal sealed class KubeResponse(HttpResponseMessage message, ConnectionPool pool) : IDisposable
{
    private int disposed;

    public HttpResponseMessage Message { get; } = message;

    public void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, 1) == 0)
        {
            Message.Dispose();
            pool.Leave();
        }
    }
}

/// <summary>
/// Sends requests as somebody, over connections that follow rotated certificates. It repeats a request when the server asked for that
/// (Retry-After, up to ten times) and once when a refused identity can be renewed; everything else is the caller's decision.
/// </summary>
internal sealed class KubeTransport(KubeConfig config, KubeClientOptions options) : IDisposable
{
    private const int MaxRetries = 10;
    private static readonly TimeSpan AuthorityLife = TimeSpan.FromMinutes(5);

    private readonly TimeProvider time = options.Time;
    private readonly Credential credential = Credential.For(config, options.Time);
    private readonly string baseUrl = config.Server.GetLeftPart(UriPartial.Path).TrimEnd('/');
    private readonly string host = config.Server.Authority;
    private readonly Lock gate = new();
    private ConnectionPool? pool;
    private X509Certificate2? poolCertificate;
    private string? poolAuthority;
    private string? authority = config.CertificateAuthorityPem;
    private long authorityRead;

    public async Task<KubeResponse> SendAsync(KubeRequest request, CancellationToken cancellationToken)
    {
        bool renewed = false;
        for (int retries = 0; ; retries++)
        {
            Identity identity = await credential.GetAsync(cancellationToken).ConfigureAwait(false);
            KubeResponse response = await SendOnceAsync(request, identity, cancellationToken).ConfigureAwait(false);
            HttpStatusCode code = response.Message.StatusCode;
            if ((int)code is >= 200 and < 300)
            {
                return response;
            }

            using (response)
            {
                if (code == HttpStatusCode.Unauthorized && !renewed && credential.Reject(identity))
                {
                    renewed = true;
                    continue;
                }

                TimeSpan? retryAfter = RetryAfter(response.Message);
                KubeApiException error = await ErrorAsync(request, response.Message, retryAfter, cancellationToken).ConfigureAwait(false);
                bool asked = retryAfter is not null && (code == HttpStatusCode.TooManyRequests || (int)code >= 500);

                // A version from the future will not come true by waiting; the caller has to ask for another one. Watches back off by
                // themselves.
                if (!asked || request.IsWatch || retries >= MaxRetries || error.IsTooLargeResourceVersion)
                {
                    throw error;
                }

                options.Metrics.RequestRetried(request.Method.Method, host, code);
                await Task.Delay(retryAfter!.Value, time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    public void Dispose()
    {
        credential.Dispose();
        lock (gate)
        {
            pool?.Dispose();
            pool = null;
        }
    }

    /// <summary>What an exception of the HTTP stack means to us.</summary>
    public static KubeTransportException Failure(string what, Exception e)
    {
        bool refused = e is HttpRequestException { InnerException: SocketException { SocketErrorCode: SocketError.ConnectionRefused } };
        return new KubeTransportException($"{what}: {(e.InnerException ?? e).Message}", e) { IsConnectionRefused = refused };
    }

    public static bool IsFailure(Exception e) => e is HttpRequestException or IOException or SocketException or AuthenticationException;

    private async Task<KubeResponse> SendOnceAsync(KubeRequest request, Identity identity, CancellationToken cancellationToken)
    {
        ConnectionPool connections = Enter(identity.Certificate);
        long start = time.GetTimestamp();
        try
        {
            using HttpRequestMessage message = Message(request, identity);
            HttpResponseMessage response = await connections.For(request.IsWatch).SendAsync(message, cancellationToken).ConfigureAwait(false);
            options.Metrics.RequestDone(request.Method.Method, host, ((int)response.StatusCode).ToString(CultureInfo.InvariantCulture), time.GetElapsedTime(start));
            return new KubeResponse(response, connections);
        }
        catch (Exception e)
        {
            connections.Leave();
            if (e is ObjectDisposedException)
            {
                throw new KubeTransportException($"{request.Method} {request.PathAndQuery}: the client is closed", e);
            }

            if (!IsFailure(e))
            {
                throw;
            }

            options.Metrics.RequestDone(request.Method.Method, host, "<error>", time.GetElapsedTime(start));
            throw Failure($"{request.Method} {baseUrl}{request.PathAndQuery}", e);
        }
    }

    private HttpRequestMessage Message(KubeRequest request, Identity identity)
    {
        var message = new HttpRequestMessage(request.Method, baseUrl + request.PathAndQuery)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        // .NET takes the name to expect in the certificate (and the SNI) from here, whatever the TLS options say; API servers route
        // by path and do not look at it.
        message.Headers.Host = config.TlsServerName;
        message.Headers.Authorization = identity.Authorization;
        message.Headers.TryAddWithoutValidation("Accept", request.Accept);
        message.Headers.TryAddWithoutValidation("User-Agent", options.UserAgent);
        if (config.Impersonate is { } other)
        {
            Impersonate(message.Headers, other);
        }

        if (request.Body is not null)
        {
            message.Content = new ByteArrayContent(request.Body);
            message.Content.Headers.TryAddWithoutValidation("Content-Type", request.ContentType);
        }

        return message;
    }

    private static void Impersonate(HttpRequestHeaders headers, Impersonation other)
    {
        if (other.User is not null)
        {
            headers.TryAddWithoutValidation("Impersonate-User", other.User);
        }

        if (other.Uid is not null)
        {
            headers.TryAddWithoutValidation("Impersonate-Uid", other.Uid);
        }

        foreach (string group in other.Groups)
        {
            headers.TryAddWithoutValidation("Impersonate-Group", group);
        }

        foreach ((string key, IReadOnlyList<string> values) in other.Extra)
        {
            headers.TryAddWithoutValidation($"Impersonate-Extra-{Uri.EscapeDataString(key)}", values);
        }
    }

    // A pool belongs to one certificate and one authority; when either rotates, new requests get a new pool.
    private ConnectionPool Enter(X509Certificate2? certificate)
    {
        lock (gate)
        {
            ReadAuthority_NeedsLock();
            if (pool is null || !ReferenceEquals(certificate, poolCertificate) || authority != poolAuthority)
            {
                ConnectionPool? old = pool;
                pool = new ConnectionPool(config, certificate, Authorities(authority));
                poolCertificate = certificate;
                poolAuthority = authority;
                old?.Retire();
            }

            bool entered = pool.TryEnter();
            System.Diagnostics.Debug.Assert(entered, "the current pool is never retired");
            return pool;
        }
    }

    private void ReadAuthority_NeedsLock()
    {
        if (config.CertificateAuthorityPem is not null || config.CertificateAuthorityFile is not { } file
            || (authorityRead != 0 && time.GetElapsedTime(authorityRead) < AuthorityLife))
        {
            return;
        }

        try
        {
            authority = File.ReadAllText(file);
            authorityRead = time.GetTimestamp();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            authority = authority ?? throw new KubeConfigException($"certificate authority {file} cannot be read: {e.Message}", e);
        }
    }

    private static X509Certificate2Collection? Authorities(string? pem)
    {
        if (pem is null)
        {
            return null;
        }

        var authorities = new X509Certificate2Collection();
        try
        {
            authorities.ImportFromPem(pem);
        }
        catch (CryptographicException e)
        {
            throw new KubeConfigException($"the certificate authority is not PEM: {e.Message}", e);
        }

        return authorities.Count > 0 ? authorities : throw new KubeConfigException("the certificate authority holds no PEM certificate");
    }

    private TimeSpan? RetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date - time.GetUtcNow() is { Ticks: > 0 } wait ? wait : TimeSpan.Zero,
        _ => null,
    };

    private static async Task<KubeApiException> ErrorAsync(KubeRequest request, HttpResponseMessage response, TimeSpan? retryAfter, CancellationToken cancellationToken)
    {
        byte[] body;
        try
        {
            body = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (IsFailure(e))
        {
            body = [];
        }

        KubeStatus? status = null;
        try
        {
            status = JsonSerializer.Deserialize(body, KubeJson.Default.KubeStatus);
        }
        catch (JsonException)
        {
            // Proxies answer with HTML; the code alone has to do.
        }

        string path = request.PathAndQuery.Split('?')[0];
        string message = status is { Kind: "Status", Message: { Length: > 0 } text }
            ? $"{request.Method} {path}: {text}"
            : $"{request.Method} {path}: the server answered {(int)response.StatusCode} {response.ReasonPhrase}";
        return new KubeApiException(response.StatusCode, status is { Kind: "Status" } ? status : null, message, retryAfter);
    }
}
