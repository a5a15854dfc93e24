using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Verbs;

namespace OptiInfra.ApiServer.Admission;

/// <summary>What looks at a client's write between decoding and storing. The server's own writes pass by.</summary>
internal sealed class AdmissionChain(ApiCore core) : IDisposable
{
    private readonly Webhooks webhooks = new(core);

    public Task MutateAsync(
        ResourceInfo info, string operation, JsonObject obj, JsonObject? old, WriteOptions options, CancellationToken cancellation) =>
        ReferenceEquals(options.User, UserInfo.Server) ? Task.CompletedTask : webhooks.MutateAsync(info, operation, obj, old, options, cancellation);

    public Task ValidateAsync(
        ResourceInfo info, string operation, JsonObject? obj, JsonObject? old, WriteOptions options, CancellationToken cancellation) =>
        ReferenceEquals(options.User, UserInfo.Server) ? Task.CompletedTask : webhooks.ValidateAsync(info, operation, obj, old, options, cancellation);

    public void Dispose() => webhooks.Dispose();
}
