using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using OptiInfra.Kubernetes.Client;

namespace OptiInfra.Kubernetes.Webhooks;

/// <summary>Where webhooks listen and how long they may take.</summary>
public sealed record WebhookServerOptions
{
    /// <summary>Port 0 takes a free one.</summary>
    public IPEndPoint Listen { get; init; } = new(IPAddress.Any, 9443);

    public required ServingCertificates Certificates { get; init; }

    /// <summary>Below the API server's own default of 10 s, so that our answer comes before its patience ends.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(9);

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public KubeMetrics Metrics { get; init; } = KubeMetrics.None;

    public ILogger Logger { get; init; } = NullLogger.Instance;
}

/// <summary>
/// Answers the API server's questions over HTTPS: admission (validating and mutating) and conversion. Requests flow from
/// Kestrel through the limits here (size, type, time) to a function per path, and its answer back as a review.
///   Admission.cs            requests, answers, and patches made from the difference of two objects
///   Conversion.cs           the conversion protocol around a function from object to object
///   ServingCertificates.cs  the certificate of the moment: our own authority's, or files that somebody rotates
///   CertificateRotation.cs  when and in which order authority and certificate are replaced
/// A handler that throws or is late answers 500 or 504 and the webhook's failurePolicy decides; it never takes the server down.
/// Registering webhooks with the cluster is not done here.
/// </summary>
public sealed class WebhookServer : IAsyncDisposable
{
    private const int MaxBody = 7 * 1024 * 1024;

    private readonly WebhookServerOptions options;
    private readonly Dictionary<string, Hook> hooks = [];
    private WebApplication? app;

    private sealed record Hook(string Name, string Review, Func<JsonObject, CancellationToken, Task<JsonObject>> Answer);

    public WebhookServer(WebhookServerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        this.options = options;
    }

    /// <summary>Where it listens, once started.</summary>
    public Uri? Address { get; private set; }

    /// <summary>Serves validating or mutating admission at a path.</summary>
    public WebhookServer Admit(string path, Func<AdmissionRequest, CancellationToken, Task<AdmissionResponse>> decide)
    {
        ArgumentNullException.ThrowIfNull(decide);
        return Add(path, "AdmissionReview", async (request, cancellationToken) =>
        {
            AdmissionResponse response = await decide(new AdmissionRequest(request), cancellationToken).ConfigureAwait(false);
            return response.Review(request["uid"]?.ToString() ?? "");
        });
    }

    /// <summary>Serves conversion between versions at a path.</summary>
    public WebhookServer Convert(string path, ConvertObject convert) =>
        Add(path, "ConversionReview", (request, _) => Task.FromResult(ConversionReview.Answer(request, convert)));

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaxBody;
            kestrel.Listen(options.Listen, listen => listen.UseHttps(new TlsHandshakeCallbackOptions
            {
                OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions
                {
                    ServerCertificateContext = options.Certificates.Current,
                    ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
                }),
            }));
        });
        app = builder.Build();
        app.Run(ServeAsync);
        await app.StartAsync(cancellationToken).ConfigureAwait(false);
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
    }

    /// <summary>Starts, and serves until stopped; requests that run then may finish.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        await StartAsync(stop).ConfigureAwait(false);
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, options.Time, stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await app!.StopAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (app is not null)
        {
            await app.DisposeAsync().ConfigureAwait(false);
        }
    }

    private WebhookServer Add(string path, string review, Func<JsonObject, CancellationToken, Task<JsonObject>> answer)
    {
        hooks.Add(path, new Hook(path.Trim('/'), review, answer));
        options.Metrics.WebhookPanics.WithLabels(path.Trim('/')).Inc(0);
        options.Metrics.WebhooksInFlight.WithLabels(path.Trim('/')).Set(0);
        return this;
    }

    private async Task ServeAsync(HttpContext context)
    {
        if (!hooks.TryGetValue(context.Request.Path.Value ?? "", out Hook? hook))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        long start = options.Time.GetTimestamp();
        options.Metrics.WebhooksInFlight.WithLabels(hook.Name).Inc();
        try
        {
            (int code, string body) = await AnswerAsync(context.Request, hook, context.RequestAborted).ConfigureAwait(false);
            context.Response.StatusCode = code;
            context.Response.ContentType = code == StatusCodes.Status200OK ? "application/json" : "text/plain; charset=utf-8";
            await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(body), context.RequestAborted).ConfigureAwait(false);
        }
        finally
        {
            options.Metrics.WebhooksInFlight.WithLabels(hook.Name).Dec();
            options.Metrics.WebhookSeconds.WithLabels(hook.Name).Observe(options.Time.GetElapsedTime(start).TotalSeconds);
            options.Metrics.WebhookRequests.WithLabels(hook.Name, context.Response.StatusCode.ToString(CultureInfo.InvariantCulture)).Inc();
        }
    }

    private async Task<(int Code, string Body)> AnswerAsync(HttpRequest request, Hook hook, CancellationToken aborted)
    {
        if (request.Method != HttpMethods.Post || request.ContentType?.StartsWith("application/json", StringComparison.OrdinalIgnoreCase) != true)
        {
            return (StatusCodes.Status415UnsupportedMediaType, "POST a review as application/json");
        }

        using var late = new CancellationTokenSource(Patience(request), options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, aborted);
        try
        {
            JsonNode? review = await JsonNode.ParseAsync(request.Body, documentOptions: new JsonDocumentOptions { MaxDepth = 256 }, cancellationToken: either.Token).ConfigureAwait(false);
            return review is JsonObject body && body["kind"]?.ToString() == hook.Review && body["request"] is JsonObject question
                ? (StatusCodes.Status200OK, (await hook.Answer(question, either.Token).WaitAsync(either.Token).ConfigureAwait(false)).ToJsonString())
                : (StatusCodes.Status400BadRequest, $"this is no {hook.Review} with a request");
        }
        catch (JsonException e)
        {
            return (StatusCodes.Status400BadRequest, $"the review is not JSON: {e.Message}");
        }
        catch (BadHttpRequestException e)
        {
            return (e.StatusCode, e.Message);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested)
        {
            return (StatusCodes.Status504GatewayTimeout, $"webhook {hook.Name} was not done in time");
        }
        catch (OperationCanceledException)
        {
            return (499, "the caller went away");
        }
        catch (Exception e)
        {
            // One object that our code cannot cope with must not close the door to all others.
            (hook.Review == "ConversionReview" ? options.Metrics.ConversionPanics.WithLabels() : options.Metrics.WebhookPanics.WithLabels(hook.Name)).Inc();
            options.Logger.LogError(e, "webhook {Webhook} failed: {Message}", hook.Name, e.Message);
            return (StatusCodes.Status500InternalServerError, $"webhook {hook.Name} failed: {e.Message}");
        }
    }

    // The API server says how long it will wait (?timeout=10s); to answer a moment sooner is all we can do.
    private TimeSpan Patience(HttpRequest request)
    {
        string text = request.Query["timeout"].ToString();
        return text.EndsWith('s') && int.TryParse(text.AsSpan(0, text.Length - 1), CultureInfo.InvariantCulture, out int seconds) && seconds > 0
            ? TimeSpan.FromSeconds(seconds) * 0.9
            : options.Deadline;
    }
}
