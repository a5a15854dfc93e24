using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using OptiInfra.ApiServer.Access;
using OptiInfra.ApiServer.Controllers;
using OptiInfra.ApiServer.Faults;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Storage;

namespace OptiInfra.ApiServer;

/// <summary>
/// The embedded API server: answers like a real kube-apiserver, in this process, for tests and <c>optiinfra dev</c>.
/// A request flows Http/ (routing, negotiation, errors) → Verbs/ (what each verb means) → Apply/, Schema/, Builtin/
/// (the rules of objects, pure) → Admission/ → Storage/ (revisions, the log, the journal), and watches flow back from the
/// log through Watch/. Registry/ knows what is served, Discovery/ tells it, Tables/ prints it, Access/ says who may,
/// Controllers/ do what a cluster's controllers do, Faults/ breaks things on purpose.
/// It guarantees what the real one guarantees about versions, watches and conflicts. It schedules nothing and runs no pods.
/// </summary>
public sealed class DevApiServer : IAsyncDisposable
{
    private readonly WebApplication host;
    private readonly CancellationTokenSource stopping;
    private readonly Journal? journal;
    private readonly Task controllers;

    private DevApiServer(WebApplication host, CancellationTokenSource stopping, Journal? journal, Task controllers, ApiCore core, Credentials credentials, Uri url)
    {
        this.host = host;
        this.stopping = stopping;
        this.journal = journal;
        this.controllers = controllers;
        Core = core;
        Url = url;
        Token = credentials.Token;
        CaCertificatePem = credentials.CaPem;
        Kubeconfig = credentials.Kubeconfig(url);
    }

    /// <summary>Where it listens, with the port it got.</summary>
    public Uri Url { get; }

    /// <summary>The administrator's bearer token.</summary>
    public string Token { get; }

    /// <summary>The certificate that signed the server's own; empty with plain HTTP.</summary>
    public string CaCertificatePem { get; }

    /// <summary>A kubeconfig for the administrator.</summary>
    public string Kubeconfig { get; }

    /// <summary>Faults to inject while the server runs.</summary>
    public Chaos Chaos => Core.Chaos;

    /// <summary>Forgets all history up to now: older watches and lists are answered with 410.</summary>
    public void Compact() => Core.Store.Compact();

    internal ApiCore Core { get; }

    public static async Task<DevApiServer> StartAsync(DevApiServerOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new DevApiServerOptions();
        Store store = new(options.WatchWindow);
        Journal? journal = options.DataFolder is { } folder ? Journal.Open(folder, store) : null;
        ResourceRegistry registry = new(BuiltinResources.All(Builtin.BuiltinRules.Of));
        ApiCore core = new(options, store, registry);
        CancellationTokenSource stopping = new();
        core.Stopping = stopping.Token;
        Credentials credentials = Credentials.Create(options);
        core.CaPem = credentials.CaPem;
        foreach (Fault fault in options.Faults)
        {
            core.Chaos.Add(fault);
        }

        await Bootstrap.RunAsync(core, cancellationToken).ConfigureAwait(false);
        Task controllers = ControllerSet.Start(core, stopping.Token);
        WebApplication host = BuildHost(options, credentials);
        RequestRouter router = new(core, new Authentication(core, credentials.Token));
        host.Run(router.HandleAsync);
        await host.StartAsync(cancellationToken).ConfigureAwait(false);
        string address = host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        DevApiServer server = new(host, stopping, journal, controllers, core, credentials, new Uri(address));
        if (options.KubeconfigPath is { } path)
        {
            await Credentials.WriteKubeconfigAsync(path, server.Kubeconfig, cancellationToken).ConfigureAwait(false);
        }

        return server;
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        await host.StopAsync().ConfigureAwait(false);
        await host.DisposeAsync().ConfigureAwait(false);
        await controllers.ConfigureAwait(false);
        if (journal is not null)
        {
            await journal.DisposeAsync().ConfigureAwait(false);
        }

        Core.Admission.Dispose();
        Core.Chaos.Dispose();
        Core.Tokens.Dispose();
        stopping.Dispose();
    }

    private static WebApplication BuildHost(DevApiServerOptions options, Credentials credentials)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.AllowSynchronousIO = false;
            kestrel.Limits.MaxRequestBodySize = BodyReader.Limit + 1024;
            kestrel.Limits.MaxRequestHeadersTotalSize = 64 * 1024;
            kestrel.Limits.MaxRequestLineSize = 32 * 1024;
            kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(10));
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Limits.Http2.MaxStreamsPerConnection = 1000;
            kestrel.Listen(EndPointOf(options.Listen), listen => Configure(listen, options, credentials));
        });
        return builder.Build();
    }

    private static void Configure(ListenOptions listen, DevApiServerOptions options, Credentials credentials)
    {
        if (options.Http)
        {
            listen.Protocols = HttpProtocols.Http1;
            return;
        }

        listen.Protocols = HttpProtocols.Http1AndHttp2;
        listen.UseHttps(new HttpsConnectionAdapterOptions
        {
            ServerCertificate = credentials.ServerCertificate,
            ClientCertificateMode = ClientCertificateMode.AllowCertificate,
            ClientCertificateValidation = (certificate, _, _) => credentials.Trusts(certificate),
        });
    }

    private static IPEndPoint EndPointOf(string listen)
    {
        int colon = listen.LastIndexOf(':');
        string host = colon < 0 ? listen : listen[..colon];
        int port = colon < 0 ? 0 : int.Parse(listen[(colon + 1)..]);
        IPAddress address = host switch
        {
            "" or "localhost" => IPAddress.Loopback,
            "*" => IPAddress.Any,
            _ => IPAddress.Parse(host.Trim('[', ']')),
        };
        return new IPEndPoint(address, port);
    }
}
