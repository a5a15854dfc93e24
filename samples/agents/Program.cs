using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OptiInfra.Samples.Agents;

// One program that plays any member of a fleet of LLM agents:
//
//   agents --role cost --port 8001                             an agent; POST /optimize does its work
//   agents --role orchestrator --port 8080 --agent cost=http://localhost:8001 --rate 2
//                                                              calls its agents, on request and twice a second by itself
//
// GET /metrics is what it measures, GET /healthz says that it lives, and POST /misbehave?latency=2s&errors=0.5 makes it
// slow and faulty until POST /misbehave without parameters.

AgentOptions options = AgentOptions.Parse(args);
WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.WebHost.UseUrls($"http://{options.Host}:{options.Port.ToString(CultureInfo.InvariantCulture)}");
await using WebApplication app = builder.Build();
await using DemoAgent agent = DemoAgent.Create(options, TimeProvider.System, new Random());
agent.Map(app);
await app.StartAsync();
Console.WriteLine($"{options.Role} listens on {app.Urls.First()}");
agent.Start(app.Lifetime.ApplicationStopping);
await app.WaitForShutdownAsync();
