using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace OptiInfra.ApiServer.Tests;

/// <summary>A server for one test, and the few requests that tests make of it.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private TestServer(DevApiServer server)
    {
        Server = server;
        Client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 2000 }) { BaseAddress = server.Url, Timeout = TimeSpan.FromMinutes(2) };
    }

    public DevApiServer Server { get; }

    public HttpClient Client { get; }

    public static async Task<TestServer> StartAsync(DevApiServerOptions? options = null) =>
        new(await DevApiServer.StartAsync((options ?? new DevApiServerOptions()) with { Http = true }));

    public async Task<(int Status, JsonObject Body)> SendAsync(string method, string path, string? body = null, string type = "application/json")
    {
        using HttpRequestMessage request = new(new HttpMethod(method), path);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        }

        using HttpResponseMessage response = await Client.SendAsync(request);
        string text = await response.Content.ReadAsStringAsync();
        return ((int)response.StatusCode, text.StartsWith('{') ? JsonNode.Parse(text)!.AsObject() : new JsonObject { ["text"] = text });
    }

    public async Task<JsonObject> CreateConfigMapAsync(string name, string value = "x")
    {
        (int status, JsonObject body) = await SendAsync(
            "POST", "/api/v1/namespaces/default/configmaps", $$$"""{"metadata":{"name":"{{{name}}}","labels":{"of":"test"}},"data":{"k":"{{{value}}}"}}""");
        Assert.Equal(201, status);
        return body;
    }

    public async Task<StreamReader> WatchAsync(string path, CancellationToken cancellation = default)
    {
        HttpResponseMessage response = await Client.GetAsync(new Uri(path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, cancellation);
        Assert.Equal(200, (int)response.StatusCode);
        return new StreamReader(await response.Content.ReadAsStreamAsync(cancellation));
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Server.DisposeAsync();
    }
}
