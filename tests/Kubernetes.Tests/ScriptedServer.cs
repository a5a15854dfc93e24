using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OptiInfra.Kubernetes.Client;

namespace OptiInfra.Kubernetes.Tests;

/// <summary>A request as the server saw it.</summary>
internal sealed record SeenRequest(string Method, string Path, IReadOnlyDictionary<string, string> Query, IReadOnlyDictionary<string, string> Headers, string Body, string? ClientCertificate)
{
    public bool IsWatch => Query.GetValueOrDefault("watch") == "true";

    public string? this[string parameter] => Query.GetValueOrDefault(parameter);
}

/// <summary>
/// A server that misbehaves exactly as a test says: for everything that happens below the API's meaning (garbage frames, hang-ups, GOAWAY,
/// odd status codes). What the API means is tested against a server that means it.
/// </summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly CancellationTokenSource closing = new();

    private ScriptedServer(WebApplication app) => this.app = app;

    public ConcurrentQueue<SeenRequest> Requests { get; } = new();

    public IEnumerable<SeenRequest> Watches => Requests.Where(request => request.IsWatch);

    public IEnumerable<SeenRequest> Lists => Requests.Where(request => !request.IsWatch);

    public Uri Address => new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    public KubeConfig Config => new() { Server = Address };

    public static async Task<ScriptedServer> StartAsync(Func<HttpContext, SeenRequest, Task> script, TestTls? tls = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Listen(IPAddress.Loopback, 0, listen => Secure(listen, tls));
        });
        WebApplication app = builder.Build();
        var server = new ScriptedServer(app);
        app.Run(async context =>
        {
            using CancellationTokenRegistration abort = server.closing.Token.Register(context.Abort);
            SeenRequest seen = await SeeAsync(context);
            server.Requests.Enqueue(seen);
            try
            {
                await script(context, seen);
            }
            catch (Exception e) when (e is OperationCanceledException or IOException && context.RequestAborted.IsCancellationRequested)
            {
                // The client hung up first, as clients do.
            }
        });
        await app.StartAsync();
        return server;
    }

    public static async Task JsonAsync(HttpContext context, int status, string body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(body);
    }

    public static Task StatusAsync(HttpContext context, int code, string reason, string message = "no") =>
        JsonAsync(context, code, Status(code, reason, message));

    public static string Status(int code, string reason, string message = "no") =>
        $$"""{"kind":"Status","apiVersion":"v1","status":"Failure","message":"{{message}}","reason":"{{reason}}","code":{{code}}}""";

    public static async Task FrameAsync(HttpContext context, string line)
    {
        await context.Response.WriteAsync(line + "\n");
        await context.Response.Body.FlushAsync();
    }

    /// <summary>Holds a watch open without a word.</summary>
    public static async Task HoldAsync(HttpContext context)
    {
        await context.Response.Body.FlushAsync();
        await Task.Delay(Timeout.Infinite, context.RequestAborted);
    }

    public static string Frame(string type, JsonObject obj) => new JsonObject { ["type"] = type, ["object"] = obj.DeepClone() }.ToJsonString();

    public static string Bookmark(string version, bool endsInitial = false)
    {
        var metadata = new JsonObject { ["resourceVersion"] = version };
        if (endsInitial)
        {
            metadata["annotations"] = new JsonObject { ["k8s.io/initial-events-end"] = "true" };
        }

        return Frame("BOOKMARK", new JsonObject { ["kind"] = "ConfigMap", ["apiVersion"] = "v1", ["metadata"] = metadata });
    }

    public static string List(string version, IEnumerable<JsonObject> items, string? token = null) => new JsonObject
    {
        ["kind"] = "ConfigMapList",
        ["apiVersion"] = "v1",
        ["metadata"] = new JsonObject { ["resourceVersion"] = version, ["continue"] = token ?? "" },
        ["items"] = new JsonArray([.. items.Select(item => item.DeepClone())]),
    }.ToJsonString();

    public static JsonObject ConfigMap(string name, string version, string? uid = null, string ns = "default") => new()
    {
        ["kind"] = "ConfigMap",
        ["apiVersion"] = "v1",
        ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = ns, ["uid"] = uid ?? $"uid-{name}", ["resourceVersion"] = version },
        ["data"] = new JsonObject { ["v"] = version },
    };

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        await app.DisposeAsync();
        closing.Dispose();
    }

    private static void Secure(ListenOptions listen, TestTls? tls)
    {
        if (tls is null)
        {
            return;
        }

        listen.Protocols = HttpProtocols.Http1AndHttp2;
        listen.UseHttps(https =>
        {
            https.ServerCertificateSelector = (_, name) =>
            {
                tls.Names.Enqueue(name ?? "");
                return tls.Server;
            };
            https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
            https.AllowAnyClientCertificate();
        });
    }

    private static async Task<SeenRequest> SeeAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
        string body = await reader.ReadToEndAsync();
        X509Certificate2? certificate = context.Request.IsHttps ? await context.Connection.GetClientCertificateAsync() : null;
        return new SeenRequest(
            context.Request.Method,
            context.Request.Path.Value ?? "",
            context.Request.Query.ToDictionary(pair => pair.Key, pair => pair.Value.ToString()),
            context.Request.Headers.ToDictionary(pair => pair.Key, pair => pair.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            body,
            certificate?.Subject);
    }
}

/// <summary>A certificate authority of a test's own, and a server certificate from it for localhost.</summary>
internal sealed class TestTls
{
    private readonly X509Certificate2 authority;

    public TestTls(string host = "127.0.0.1")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=test authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        AuthorityPem = authority.ExportCertificatePem();
        (string certificate, string keyPem) = Issue(host, host);
        using X509Certificate2 pem = X509Certificate2.CreateFromPem(certificate, keyPem);
        Server = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
    }

    public string AuthorityPem { get; }

    public X509Certificate2 Server { get; }

    /// <summary>The names that clients asked for (SNI).</summary>
    public ConcurrentQueue<string> Names { get; } = new();

    public (string Certificate, string Key) Issue(string commonName, string? host = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={commonName}", key, HashAlgorithmName.SHA256);
        if (host is not null)
        {
            var names = new SubjectAlternativeNameBuilder();
            if (IPAddress.TryParse(host, out IPAddress? address))
            {
                names.AddIpAddress(address);
            }
            else
            {
                names.AddDnsName(host);
            }

            request.CertificateExtensions.Add(names.Build());
        }

        byte[] serial = RandomNumberGenerator.GetBytes(8);
        using X509Certificate2 certificate = request.Create(authority, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1), serial);
        return (certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }
}
