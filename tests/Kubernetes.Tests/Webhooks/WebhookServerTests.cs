using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Webhooks;
using OptiInfra.Metrics;

namespace OptiInfra.Kubernetes.Tests.Webhooks;

public sealed class WebhookServerTests
{
    private readonly KubeMetrics metrics = new(new MetricRegistry());

    private sealed class Door : IAsyncDisposable
    {
        public required WebhookServer Server { get; init; }

        public required HttpClient Http { get; init; }

        public static async Task<Door> OpenAsync(Func<WebhookServer, WebhookServer> hooks, KubeMetrics metrics, TimeProvider? time = null)
        {
            var rotation = new CertificateRotation("hooks", ["localhost", "127.0.0.1"], TimeProvider.System);
            CertificateSet set = rotation.Create();
            var server = new WebhookServer(new WebhookServerOptions
            {
                Listen = new IPEndPoint(IPAddress.Loopback, 0),
                Certificates = new ServingCertificates(set.Serving),
                Metrics = metrics,
                Time = time ?? TimeProvider.System,
            });
            hooks(server);
            await server.StartAsync(CancellationToken.None);
            var http = new HttpClient(Trusting(set.CaBundle)) { BaseAddress = server.Address };
            http.DefaultRequestHeaders.ExpectContinue = true; // hear a refusal before sending megabytes
            return new Door { Server = server, Http = http };
        }

        public async Task<(HttpStatusCode Code, JsonNode? Body)> PostAsync(string path, string body, string type = "application/json")
        {
            using var content = new StringContent(body, Encoding.UTF8);
            content.Headers.ContentType = new MediaTypeHeaderValue(type);
            using HttpResponseMessage response = await Http.PostAsync(new Uri(path, UriKind.Relative), content);
            string text = await response.Content.ReadAsStringAsync();
            return (response.StatusCode, text.StartsWith('{') ? JsonNode.Parse(text) : JsonValue.Create(text));
        }

        public async ValueTask DisposeAsync()
        {
            Http.Dispose();
            await Server.DisposeAsync();
        }
    }

    internal static SocketsHttpHandler Trusting(string bundle)
    {
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPem(bundle);
        var handler = new SocketsHttpHandler();
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        return handler;
    }

    private static string Review(JsonObject obj) => new JsonObject
    {
        ["apiVersion"] = "admission.k8s.io/v1",
        ["kind"] = "AdmissionReview",
        ["request"] = new JsonObject
        {
            ["uid"] = "u-1",
            ["operation"] = "CREATE",
            ["kind"] = new JsonObject { ["kind"] = "Widget" },
            ["namespace"] = "ns",
            ["object"] = obj,
        },
    }.ToJsonString();

    [Fact]
    public async Task Validation_refuses_with_the_message_and_echoes_the_uid()
    {
        await using Door door = await Door.OpenAsync(
            hooks => hooks.Admit("/validate", (request, _) => Task.FromResult(
                request is { Kind: "Widget", Operation: "CREATE", Namespace: "ns" } && request.Current!["size"]!.GetValue<int>() > 3
                    ? AdmissionResponse.Deny("size is too large", 422)
                    : AdmissionResponse.Allow("size could be larger"))),
            metrics);
        JsonNode no = (await door.PostAsync("/validate", Review(new JsonObject { ["size"] = 9 }))).Body!["response"]!;
        Assert.Equal("u-1", no["uid"]!.ToString());
        Assert.False(no["allowed"]!.GetValue<bool>());
        Assert.Equal(("size is too large", 422), (no["status"]!["message"]!.ToString(), no["status"]!["code"]!.GetValue<int>()));
        JsonNode yes = (await door.PostAsync("/validate", Review(new JsonObject { ["size"] = 1 }))).Body!["response"]!;
        Assert.True(yes["allowed"]!.GetValue<bool>());
        Assert.Equal("size could be larger", yes["warnings"]![0]!.ToString());
        await Eventually.TrueAsync(() => metrics.WebhookRequests.WithLabels("validate", "200").Value == 2);
    }

    [Fact]
    public async Task Mutation_sends_the_difference_as_a_patch()
    {
        await using Door door = await Door.OpenAsync(
            hooks => hooks.Admit("/mutate", (request, _) =>
            {
                var wanted = (JsonObject)request.Current!.DeepClone();
                wanted["size"] = 7;
                wanted.Remove("old");
                wanted["a/b~c"] = new JsonArray(1, 2);
                return Task.FromResult(AdmissionResponse.Mutate(request.Current, wanted));
            }),
            metrics);
        JsonNode response = (await door.PostAsync("/mutate", Review(new JsonObject { ["size"] = 1, ["old"] = true, ["same"] = "x" }))).Body!["response"]!;
        Assert.Equal("JSONPatch", response["patchType"]!.ToString());
        string patch = Encoding.UTF8.GetString(Convert.FromBase64String(response["patch"]!.ToString()));
        Assert.Equal("""[{"op":"remove","path":"/old"},{"op":"replace","path":"/size","value":7},{"op":"add","path":"/a~1b~0c","value":[1,2]}]""", patch);
    }

    [Fact]
    public async Task Conversion_keeps_order_count_and_metadata()
    {
        await using Door door = await Door.OpenAsync(
            hooks => hooks.Convert("/convert", (obj, to) =>
            {
                obj["spec"]!["converted"] = to;
                obj["metadata"]!["name"] = "forged";
                obj["metadata"]!["annotations"] = new JsonObject { ["kept"] = "yes" };
                return obj;
            }),
            metrics);
        var review = new JsonObject
        {
            ["kind"] = "ConversionReview",
            ["request"] = new JsonObject
            {
                ["uid"] = "u-2",
                ["desiredAPIVersion"] = "g/v2",
                ["objects"] = new JsonArray([.. Enumerable.Range(0, 3).Select(i => (JsonNode)new JsonObject
                {
                    ["apiVersion"] = i == 2 ? "g/v2" : "g/v1",
                    ["kind"] = "Widget",
                    ["metadata"] = new JsonObject { ["name"] = $"w{i}", ["uid"] = $"id{i}", ["labels"] = new JsonObject { ["l"] = "1" } },
                    ["spec"] = new JsonObject(),
                })]),
            },
        };
        JsonNode response = (await door.PostAsync("/convert", review.ToJsonString())).Body!["response"]!;
        Assert.Equal("Success", response["result"]!["status"]!.ToString());
        JsonArray objects = response["convertedObjects"]!.AsArray();
        Assert.Equal(["w0", "w1", "w2"], objects.Select(obj => obj!["metadata"]!["name"]!.ToString()));
        Assert.All(objects, obj => Assert.Equal("g/v2", obj!["apiVersion"]!.ToString()));
        Assert.Equal(("id0", "yes", "1"), (objects[0]!["metadata"]!["uid"]!.ToString(), objects[0]!["metadata"]!["annotations"]!["kept"]!.ToString(), objects[0]!["metadata"]!["labels"]!["l"]!.ToString()));
        Assert.Null(objects[2]!["spec"]!["converted"]);
    }

    [Fact]
    public async Task A_conversion_that_cannot_be_says_which_object_and_why()
    {
        await using Door door = await Door.OpenAsync(hooks => hooks.Convert("/convert", (_, _) => throw new FormatException("no such role")), metrics);
        JsonNode response = (await door.PostAsync("/convert", """{"kind":"ConversionReview","request":{"uid":"u","desiredAPIVersion":"g/v2","objects":[{"apiVersion":"g/v1","metadata":{"namespace":"n","name":"w"}}]}}""")).Body!["response"]!;
        Assert.Equal(("Failed", "n/w cannot become g/v2: no such role"), (response["result"]!["status"]!.ToString(), response["result"]!["message"]!.ToString()));
    }

    [Theory]
    [InlineData("{", "application/json", 400)]
    [InlineData("[]", "application/json", 400)]
    [InlineData("{\"kind\":\"Pod\"}", "application/json", 400)]
    [InlineData("{}", "text/plain", 415)]
    [InlineData("deep", "application/json", 400)]
    [InlineData("huge", "application/json", 413)]
    public async Task What_is_no_review_is_refused_and_the_server_stays_up(string body, string type, int code)
    {
        body = body switch
        {
            "deep" => new string('[', 100_000),
            "huge" => "\"" + new string('x', 8 * 1024 * 1024) + "\"",
            _ => body,
        };
        await using Door door = await Door.OpenAsync(hooks => hooks.Admit("/validate", (_, _) => Task.FromResult(AdmissionResponse.Allow())), metrics);
        Assert.Equal(code, (int)(await door.PostAsync("/validate", body, type)).Code);
        Assert.Equal(200, (int)(await door.PostAsync("/validate", Review([]))).Code);
        Assert.Equal(404, (int)(await door.PostAsync("/elsewhere", Review([]))).Code);
    }

    [Fact]
    public async Task Six_megabytes_are_let_in()
    {
        await using Door door = await Door.OpenAsync(hooks => hooks.Admit("/validate", (_, _) => Task.FromResult(AdmissionResponse.Allow())), metrics);
        Assert.Equal(200, (int)(await door.PostAsync("/validate", Review(new JsonObject { ["big"] = new string('x', 6 * 1024 * 1024) }))).Code);
    }

    [Fact]
    public async Task A_handler_that_throws_is_a_500_and_a_counted_panic()
    {
        await using Door door = await Door.OpenAsync(hooks => hooks.Admit("/validate", (_, _) => throw new InvalidOperationException("bug")), metrics);
        (HttpStatusCode code, JsonNode? body) = await door.PostAsync("/validate", Review([]));
        Assert.Equal((500, "webhook validate failed: bug"), ((int)code, body!.ToString()));
        Assert.Equal(1, metrics.WebhookPanics.WithLabels("validate").Value);
    }

    [Fact]
    public async Task A_handler_that_takes_too_long_is_cut_off_before_the_API_servers_patience_ends()
    {
        var time = new VirtualTime();
        bool cancelled = false;
        await using Door door = await Door.OpenAsync(
            hooks => hooks.Admit("/validate", async (_, cancellationToken) =>
            {
                using CancellationTokenRegistration noted = cancellationToken.Register(() => cancelled = true);
                await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
                return AdmissionResponse.Allow();
            }),
            metrics,
            time);
        Task<(HttpStatusCode Code, JsonNode? Body)> asking = door.PostAsync("/validate?timeout=5s", Review([]));
        await Eventually.TrueAsync(() => time.Timers > 0);
        time.Advance(TimeSpan.FromSeconds(4.4));
        Assert.False(asking.IsCompleted);
        await time.PassUntilAsync(() => asking.IsCompleted, TimeSpan.FromMilliseconds(50));
        Assert.Equal(504, (int)(await asking).Code);
        Assert.True(cancelled);
    }
}
