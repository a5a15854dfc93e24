using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using OptiInfra.Metrics.Agents;
using OptiInfra.Metrics.AspNetCore;
using OptiInfra.Metrics.Sources;

namespace OptiInfra.Metrics.Tests.AspNetCore;

public sealed class OptiMetricsTests
{
    [Fact]
    public async Task Two_lines_give_an_agent_all_pages_and_its_requests_are_counted_by_route_template()
    {
        await using Agent agent = await Agent.StartAsync(new OptiMetricsOptions { Service = "cost-agent", Version = "1.2" }, app =>
        {
            app.MapGet("/api/v1/agents/{name}/optimize", (string name) => name);
            app.MapGet("/fails", (HttpContext _) => throw new InvalidOperationException("no"));
        });
        await agent.GetAsync("/api/v1/agents/a/optimize");
        await agent.GetAsync("/api/v1/agents/b/optimize");
        await agent.GetAsync("/no/such/path/1");
        await agent.GetAsync("/no/such/path/2");
        await agent.GetAsync("/fails");
        await agent.GetAsync("/health");
        string text = (await agent.GetAsync("/metrics")).Body;

        Assert.Contains("\nrequests_total{endpoint=\"/api/v1/agents/{name}/optimize\",status=\"200\"} 2\n", text, StringComparison.Ordinal);
        Assert.Contains("\nrequests_total{endpoint=\"_unmatched\",status=\"404\"} 2\n", text, StringComparison.Ordinal);
        Assert.Contains("\nrequests_total{endpoint=\"/fails\",status=\"500\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("\nerrors_total{error_type=\"http_500\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("\nrequests_total{endpoint=\"/health\",status=\"200\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("\nrequest_duration_seconds_count{endpoint=\"/api/v1/agents/{name}/optimize\"} 2\n", text, StringComparison.Ordinal);
        Assert.Contains("\nhttp_server_active_requests 1\n", text, StringComparison.Ordinal);
        Assert.Contains("\nbuild_info{service=\"cost-agent\",version=\"1.2\"", text, StringComparison.Ordinal);
        Assert.Contains("\nprocess_cpu_seconds_total ", text, StringComparison.Ordinal);
        Assert.Contains("\ndotnet_gc_collections_total{generation=\"gen0\"}", text, StringComparison.Ordinal);
        Assert.DoesNotContain("/no/such", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Health_and_dashboard_show_the_golden_signals()
    {
        await using Agent agent = await Agent.StartAsync(new OptiMetricsOptions { Service = "sales", Version = "1.0.0", GoldenSignals = "cugar" }, _ => { });
        GoldenSignals golden = agent.Services.GetRequiredService<GoldenSignals>();
        for (int execution = 0; execution < 4; execution++)
        {
            golden.TrackExecution(execution > 0, TimeSpan.FromMilliseconds(200), "intelligence");
        }

        JsonElement health = JsonDocument.Parse((await agent.GetAsync("/health")).Body).RootElement;
        Assert.Equal("healthy", health.GetProperty("status").GetString());
        Assert.Equal("sales", health.GetProperty("service").GetString());
        Assert.Equal(4, health.GetProperty("metrics").GetProperty("total_executions").GetInt32());
        Assert.Equal(0.75, health.GetProperty("metrics").GetProperty("success_rate").GetDouble());
        Assert.InRange(health.GetProperty("metrics").GetProperty("latency_p95_ms").GetDouble(), 100, 250);

        JsonElement dashboard = JsonDocument.Parse((await agent.GetAsync("/dashboard")).Body).RootElement;
        JsonElement usage = dashboard.GetProperty("metrics").EnumerateArray().Single(metric => metric.GetProperty("name").GetString() == "cugar_domain_usage_total");
        Assert.Equal(4, usage.GetProperty("values")[0].GetProperty("value").GetDouble());
        Assert.Equal("intelligence", usage.GetProperty("values")[0].GetProperty("labels").GetProperty("domain").GetString());
    }

    [Fact]
    public async Task The_docs_come_from_the_agent_itself_and_list_its_routes()
    {
        await using Agent agent = await Agent.StartAsync(new OptiMetricsOptions { Service = "cost-agent" }, app =>
            app.MapPost("/api/v1/agents/{name:alpha}/optimize", (string name) => name).WithSummary("Starts an optimization"));
        (HttpStatusCode status, string page) = await agent.GetAsync("/docs");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.DoesNotContain("http://", page, StringComparison.Ordinal);
        Assert.DoesNotContain("https://", page, StringComparison.Ordinal);

        JsonElement paths = JsonDocument.Parse((await agent.GetAsync("/openapi.json")).Body).RootElement.GetProperty("paths");
        JsonElement operation = paths.GetProperty("/api/v1/agents/{name}/optimize").GetProperty("post");
        Assert.Equal("Starts an optimization", operation.GetProperty("summary").GetString());
        Assert.Equal("name", operation.GetProperty("parameters")[0].GetProperty("name").GetString());
        Assert.True(paths.TryGetProperty("/metrics", out _));
    }

    [Fact]
    public async Task The_applications_own_root_page_wins()
    {
        await using Agent agent = await Agent.StartAsync(new OptiMetricsOptions(), app => app.MapGet("/", () => "mine"));
        Assert.Equal("mine", (await agent.GetAsync("/")).Body);
        await using Agent bare = await Agent.StartAsync(new OptiMetricsOptions(), _ => { });
        Assert.Contains("/dashboard", (await bare.GetAsync("/")).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_streamed_answer_is_measured_to_its_last_byte()
    {
        var seen = new List<HttpOutcome>();
        var firstByte = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        await using Agent agent = await Agent.StartAsync(new OptiMetricsOptions { Http = new HttpMetricsOptions { Track = seen.Add } }, app =>
            app.MapGet("/stream", async (HttpContext context) =>
            {
                await context.Response.WriteAsync("first");
                await context.Response.Body.FlushAsync();
                firstByte.SetResult();
                await goOn.Task;
                await context.Response.WriteAsync("last");
            }));
        Task<(HttpStatusCode Status, string Body)> request = agent.GetAsync("/stream");
        await firstByte.Task;
        Assert.Empty(seen);
        goOn.SetResult();
        Assert.Equal("firstlast", (await request).Body);
        await agent.DisposeAsync();
        Assert.Equal("/stream", Assert.Single(seen).Endpoint);
    }

    [Fact]
    public async Task A_failure_while_recording_is_counted_and_the_request_succeeds()
    {
        await using Agent agent = await Agent.StartAsync(
            new OptiMetricsOptions { Http = new HttpMetricsOptions { Track = _ => throw new InvalidOperationException("metrics are broken") } },
            app => app.MapGet("/works", () => "fine"));
        Assert.Equal("fine", (await agent.GetAsync("/works")).Body);
        Assert.Contains("\nmetrics_callback_errors_total 1\n", (await agent.GetAsync("/metrics")).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Metrics_on_a_port_of_their_own_are_not_on_the_applications_port()
    {
        int port = FreePort();
        await using Agent agent = await Agent.StartAsync(new OptiMetricsOptions { SeparatePort = port }, _ => { });
        Assert.Equal(HttpStatusCode.NotFound, (await agent.GetAsync("/metrics")).Status);
        using var client = new HttpClient();
        Assert.Contains("requests_total", await client.GetStringAsync($"http://127.0.0.1:{port}/metrics"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_platforms_own_meters_come_in_through_the_bridge()
    {
        await using Agent agent = await Agent.StartAsync(new OptiMetricsOptions { Bridge = new MeterBridgeOptions() }, app => app.MapGet("/things/{id}", (string id) => id));
        await agent.GetAsync("/things/7");
        string text = (await agent.GetAsync("/metrics")).Body;
        Assert.Contains("# TYPE http_server_request_duration_seconds histogram\n", text, StringComparison.Ordinal);
        Assert.Contains("http_route=\"/things/{id}\"", text, StringComparison.Ordinal);
        Assert.Contains("# TYPE http_client_request_duration_seconds histogram\n", text, StringComparison.Ordinal);
        Assert.Contains("# TYPE kestrel_active_connections gauge\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unhealthy_check_of_the_application_makes_the_health_page_say_so()
    {
        await using Agent agent = await Agent.StartAsync(
            new OptiMetricsOptions(),
            _ => { },
            services => services.AddHealthChecks().AddCheck("database", () => HealthCheckResult.Unhealthy()));
        (HttpStatusCode status, string body) = await agent.GetAsync("/health");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Contains("\"status\":\"unhealthy\"", body, StringComparison.Ordinal);
    }

    private static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>A real web application on a free loopback port.</summary>
    private sealed class Agent(WebApplication app, HttpClient client) : IAsyncDisposable
    {
        public IServiceProvider Services => app.Services;

        public static async Task<Agent> StartAsync(OptiMetricsOptions options, Action<WebApplication> configure, Action<IServiceCollection>? add = null)
        {
            WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            builder.Services.AddOptiMetrics(options);
            add?.Invoke(builder.Services);
            WebApplication app = builder.Build();
            app.MapOptiMetrics();
            configure(app);
            await app.StartAsync();
            string address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
            return new Agent(app, new HttpClient { BaseAddress = new Uri(address) });
        }

        public async Task<(HttpStatusCode Status, string Body)> GetAsync(string path)
        {
            using HttpResponseMessage response = await client.GetAsync(path);
            return (response.StatusCode, await response.Content.ReadAsStringAsync());
        }

        public async ValueTask DisposeAsync()
        {
            client.Dispose();
            await app.DisposeAsync();
        }
    }
}
