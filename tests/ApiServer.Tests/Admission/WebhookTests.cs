using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace OptiInfra.ApiServer.Tests.Admission;

public sealed class WebhookTests
{
    [Fact]
    public async Task A_mutating_hook_changes_and_a_validating_hook_refuses()
    {
        await using WebApplication hooks = await StartHooksAsync();
        string url = hooks.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        await using TestServer server = await TestServer.StartAsync();
        Assert.Equal(201, (await server.SendAsync("POST", Configurations("mutating"), Configuration("MutatingWebhookConfiguration", url + "/label", "Fail"))).Status);
        Assert.Equal(201, (await server.SendAsync("POST", Configurations("validating"), Configuration("ValidatingWebhookConfiguration", url + "/judge", "Fail"))).Status);

        JsonObject made = await server.CreateConfigMapAsync("good");
        Assert.Equal("yes", made["metadata"]!["labels"]!["hooked"]!.ToString());
        (int status, JsonObject refused) = await server.SendAsync("POST", "/api/v1/namespaces/default/configmaps", """{"metadata":{"name":"evil"}}""");
        Assert.Equal(403, status);
        Assert.Equal("admission webhook \"h.example.com\" denied the request: no evil here", refused["message"]!.ToString());
    }

    [Theory]
    [InlineData("Fail", 500)]
    [InlineData("Ignore", 201)]
    public async Task A_hook_that_does_not_answer_counts_as_its_policy_says(string policy, int status)
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.SendAsync("POST", Configurations("validating"), Configuration("ValidatingWebhookConfiguration", "http://127.0.0.1:1/none", policy));
        Assert.Equal(status, (await server.SendAsync("POST", "/api/v1/namespaces/default/configmaps", """{"metadata":{"name":"a"}}""")).Status);
    }

    private static string Configurations(string kind) => $"/apis/admissionregistration.k8s.io/v1/{kind}webhookconfigurations";

    private static string Configuration(string kind, string url, string policy) =>
        $$$"""
        {"kind":"{{{kind}}}","apiVersion":"admissionregistration.k8s.io/v1","metadata":{"name":"hooks"},"webhooks":[{"name":"h.example.com",
        "clientConfig":{"url":"{{{url}}}"},"sideEffects":"None","admissionReviewVersions":["v1"],"failurePolicy":"{{{policy}}}","timeoutSeconds":2,
        "rules":[{"apiGroups":[""],"apiVersions":["v1"],"resources":["configmaps"],"operations":["CREATE"]}]}]}
        """;

    private static async Task<WebApplication> StartHooksAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0));
        WebApplication app = builder.Build();
        app.Run(async http =>
        {
            JsonNode review = (await JsonNode.ParseAsync(http.Request.Body))!;
            JsonNode asked = review["request"]!;
            bool evil = asked["object"]!["metadata"]!["name"]!.ToString() == "evil";
            JsonObject response = new() { ["uid"] = asked["uid"]!.ToString(), ["allowed"] = true };
            if (http.Request.Path == "/label")
            {
                string path = asked["object"]!["metadata"]!["labels"] is null ? """[{"op":"add","path":"/metadata/labels","value":{"hooked":"yes"}}]""" : """[{"op":"add","path":"/metadata/labels/hooked","value":"yes"}]""";
                response["patchType"] = "JSONPatch";
                response["patch"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(path));
            }
            else if (evil)
            {
                response["allowed"] = false;
                response["status"] = new JsonObject { ["message"] = "no evil here" };
            }

            review["response"] = response;
            review.AsObject().Remove("request");
            http.Response.ContentType = "application/json";
            await http.Response.WriteAsync(review.ToJsonString());
        });
        await app.StartAsync();
        return app;
    }
}
