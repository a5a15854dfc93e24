using System.IO.Compression;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using OptiInfra.Metrics.AspNetCore;

namespace OptiInfra.Metrics.Tests.AspNetCore;

public sealed class MetricsEndpointTests
{
    private readonly MetricRegistry _registry = new();

    [Fact]
    public async Task Answers_in_the_language_the_reader_prefers()
    {
        _registry.CreateCounter("a_total", "A.").Inc();
        await using MetricServer server = await StartAsync(new MetricsEndpointOptions());
        using HttpResponseMessage response = await GetAsync(server, ("Accept", "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3"));
        Assert.Equal("application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores", response.Content.Headers.ContentType!.ToString());
        Assert.EndsWith("# EOF\n", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Compresses_only_for_readers_that_can_read_it()
    {
        _registry.CreateCounter("a_total", "A.").Inc(5);
        await using MetricServer server = await StartAsync(new MetricsEndpointOptions());
        using HttpResponseMessage plain = await GetAsync(server);
        Assert.Empty(plain.Content.Headers.ContentEncoding);
        using HttpResponseMessage packed = await GetAsync(server, ("Accept-Encoding", "gzip"));
        Assert.Equal(["gzip"], packed.Content.Headers.ContentEncoding);
        using var reader = new StreamReader(new GZipStream(await packed.Content.ReadAsStreamAsync(), CompressionMode.Decompress));
        Assert.Contains("\na_total 5\n", await reader.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Selects_families_by_family_or_sample_name()
    {
        _registry.CreateCounter("a_total", "A.");
        _registry.CreateGauge("b", "B.");
        _registry.CreateHistogram("c_seconds", "C.");
        await using MetricServer server = await StartAsync(new MetricsEndpointOptions());
        using var client = new HttpClient();
        string text = await client.GetStringAsync($"{Local(server)}?name[]=a_total&name[]=c_seconds_bucket");
        Assert.Contains("# TYPE a_total", text, StringComparison.Ordinal);
        Assert.Contains("# TYPE c_seconds", text, StringComparison.Ordinal);
        Assert.DoesNotContain("# TYPE b ", text, StringComparison.Ordinal);
        Assert.DoesNotContain("metrics_series", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Authorization", "Bearer secret", HttpStatusCode.OK)]
    [InlineData("X-Api-Key", "secret", HttpStatusCode.OK)]
    [InlineData("Authorization", "Basic cHJvbTpwdw==", HttpStatusCode.OK)]
    [InlineData("Authorization", "Basic cHJvbTpubw==", HttpStatusCode.Unauthorized)]
    [InlineData("Authorization", "Bearer wrong", HttpStatusCode.Unauthorized)]
    [InlineData("Authorization", "Basic !", HttpStatusCode.Unauthorized)]
    [InlineData("Accept", "*/*", HttpStatusCode.Unauthorized)]
    public async Task Lets_in_only_who_has_a_key_or_password(string header, string value, HttpStatusCode expected)
    {
        await using MetricServer server = await StartAsync(new MetricsEndpointOptions { ApiKeys = ["secret"], BasicUsers = new Dictionary<string, string> { ["prom"] = "pw" } });
        using HttpResponseMessage response = await GetAsync(server, (header, value));
        Assert.Equal(expected, response.StatusCode);
        Assert.Equal(expected == HttpStatusCode.Unauthorized, response.Headers.WwwAuthenticate.Count > 0);
    }

    [Fact]
    public async Task Too_many_scrapes_are_told_when_to_come_back()
    {
        await using MetricServer server = await StartAsync(new MetricsEndpointOptions { RequestsPerMinute = 2 });
        using HttpResponseMessage first = await GetAsync(server);
        using HttpResponseMessage second = await GetAsync(server);
        using HttpResponseMessage third = await GetAsync(server);
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.TooManyRequests], [first.StatusCode, second.StatusCode, third.StatusCode]);
        Assert.InRange(third.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 30);
    }

    [Fact]
    public async Task On_another_port_the_endpoint_does_not_exist()
    {
        await using MetricServer server = await StartAsync(new MetricsEndpointOptions { Port = 1 });
        using HttpResponseMessage response = await GetAsync(server);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task Mutual_TLS_lets_in_only_certificates_of_the_authority()
    {
        using X509Certificate2 authority = Certificate("authority", null);
        using X509Certificate2 known = Certificate("known", authority);
        using X509Certificate2 stranger = Certificate("stranger", null);
        using X509Certificate2 own = Certificate("localhost", authority);
        await using MetricServer server = await MetricServer.StartAsync(_registry, new MetricServerOptions
        {
            Address = IPAddress.Loopback,
            Port = 0,
            Certificate = own,
            ClientAuthority = authority,
            Endpoint = new MetricsEndpointOptions { RequireClientCertificate = true },
        });

        Assert.Equal(HttpStatusCode.OK, await StatusWithAsync(server, known));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusWithAsync(server, null));
        await Assert.ThrowsAsync<HttpRequestException>(() => StatusWithAsync(server, stranger));
    }

    [Fact]
    public async Task Scrapes_at_the_same_time_share_one_collection()
    {
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        int collections = 0;
        _registry.OnCollectAsync(async _ =>
        {
            Interlocked.Increment(ref collections);
            await release.Task;
        });
        await using MetricServer server = await StartAsync(new MetricsEndpointOptions());
        using var client = new HttpClient();
        Task<string>[] scrapes = [.. Enumerable.Range(0, 5).Select(_ => client.GetStringAsync(Local(server)))];
        while (_registry.Scraper.Waiting < scrapes.Length)
        {
            await Task.Delay(1);
        }

        release.SetResult();
        string[] bodies = await Task.WhenAll(scrapes);
        Assert.Equal(1, collections);
        Assert.Single(bodies.Distinct());
    }

    [Fact]
    public async Task A_callback_slower_than_the_readers_patience_is_left_behind_and_counted()
    {
        _registry.OnCollectAsync(cancellation => Task.Delay(Timeout.Infinite, cancellation));
        await using MetricServer server = await StartAsync(new MetricsEndpointOptions());
        using HttpResponseMessage response = await GetAsync(server, ("X-Prometheus-Scrape-Timeout-Seconds", "0.1"));
        Assert.Contains("\nmetrics_callback_errors_total 1\n", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_hundred_scrapes_while_series_come_and_go_are_all_complete()
    {
        Counter counter = _registry.CreateCounter("a_total", "A.", "x");
        await using MetricServer server = await StartAsync(new MetricsEndpointOptions());
        using var client = new HttpClient();
        using var stop = new CancellationTokenSource();
        Task churn = Task.Run(() =>
        {
            for (int round = 0; !stop.IsCancellationRequested; round++)
            {
                counter.WithLabels((round % 500).ToString()).Inc();
                counter.Remove(((round + 250) % 500).ToString());
            }
        });
        client.DefaultRequestHeaders.Add("Accept", "application/openmetrics-text");
        for (int scrape = 0; scrape < 100; scrape++)
        {
            string body = await client.GetStringAsync(Local(server));
            string[] lines = body.Split('\n');
            Assert.Equal("# EOF", lines[^2]);
            string[] samples = [.. lines.Where(line => line.StartsWith("a_total{", StringComparison.Ordinal)).Select(line => line.Split(' ')[0])];
            Assert.Equal(samples.Length, samples.Distinct().Count());
        }

        await stop.CancelAsync();
        await churn;
    }

    private Task<MetricServer> StartAsync(MetricsEndpointOptions options) =>
        MetricServer.StartAsync(_registry, new MetricServerOptions { Address = IPAddress.Loopback, Port = 0, Endpoint = options });

    private static Uri Local(MetricServer server) => new(server.Address, "/metrics");

    private static async Task<HttpResponseMessage> GetAsync(MetricServer server, params (string Name, string Value)[] headers)
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, Local(server));
        foreach ((string name, string value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await client.SendAsync(request);
    }

    private static async Task<HttpStatusCode> StatusWithAsync(MetricServer server, X509Certificate2? certificate)
    {
        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, _, _, _) => true };
        if (certificate is not null)
        {
            handler.ClientCertificates.Add(certificate);
        }

        using var client = new HttpClient(handler);
        using HttpResponseMessage response = await client.GetAsync(Local(server));
        return response.StatusCode;
    }

    private static X509Certificate2 Certificate(string name, X509Certificate2? issuer)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(issuer is null, false, 0, true));
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 bare = issuer is null
            ? request.CreateSelfSigned(now.AddDays(-1), now.AddDays(2))
            : request.Create(issuer, now.AddDays(-1), now.AddDays(1), Encoding.ASCII.GetBytes(name));
        using X509Certificate2 keyed = bare.HasPrivateKey ? new X509Certificate2(bare) : bare.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(keyed.Export(X509ContentType.Pkcs12), null);
    }
}
