using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using OptiInfra.Metrics.Agents;
using OptiInfra.Metrics.AspNetCore;

namespace OptiInfra.Metrics.Tests.Exposition;

public sealed class RealPrometheusTests
{
    [PrometheusFact]
    public async Task Promtool_finds_nothing_wrong_with_any_agent_set()
    {
        foreach (AgentSet set in AgentSets.All)
        {
            var registry = new MetricRegistry();
            set.Create(registry);
            string findings = await PrometheusTools.CheckMetricsAsync(registry.WriteText());
            string[] unexpected = [.. findings.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !IsSeedName(line))];
            Assert.True(unexpected.Length == 0, $"{set.Name}: {string.Join('\n', unexpected)}");
        }
    }

    /// <summary>With native histograms Prometheus asks for protobuf, without them for OpenMetrics.</summary>
    [PrometheusTheory]
    [InlineData("")]
    [InlineData("--enable-feature=native-histograms")]
    public Task Prometheus_2_53_and_3_5_read_every_type(string feature) =>
        Task.WhenAll(ReadsEveryTypeAsync("prom-2.53", feature), ReadsEveryTypeAsync("prom-3.5", feature));

    private static async Task ReadsEveryTypeAsync(string version, string feature)
    {
        MetricRegistry registry = Sample();
        await using MetricServer server = await MetricServer.StartAsync(registry, new MetricServerOptions { Address = IPAddress.Loopback, Port = 0 });
        await using ScrapingPrometheus prometheus = await ScrapingPrometheus.StartAsync(version, feature, server.Address);

        Assert.Equal("up", await prometheus.TargetHealthAsync());
        Assert.Equal(3, await prometheus.QueryAsync("seed_requests_total{agent=\"cost\",note=\"a\\\"b\\\\c\\nd\"}"));
        Assert.Equal(-2.5, await prometheus.QueryAsync("seed_level"));
        Assert.Equal(3, await prometheus.QueryAsync("seed_wait_seconds_bucket{le=\"1.0\"} or seed_wait_seconds_bucket{le=\"1\"}"));
        Assert.Equal(4, await prometheus.QueryAsync("seed_wait_seconds_count"));
        Assert.Equal(1, await prometheus.QueryAsync("seed_build_info{version=\"1.2\"}"));
        Assert.Equal(1, await prometheus.QueryAsync("seed_health{seed_health=\"up\"}"));
        Assert.Equal(2, await prometheus.QueryAsync("seed_size_count"));
        if (feature.Length > 0)
        {
            Assert.Equal(3, await prometheus.QueryAsync("histogram_count(seed_native_seconds)"));
            double median = await prometheus.QueryAsync("histogram_quantile(0.5, seed_native_seconds)");
            Assert.InRange(median, 0.45, 0.55);
        }
    }

    private static MetricRegistry Sample()
    {
        var registry = new MetricRegistry();
        registry.CreateCounter("seed_requests_total", "Requests: \\ and \n and \".", "agent", "note").WithLabels("cost", "a\"b\\c\nd").Inc(3);
        registry.CreateGauge("seed_level", "").Set(-2.5);
        Histogram wait = registry.CreateHistogram("seed_wait_seconds", "Wait.", new HistogramOptions { Buckets = [0.5, 1, 1e6] });
        Histogram native = registry.CreateHistogram("seed_native_seconds", "Native.", new HistogramOptions { Buckets = [], Native = new NativeHistogramOptions() });
        foreach (double value in new[] { 0.1, 0.5, 7 })
        {
            wait.Observe(value + 0.3);
            native.Observe(value);
        }

        wait.Observe(0.2, Exemplar.Of(("trace_id", "abc")));
        registry.CreateHistogram("seed_empty_native_seconds", "Empty.", new HistogramOptions { Buckets = [], Native = new NativeHistogramOptions { ZeroThreshold = 0 } });
        registry.CreateInfo("seed_build", "Build.", "version").Set("1.2");
        registry.CreateStateSet("seed_health", "Health.", ["up", "down"]).Set("up");
        Summary size = registry.CreateSummary("seed_size", "Size.");
        size.Observe(10);
        size.Observe(20);
        return registry;
    }

    /// <summary>Names that the fleet's rules already use, although promtool would choose others.</summary>
    private static bool IsSeedName(string finding) =>
        finding.StartsWith("auto", StringComparison.Ordinal);

    /// <summary>A Prometheus of its own, with one target, on a free port, in a folder that is deleted afterwards.</summary>
    private sealed class ScrapingPrometheus(Process process, string folder, HttpClient client) : IAsyncDisposable
    {
        public static async Task<ScrapingPrometheus> StartAsync(string version, string feature, Uri target)
        {
            string folder = Directory.CreateTempSubdirectory("optiinfra-prometheus-").FullName;
            await File.WriteAllTextAsync(Path.Combine(folder, "prometheus.yml"), $$"""
                global: {scrape_interval: 200ms, scrape_timeout: 200ms}
                scrape_configs:
                - job_name: agent
                  static_configs: [{targets: ["{{target.Authority}}"]}]
                """);
            int port = FreePort();
            string[] arguments = [$"--config.file={folder}/prometheus.yml", $"--storage.tsdb.path={folder}/data", $"--web.listen-address=127.0.0.1:{port}", "--log.level=error"];
            Process process = Process.Start(new ProcessStartInfo(PrometheusTools.Require($"{version}/prometheus"), feature.Length > 0 ? [.. arguments, feature] : arguments))!;
            var prometheus = new ScrapingPrometheus(process, folder, new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") });
            await prometheus.WaitAsync(async () => await prometheus.TargetHealthAsync() is "up" or "down");
            return prometheus;
        }

        public async Task<string> TargetHealthAsync()
        {
            JsonElement answer = await client.GetFromJsonAsync<JsonElement>("/api/v1/targets");
            JsonElement target = answer.GetProperty("data").GetProperty("activeTargets")[0];
            string health = target.GetProperty("health").GetString()!;
            return health == "down" ? $"down: {target.GetProperty("lastError").GetString()}" : health;
        }

        /// <summary>The value of the one series the query gives, once it is there.</summary>
        public async Task<double> QueryAsync(string query)
        {
            JsonElement result = default;
            await WaitAsync(async () =>
            {
                JsonElement answer = await client.GetFromJsonAsync<JsonElement>("/api/v1/query?query=" + Uri.EscapeDataString(query));
                result = answer.GetProperty("data").GetProperty("result");
                return result.GetArrayLength() > 0;
            }, query);
            return double.Parse(Assert.Single(result.EnumerateArray()).GetProperty("value")[1].GetString()!, CultureInfo.InvariantCulture);
        }

        public async ValueTask DisposeAsync()
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
            client.Dispose();
            Directory.Delete(folder, recursive: true);
        }

        private async Task WaitAsync(Func<Task<bool>> condition, string what = "the first scrape")
        {
            long start = Stopwatch.GetTimestamp();
            while (true)
            {
                try
                {
                    if (await condition())
                    {
                        return;
                    }
                }
                catch (Exception notYet) when (notYet is HttpRequestException or ArgumentOutOfRangeException or IndexOutOfRangeException)
                {
                    // Prometheus is still starting.
                }

                Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(30), $"Prometheus did not show {what} within 30 s");
                Assert.False(process.HasExited, "Prometheus has exited");
                await Task.Delay(50);
            }
        }

        private static int FreePort()
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            return ((IPEndPoint)listener.LocalEndpoint).Port;
        }
    }
}
