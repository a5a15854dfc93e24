using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace OptiInfra.Metrics.AspNetCore;

/// <summary>Where and how a metrics server listens.</summary>
public sealed record MetricServerOptions
{
    /// <summary>The port; 0 takes a free one.</summary>
    public int Port { get; init; } = 9464;

    public IPAddress Address { get; init; } = IPAddress.Any;

    public string Path { get; init; } = "/metrics";

    public MetricsEndpointOptions Endpoint { get; init; } = new();

    /// <summary>Serves HTTPS with this certificate.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>With HTTPS: the authority whose client certificates are accepted (mutual TLS).</summary>
    public X509Certificate2? ClientAuthority { get; init; }
}

/// <summary>A small server for metrics alone: for programs without one, or for a port that only Prometheus can reach.</summary>
public sealed class MetricServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private MetricServer(WebApplication app) => _app = app;

    /// <summary>The address it listens on, with the port that was really taken.</summary>
    public Uri Address => new(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    /// <summary>Starts to serve.</summary>
    public static async Task<MetricServer> StartAsync(MetricRegistry registry, MetricServerOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new MetricServerOptions();
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.ClearProviders();
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(options.Address, options.Port, listen => UseTls(listen, options));
        });
        WebApplication app = builder.Build();
        app.MapMetrics(registry, options.Path, options.Endpoint);
        await app.StartAsync(cancellationToken);
        return new MetricServer(app);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static void UseTls(ListenOptions listen, MetricServerOptions options)
    {
        if (options.Certificate is null)
        {
            return;
        }

        bool mutual = options.ClientAuthority is not null || options.Endpoint.RequireClientCertificate || options.Endpoint.ClientCertificateThumbprints.Count > 0;
        listen.UseHttps(new HttpsConnectionAdapterOptions
        {
            ServerCertificate = options.Certificate,
            ClientCertificateMode = mutual ? ClientCertificateMode.AllowCertificate : ClientCertificateMode.NoCertificate,
            ClientCertificateValidation = (certificate, _, _) => IsTrusted(certificate, options),
        });
    }

    /// <summary>With an own authority only its certificates count; with thumbprints alone the gate decides by thumbprint.</summary>
    private static bool IsTrusted(X509Certificate2 certificate, MetricServerOptions options)
    {
        if (options.ClientAuthority is null)
        {
            return options.Endpoint.ClientCertificateThumbprints.Count > 0;
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(options.ClientAuthority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(certificate);
    }
}
