using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace OptiInfra.ApiServer.Tests.Http;

public sealed class BadInputTests
{
    private const string ConfigMaps = "/api/v1/namespaces/default/configmaps";

    [Theory]
    [InlineData("POST", ConfigMaps, "{", "application/json", 400)]
    [InlineData("POST", ConfigMaps, "[]", "application/json", 400)]
    [InlineData("POST", ConfigMaps, "{}", "application/xml", 415)]
    [InlineData("POST", ConfigMaps, "{}", "application/json", 422)]
    [InlineData("POST", ConfigMaps, "nonsense", "application/vnd.kubernetes.protobuf", 400)]
    [InlineData("POST", ConfigMaps, "k8s\0nonsense", "application/vnd.kubernetes.protobuf", 400)]
    [InlineData("POST", ConfigMaps, "a: [", "application/yaml", 400)]
    [InlineData("PATCH", ConfigMaps + "/x", "{}", "application/json", 415)]
    [InlineData("PATCH", ConfigMaps + "/x", "{", "application/merge-patch+json", 404)]
    [InlineData("FOO", ConfigMaps, "{}", "application/json", 405)]
    public async Task What_cannot_be_served_gets_the_right_status_and_reason(string method, string path, string body, string type, int status)
    {
        await using TestServer server = await TestServer.StartAsync();
        (int given, JsonObject answer) = await server.SendAsync(method, path, body, type);
        Assert.Equal(status, given);
        Assert.Equal("Status", answer["kind"]!.ToString());
        Assert.Equal(status, answer["code"]!.GetValue<int>());
    }

    [Fact]
    public async Task Deep_nesting_and_invalid_text_are_bad_requests()
    {
        await using TestServer server = await TestServer.StartAsync();
        string deep = new string('[', 100_000) + new string(']', 100_000);
        Assert.Equal(400, (await server.SendAsync("POST", ConfigMaps, deep)).Status);
        Assert.Equal(400, (await server.SendAsync("POST", ConfigMaps, "{\"metadata\":{\"name\":\"\\ud800\"}}")).Status);
        using ByteArrayContent invalid = new([.. "{\"metadata\":{\"name\":\""u8, 0xff, 0xfe, .. "\"}}"u8]);
        invalid.Headers.ContentType = new("application/json");
        using HttpResponseMessage response = await server.Client.PostAsync(new Uri(ConfigMaps, UriKind.Relative), invalid);
        Assert.Equal(400, (int)response.StatusCode);
    }

    [Fact]
    public async Task Half_requests_and_silent_clients_leave_the_server_up()
    {
        await using TestServer server = await TestServer.StartAsync();
        List<TcpClient> clients = [];
        for (int i = 0; i < 50; i++)
        {
            TcpClient client = new();
            await client.ConnectAsync("127.0.0.1", server.Server.Url.Port);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(i % 2 == 0 ? "POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{" : "GET /api"));
            clients.Add(client);
        }

        Assert.Equal(200, (await server.SendAsync("GET", "/readyz")).Status);
        clients.ForEach(client => client.Dispose());
        Assert.Equal(200, (await server.SendAsync("GET", ConfigMaps)).Status);
    }

    [Fact]
    public async Task Random_requests_never_make_a_bug_visible()
    {
        List<Exception> bugs = [];
        await using TestServer server = await TestServer.StartAsync(new DevApiServerOptions { ReportBug = bug => { lock (bugs) { bugs.Add(bug); } } });
        await server.CreateConfigMapAsync("target");
        Random random = new(20261121);
        string[] methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];
        string[] paths = [ConfigMaps, ConfigMaps + "/target", "/apis/apps/v1/namespaces/default/deployments", "/api/v1/namespaces/default/services/x", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", "/api/v1/namespaces/default/pods/p/eviction", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "/api/v1/nodes", "/openapi/v3/api/v1", "/apis/apps/v1/namespaces/default/deployments/x/scale"];
        string[] types = ["application/json", "application/merge-patch+json", "application/json-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml", "application/yaml", "application/vnd.kubernetes.protobuf"];
        string[] queries = ["", "?fieldManager=a", "?limit=2&continue=x", "?labelSelector=a%20in%20(", "?fieldSelector=metadata.name%3Dx", "?dryRun=All&fieldManager=f&force=true", "?resourceVersion=5", "?fieldValidation=Strict"];
        string[] seeds = ["{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"target\",\"labels\":{\"a\":\"b\"}},\"data\":{\"x\":\"y\"}}", "{\"spec\":{\"replicas\":1,\"selector\":{\"matchLabels\":{\"a\":\"b\"}},\"template\":{\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}}}", "[{\"op\":\"add\",\"path\":\"/data/q\",\"value\":\"1\"}]", "null", "{\"metadata\":{\"ownerReferences\":[{}],\"finalizers\":[1],\"managedFields\":[{}]}}"];
        TimeSpan limit = TimeSpan.FromSeconds(4);
        long start = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(start) < limit)
        {
            byte[] body = Encoding.UTF8.GetBytes(seeds[random.Next(seeds.Length)]);
            for (int flips = random.Next(4); flips > 0 && body.Length > 0; flips--)
            {
                body[random.Next(body.Length)] = (byte)random.Next(256);
            }

            using HttpRequestMessage request = new(new HttpMethod(methods[random.Next(methods.Length)]), paths[random.Next(paths.Length)] + queries[random.Next(queries.Length)]);
            if (request.Method != HttpMethod.Get)
            {
                request.Content = new ByteArrayContent(body);
                request.Content.Headers.TryAddWithoutValidation("Content-Type", types[random.Next(types.Length)]);
            }

            using HttpResponseMessage response = await server.Client.SendAsync(request);
        }

        lock (bugs)
        {
            Assert.True(bugs.Count == 0, string.Join('\n', bugs.Select(bug => bug.ToString()).Distinct().Take(3)));
        }
    }
}
