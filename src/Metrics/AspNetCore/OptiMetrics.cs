using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using OptiInfra.Metrics.Agents;
using OptiInfra.Metrics.Sources;

namespace OptiInfra.Metrics.AspNetCore;

// The tour. AddOptiMetrics puts one registry and the agent's sets among the services, starts the sources (process, runtime, GPU,
// System.Diagnostics.Metrics) and measures requests from the start of the pipeline (HttpMetrics.cs). MapOptiMetrics adds the scrape
// endpoint (MetricsEndpoint.cs, guarded by MetricsGate.cs) and the pages people read (StatusPages.cs, OpenApiPages.cs).
// MetricServer.cs serves the same on a port of its own. Guarantee: a failure in here never fails a request of the application.

/// <summary>Everything about an agent's metrics in one place; the defaults are what most agents want.</summary>
public sealed record OptiMetricsOptions
{
    /// <summary>Name of the service, shown on its pages and in <c>build_info</c>.</summary>
    public string Service { get; init; } = Assembly.GetEntryAssembly()?.GetName().Name ?? "service";

    /// <summary>Version of the service; a label of <c>build_info</c> only, so that a release does not start all series anew.</summary>
    public string Version { get; init; } = Assembly.GetEntryAssembly()?.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0.0.0";

    public MetricRegistryOptions Registry { get; init; } = new();

    public AgentMetricsOptions Agent { get; init; } = new();

    public MetricsEndpointOptions Endpoint { get; init; } = new();

    /// <summary>How requests are recorded; null leaves them to an explicit <c>UseHttpMetrics</c>.</summary>
    public HttpMetricsOptions? Http { get; init; } = new();

    /// <summary>Whether the base set (<c>requests_total</c>, <c>errors_total</c>, …) is there and records the requests.</summary>
    public bool BaseSet { get; init; } = true;

    /// <summary>Prefix of the golden signals; null leaves the set out.</summary>
    public string? GoldenSignals { get; init; }

    /// <summary>Whether <c>process_*</c>, <c>dotnet_*</c> and, where the library is found, <c>gpu_*</c> are collected.</summary>
    public bool Collectors { get; init; } = true;

    /// <summary>Meters of System.Diagnostics.Metrics to take in; null takes none.</summary>
    public MeterBridgeOptions? Bridge { get; init; }

    /// <summary>Shows this registry as a Meter, for export through OpenTelemetry.</summary>
    public bool MirrorToMeter { get; init; }

    /// <summary>A port of its own for the metrics, beside the application's; zero serves them with the application.</summary>
    public int SeparatePort { get; init; }
}

/// <summary>The two lines an agent adds: <c>builder.Services.AddOptiMetrics();</c> and <c>app.MapOptiMetrics();</c></summary>
public static class OptiMetrics
{
    /// <summary>Adds the registry (unless the services have one), the agent's sets, the sources and the measuring of requests.</summary>
    public static IServiceCollection AddOptiMetrics(this IServiceCollection services, OptiMetricsOptions? options = null)
    {
        options ??= new OptiMetricsOptions();
        services.AddSingleton(options);
        services.TryAddSingleton(_ => new MetricRegistry(options.Registry));
        if (options.BaseSet)
        {
            services.AddSingleton(provider => new BaseMetrics(provider.GetRequiredService<MetricRegistry>(), options.Agent));
        }

        if (options.GoldenSignals is { } prefix)
        {
            services.AddSingleton(provider => new GoldenSignals(provider.GetRequiredService<MetricRegistry>(), prefix));
        }

        if (options.Http is not null)
        {
            services.AddSingleton<IStartupFilter, MeasureFirst>();
        }

        return services.AddHostedService(provider => new SourcesService(provider.GetRequiredService<MetricRegistry>(), options, provider));
    }

    /// <summary>Adds <c>/metrics</c>, <c>/health</c>, <c>/dashboard</c>, <c>/docs</c> and, unless the application has one, <c>/</c>.</summary>
    public static IEndpointRouteBuilder MapOptiMetrics(this IEndpointRouteBuilder endpoints)
    {
        OptiMetricsOptions options = endpoints.ServiceProvider.GetService<OptiMetricsOptions>()
            ?? throw new InvalidOperationException("MapOptiMetrics needs the services of AddOptiMetrics: call builder.Services.AddOptiMetrics() first");
        if (options.SeparatePort == 0)
        {
            endpoints.MapMetrics();
        }

        StatusPages.Map(endpoints);
        OpenApiPages.Map(endpoints);
        return endpoints;
    }

    /// <summary>Puts the measuring before everything else, so that the duration is the whole duration.</summary>
    private sealed class MeasureFirst : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.UseHttpMetrics();
            next(app);
        };
    }

    /// <summary>Starts and stops what feeds the registry.</summary>
    private sealed class SourcesService(MetricRegistry registry, OptiMetricsOptions options, IServiceProvider services) : IHostedService
    {
        private readonly List<IDisposable> _sources = [];
        private MetricServer? _server;

        public async Task StartAsync(CancellationToken cancellationToken)
        {
            registry.CreateInfo("build", "What this service is built from.", "service", "version", "runtime").Set(options.Service, options.Version, Environment.Version.ToString());

            // The sets are created now, so that their series exist before the first request.
            _ = services.GetService<BaseMetrics>();
            _ = services.GetService<GoldenSignals>();
            if (options.Collectors)
            {
                _sources.Add(new ProcessCollector(registry));
                _sources.Add(new RuntimeCollector(registry));
                if (GpuCollector.TryStart(registry) is { } gpus)
                {
                    _sources.Add(gpus);
                }
            }

            if (options.Bridge is { } bridge)
            {
                _sources.Add(new MeterBridge(registry, bridge));
            }

            if (options.MirrorToMeter)
            {
                _sources.Add(new MeterMirror(registry));
            }

            if (options.SeparatePort != 0)
            {
                _server = await MetricServer.StartAsync(registry, new MetricServerOptions { Port = options.SeparatePort, Endpoint = options.Endpoint }, cancellationToken);
            }
        }

        public async Task StopAsync(CancellationToken cancellationToken)
        {
            foreach (IDisposable source in _sources)
            {
                source.Dispose();
            }

            if (_server is not null)
            {
                await _server.DisposeAsync();
            }
        }
    }
}
