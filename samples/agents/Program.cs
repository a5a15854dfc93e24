using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OptiInfra.Metrics;
using OptiInfra.Metrics.AspNetCore;
using OptiInfra.Samples.Agents;

// One program that plays any member of a fleet of LLM agents:
//
//   agents --role cost --port 8001                             an agent; POST /optimize does its work
//   agents --role orchestrator --port 8080 --agent cost=http://localhost:8001 --rate 2
//                                                              calls its agents, on request and twice a second by itself
//   agents --role cost --dialect kosmos                        the same agent with another dialect's metric names
//
// GET /metrics is what it measures, GET /health, /dashboard and /docs are for people, and
// POST /misbehave?latency=2s&errors=0.5 makes it slow and faulty until POST /misbehave without parameters (Misbehaviour.cs).

AgentOptions options = AgentOptions.Parse(args);
WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
builder.Logging.SetMinimumLevel(LogLevel.Error);
builder.WebHost.UseUrls($"http://{options.Host}:{options.Port.ToString(CultureInfo.InvariantCulture)}");
MetricRegistry registry = new();
builder.Services.AddSingleton(registry);
DialectMetrics dialect = DialectMetrics.Create(options, registry);
builder.Services.AddOptiMetrics(dialect.Options);

await using WebApplication app = builder.Build();
await using DemoAgent agent = new(options, registry, dialect, TimeProvider.System);
agent.Map(app);
app.MapOptiMetrics();
await app.StartAsync();
Console.WriteLine($"{options.Role} listens on {app.Urls.First()}");
agent.Start(app.Lifetime.ApplicationStopping);
await app.WaitForShutdownAsync();
