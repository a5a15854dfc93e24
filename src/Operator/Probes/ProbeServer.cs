using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using OptiInfra.Metrics;
using OptiInfra.Metrics.AspNetCore;

namespace OptiInfra.Operator.Probes;

/// <summary>
/// <c>/healthz</c> says that the process lives (it never asks the API server: a cluster in trouble must not restart us),
/// <c>/readyz</c> that its caches are complete, <c>/metrics</c> what it does.
/// </summary>
internal static class ProbeServer
{
    public static async Task RunAsync(string address, Func<bool> isReady, MetricRegistry registry, CancellationToken stop)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(address);
        await using WebApplication app = builder.Build();
        app.MapGet("/healthz", context => context.Response.WriteAsync("ok\n"));
        app.MapGet("/readyz", context =>
        {
            bool ready = isReady();
            context.Response.StatusCode = ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
            return context.Response.WriteAsync(ready ? "ok\n" : "caches are not complete yet\n");
        });
        app.MapMetrics(registry);
        await app.StartAsync(stop);
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await app.StopAsync(CancellationToken.None);
        }
    }
}
