using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;
using OptiInfra.Metrics;
using static OptiInfra.Kubernetes.Tests.ScriptedServer;

namespace OptiInfra.Kubernetes.Tests.Client;

public sealed class TransportTests : IDisposable
{
    private static readonly ObjectKey Key = new("default", "a");
    private static readonly ResourceKind Kind = KubeTypes.ConfigMaps.Kind;

    private readonly VirtualTime time = new();
    private readonly KubeMetrics metrics = new(new MetricRegistry());
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("optiinfra-transport-");

    public void Dispose() => folder.Delete(recursive: true);

    private KubeClient Client(KubeConfig config) => new(config, new KubeClientOptions { Time = time, Metrics = metrics, RequestTimeout = TimeSpan.FromMinutes(30) });

    [Fact]
    public async Task A_429_with_retry_after_is_repeated_once_that_much_later_with_the_same_body()
    {
        int count = 0;
        await using ScriptedServer server = await StartAsync(async (context, _) =>
        {
            if (Interlocked.Increment(ref count) == 1)
            {
                context.Response.Headers.RetryAfter = "2";
                await StatusAsync(context, 429, "TooManyRequests");
            }
            else
            {
                await JsonAsync(context, 201, ConfigMap("a", "1").ToJsonString());
            }
        });
        using KubeClient client = Client(server.Config);

        Task<JsonObject> creating = client.CreateAsync(Kind, ConfigMap("a", ""), CancellationToken.None);
        await Eventually.TrueAsync(() => time.Timers >= 2); // the request's deadline, and the wait
        time.Advance(TimeSpan.FromSeconds(1.9));
        Assert.Single(server.Requests);
        time.Advance(TimeSpan.FromSeconds(0.1));
        await creating;
        Assert.Equal(2, server.Requests.Count);
        Assert.Single(server.Requests.Select(request => request.Body).Distinct());
        Assert.Equal(1, metrics.RequestRetries.WithLabels("429", "POST", server.Address.Authority).Value);
    }

    [Fact]
    public async Task A_500_without_retry_after_is_not_repeated()
    {
        await using ScriptedServer server = await StartAsync((context, _) => StatusAsync(context, 500, "InternalError", "boom"));
        using KubeClient client = Client(server.Config);
        KubeApiException e = await Assert.ThrowsAsync<KubeApiException>(() => client.GetAsync(Kind, Key, CancellationToken.None));
        Assert.Equal("GET /api/v1/namespaces/default/configmaps/a: boom", e.Message);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task A_server_that_keeps_asking_for_patience_is_asked_eleven_times()
    {
        await using ScriptedServer server = await StartAsync(async (context, _) =>
        {
            context.Response.Headers.RetryAfter = "1";
            await StatusAsync(context, 503, "ServiceUnavailable");
        });
        using KubeClient client = Client(server.Config);
        Task<JsonObject> reading = client.GetAsync(Kind, Key, CancellationToken.None);
        await time.PassUntilAsync(() => reading.IsCompleted);
        await Assert.ThrowsAsync<KubeApiException>(() => reading);
        Assert.Equal(11, server.Requests.Count);
    }

    [Theory]
    [InlineData(404, "NotFound", true, false, false)]
    [InlineData(409, "Conflict", false, true, false)]
    [InlineData(409, "AlreadyExists", false, false, true)]
    public async Task Errors_say_what_they_are(int code, string reason, bool notFound, bool conflict, bool exists)
    {
        await using ScriptedServer server = await StartAsync((context, _) => StatusAsync(context, code, reason));
        using KubeClient client = Client(server.Config);
        KubeApiException e = await Assert.ThrowsAsync<KubeApiException>(() => client.GetAsync(Kind, Key, CancellationToken.None));
        Assert.Equal((notFound, conflict, exists), (e.IsNotFound, e.IsConflict, e.IsAlreadyExists));
    }

    [Fact]
    public async Task A_proxys_error_page_is_an_error_with_its_code()
    {
        await using ScriptedServer server = await StartAsync(async (context, _) =>
        {
            context.Response.StatusCode = 502;
            await context.Response.WriteAsync("<html>Bad gateway</html>");
        });
        using KubeClient client = Client(server.Config);
        KubeApiException e = await Assert.ThrowsAsync<KubeApiException>(() => client.GetAsync(Kind, Key, CancellationToken.None));
        Assert.Equal(502, (int)e.Code);
        Assert.Contains("502", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_that_is_not_JSON_is_a_format_error()
    {
        await using ScriptedServer server = await StartAsync((context, _) => JsonAsync(context, 200, "{\"metadata\":"));
        using KubeClient client = Client(server.Config);
        await Assert.ThrowsAsync<KubeFormatException>(() => client.GetAsync(KubeTypes.ConfigMaps, Key, CancellationToken.None));
        await Assert.ThrowsAsync<KubeFormatException>(() => client.ListAsync(KubeTypes.ConfigMaps, null, null, CancellationToken.None));
    }

    [Fact]
    public async Task Nobody_listening_is_a_refused_connection()
    {
        Uri address;
        await using (ScriptedServer server = await StartAsync((_, _) => Task.CompletedTask))
        {
            address = server.Address;
        }

        using KubeClient client = Client(new KubeConfig { Server = address });
        KubeTransportException e = await Assert.ThrowsAsync<KubeTransportException>(() => client.GetAsync(Kind, Key, CancellationToken.None));
        Assert.True(e.IsConnectionRefused);
    }

    [Fact]
    public async Task A_call_that_is_never_answered_ends_by_its_deadline()
    {
        await using ScriptedServer server = await StartAsync((context, _) => HoldAsync(context));
        using KubeClient client = Client(server.Config);
        Task<JsonObject> reading = client.GetAsync(Kind, Key, CancellationToken.None);
        await time.PassUntilAsync(() => reading.IsCompleted, TimeSpan.FromMinutes(1));
        KubeTransportException e = await Assert.ThrowsAsync<KubeTransportException>(() => reading);
        Assert.Contains("no answer within 1800 s", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_rotated_token_file_costs_at_most_one_401()
    {
        string file = Path.Combine(folder.FullName, "token");
        await File.WriteAllTextAsync(file, "one\n");
        string valid = "Bearer one";
        await using ScriptedServer server = await StartAsync((context, request) => request.Headers["Authorization"] == Volatile.Read(ref valid)
            ? JsonAsync(context, 200, ConfigMap("a", "1").ToJsonString())
            : StatusAsync(context, 401, "Unauthorized"));
        using KubeClient client = Client(server.Config with { TokenFile = file });
        await client.GetAsync(Kind, Key, CancellationToken.None);

        await File.WriteAllTextAsync(file, "two");
        Volatile.Write(ref valid, "Bearer two");
        await client.GetAsync(Kind, Key, CancellationToken.None);
        await client.GetAsync(Kind, Key, CancellationToken.None);
        Assert.Equal(["Bearer one", "Bearer one", "Bearer two", "Bearer two"], server.Requests.Select(request => request.Headers["Authorization"]));

        await File.WriteAllTextAsync(file, "three");
        time.Advance(TimeSpan.FromMinutes(1));
        Volatile.Write(ref valid, "Bearer three");
        await client.GetAsync(Kind, Key, CancellationToken.None);
        Assert.Equal(5, server.Requests.Count);
    }

    [Fact]
    public async Task A_401_runs_the_exec_plugin_once_for_a_hundred_calls()
    {
        string counter = Path.Combine(folder.FullName, "runs");
        var plugin = new ExecPlugin
        {
            ApiVersion = "client.authentication.k8s.io/v1",
            Command = "/bin/sh",
            Arguments = ["-c", $"echo run >> {counter}; n=$(wc -l < {counter}); printf '{{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{{\"token\":\"t%s\"}}}}' $n"],
        };
        await using ScriptedServer server = await StartAsync((context, request) => request.Headers["Authorization"] == "Bearer t2"
            ? JsonAsync(context, 200, ConfigMap("a", "1").ToJsonString())
            : StatusAsync(context, 401, "Unauthorized"));
        using KubeClient client = Client(server.Config with { Exec = plugin });
        await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => client.GetAsync(Kind, Key, CancellationToken.None)));
        Assert.Equal(2, (await File.ReadAllLinesAsync(counter)).Length);
    }

    [Fact]
    public async Task Lists_may_come_compressed()
    {
        await using ScriptedServer server = await StartAsync(async (context, _) =>
        {
            context.Response.Headers.ContentEncoding = "gzip";
            await using var zip = new System.IO.Compression.GZipStream(context.Response.Body, System.IO.Compression.CompressionLevel.Fastest);
            await zip.WriteAsync(System.Text.Encoding.UTF8.GetBytes(List("5", [ConfigMap("a", "5")])));
        });
        using KubeClient client = Client(server.Config);
        KubeList<ConfigMap> list = await client.ListAsync(KubeTypes.ConfigMaps, null, null, CancellationToken.None);
        Assert.Equal("a", Assert.Single(list.Items).Metadata.Name);
        Assert.Contains("gzip", server.Requests.Single().Headers["Accept-Encoding"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Metadata_only_reads_ask_for_metadata_only()
    {
        await using ScriptedServer server = await StartAsync((context, _) => JsonAsync(context, 200, List("5", [])));
        using KubeClient client = Client(server.Config);
        await client.ListAsync(PartialObject.Type(KubeTypes.Secrets.Kind), null, null, CancellationToken.None);
        Assert.StartsWith("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", server.Requests.Single().Headers["Accept"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Impersonation_and_user_agent_are_sent()
    {
        await using ScriptedServer server = await StartAsync((context, _) => JsonAsync(context, 200, "{}"));
        var other = new Impersonation("jane", "7", ["dev", "ops"], new Dictionary<string, IReadOnlyList<string>> { ["scopes"] = ["view"] });
        using KubeClient client = Client(server.Config with { Impersonate = other, Username = "u", Password = "p" });
        await client.GetAsync(Kind, Key, CancellationToken.None);
        IReadOnlyDictionary<string, string> headers = server.Requests.Single().Headers;
        Assert.Equal("jane", headers["Impersonate-User"]);
        Assert.Equal("7", headers["Impersonate-Uid"]);
        Assert.Equal("dev,ops", headers["Impersonate-Group"].Replace(" ", "", StringComparison.Ordinal));
        Assert.Equal("view", headers["Impersonate-Extra-scopes"]);
        Assert.Equal("Basic dTpw", headers["Authorization"]);
        Assert.Equal("optiinfra", headers["User-Agent"]);
    }

    [Fact]
    public async Task Two_hundred_watches_hold_up_none_of_five_hundred_calls()
    {
        await using ScriptedServer server = await StartAsync((context, request) => request.IsWatch ? HoldAsync(context) : JsonAsync(context, 200, "{}"));
        using KubeClient client = Client(server.Config);
        using var stop = new CancellationTokenSource();
        Task[] watches = [.. Enumerable.Range(0, 200).Select(_ => WatchAsync(client, stop.Token))];
        await Eventually.TrueAsync(() => server.Watches.Count() == 200, "200 watches");
        await Task.WhenAll(Enumerable.Range(0, 500).Select(_ => client.GetAsync(Kind, Key, CancellationToken.None)));
        Assert.Equal(500, server.Lists.Count());
        await stop.CancelAsync();
        await Task.WhenAll(watches);
    }

    [Fact]
    public async Task A_private_authority_and_a_server_name_of_its_own_are_honoured()
    {
        var tls = new TestTls("api.example.internal");
        await using ScriptedServer server = await StartAsync((context, _) => JsonAsync(context, 200, "{}"), tls);
        KubeConfig config = server.Config with { CertificateAuthorityPem = tls.AuthorityPem, TlsServerName = "api.example.internal" };
        using KubeClient client = Client(config);
        await client.GetAsync(Kind, Key, CancellationToken.None);
        Assert.Contains("api.example.internal", tls.Names);

        using KubeClient wrongName = Client(config with { TlsServerName = null });
        await Assert.ThrowsAsync<KubeTransportException>(() => wrongName.GetAsync(Kind, Key, CancellationToken.None));
        using KubeClient wrongAuthority = Client(config with { CertificateAuthorityPem = new TestTls().AuthorityPem });
        await Assert.ThrowsAsync<KubeTransportException>(() => wrongAuthority.GetAsync(Kind, Key, CancellationToken.None));
        using KubeClient careless = Client(config with { CertificateAuthorityPem = null, TlsServerName = null, InsecureSkipTlsVerify = true });
        await careless.GetAsync(Kind, Key, CancellationToken.None);
    }

    [Fact]
    public async Task A_rotated_client_certificate_is_used_for_new_requests_and_breaks_no_old_one()
    {
        var tls = new TestTls();
        string certificate = Path.Combine(folder.FullName, "tls.crt");
        string key = Path.Combine(folder.FullName, "tls.key");
        await WriteAsync("one");
        await using ScriptedServer server = await StartAsync((context, request) => request.IsWatch ? HoldAsync(context) : JsonAsync(context, 200, "{}"), tls);
        using KubeClient client = Client(server.Config with { CertificateAuthorityPem = tls.AuthorityPem, ClientCertificateFile = certificate, ClientKeyFile = key });
        using var stop = new CancellationTokenSource();
        Task watch = WatchAsync(client, stop.Token);
        await client.GetAsync(Kind, Key, CancellationToken.None);
        await Eventually.TrueAsync(() => server.Watches.Any());

        await WriteAsync("two");
        time.Advance(TimeSpan.FromMinutes(4.9)); // the watch still lives
        await client.GetAsync(Kind, Key, CancellationToken.None);
        time.Advance(TimeSpan.FromMinutes(0.1));
        await client.GetAsync(Kind, Key, CancellationToken.None);
        Assert.Equal(["CN=one", "CN=one", "CN=two"], server.Lists.Select(request => request.ClientCertificate));
        Assert.False(watch.IsCompleted);
        await stop.CancelAsync();
        await watch;

        async Task WriteAsync(string name)
        {
            (string pem, string keyPem) = tls.Issue(name);
            await File.WriteAllTextAsync(certificate, pem);
            await File.WriteAllTextAsync(key, keyPem);
        }
    }

    [Fact]
    public async Task A_server_that_goes_away_is_watched_again_on_a_new_connection()
    {
        var tls = new TestTls();
        var connections = new System.Collections.Concurrent.ConcurrentDictionary<string, bool>();
        await using ScriptedServer server = await StartAsync(
            async (context, request) =>
            {
                if (!request.IsWatch)
                {
                    await JsonAsync(context, 200, List("5", []));
                    return;
                }

                bool first = connections.IsEmpty;
                connections[context.Connection.Id] = true;
                Assert.Equal("HTTP/2", context.Request.Protocol);
                if (first)
                {
                    await FrameAsync(context, Frame("ADDED", ConfigMap("a", "6")));
                }

                if (connections.Count == 1)
                {
                    context.Features.Get<IConnectionLifetimeNotificationFeature>()!.RequestClose(); // GOAWAY
                    return;
                }

                await HoldAsync(context);
            },
            tls);
        using KubeClient client = Client(server.Config with { CertificateAuthorityPem = tls.AuthorityPem });
        using var stop = new CancellationTokenSource();
        var informer = new Kubernetes.Runtime.Informer<ConfigMap>(client, KubeTypes.ConfigMaps, new() { UseWatchList = false });
        Task running = informer.RunAsync(stop.Token);
        await time.PassUntilAsync(() => connections.Count == 2);
        Assert.Equal("6", server.Watches.Last()["resourceVersion"]);
        Assert.Single(server.Lists);
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task Every_request_goes_through_the_proxy_watches_included()
    {
        var tls = new TestTls("cluster.invalid");
        await using ScriptedServer server = await StartAsync(
            (context, request) => request.IsWatch ? HoldAsync(context) : JsonAsync(context, 200, "{}"), tls);
        await using TunnelProxy proxy = TunnelProxy.Start(server.Address);
        KubeConfig config = new()
        {
            // A name that resolves nowhere: only the proxy can reach it.
            Server = new Uri("https://cluster.invalid:6443"),
            ProxyUrl = proxy.Address,
            CertificateAuthorityPem = tls.AuthorityPem,
        };
        using KubeClient client = Client(config);
        using var stop = new CancellationTokenSource();
        Task watch = WatchAsync(client, stop.Token);
        await client.GetAsync(Kind, Key, CancellationToken.None);
        await Eventually.TrueAsync(() => server.Watches.Any());
        Assert.All(proxy.Targets, target => Assert.Equal("cluster.invalid:6443", target));
        Assert.Equal(2, proxy.Targets.Count); // one connection for calls, one for watches
        await stop.CancelAsync();
        await watch;
    }

    [Fact]
    public async Task A_connection_that_swallows_everything_is_left_by_the_deadline_and_nothing_is_lost()
    {
        await using ScriptedServer server = await StartAsync(async (context, request) =>
        {
            if (!request.IsWatch)
            {
                await JsonAsync(context, 200, List("5", []));
            }
            else if (request["resourceVersion"] == "5")
            {
                await HoldAsync(context);
            }
            else
            {
                await HoldAsync(context);
            }
        });
        await using TunnelProxy proxy = TunnelProxy.Start(server.Address);
        using KubeClient client = Client(new KubeConfig { Server = new Uri($"http://127.0.0.1:{proxy.Address.Port}") });
        using var stop = new CancellationTokenSource();
        var informer = new Kubernetes.Runtime.Informer<ConfigMap>(client, KubeTypes.ConfigMaps, new() { UseWatchList = false });
        Task running = informer.RunAsync(stop.Token);
        await Eventually.TrueAsync(() => server.Watches.Any());
        proxy.SwallowPresentConnections();
        int asked = int.Parse(server.Watches.First()["timeoutSeconds"]!, CultureInfo.InvariantCulture);
        await time.PassUntilAsync(() => server.Watches.Count() >= 2, TimeSpan.FromSeconds(5));
        Assert.InRange(time.Elapsed.TotalSeconds, asked, asked + 120);
        Assert.Equal("5", server.Watches.ElementAt(1)["resourceVersion"]);
        await stop.CancelAsync();
        await running;
    }

    private static async Task WatchAsync(KubeClient client, CancellationToken stop)
    {
        try
        {
            await foreach (WatchEvent<ConfigMap> _ in client.WatchAsync(KubeTypes.ConfigMaps, "default", new WatchOptions { Timeout = TimeSpan.FromHours(1) }, stop))
            {
                Assert.Fail("nothing was to come");
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The test is over.
        }
    }
}
