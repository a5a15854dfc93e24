using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Verbs;

namespace OptiInfra.ApiServer.Admission;

/// <summary>What looks at a write between decoding and storing: built-in checks, then webhooks.</summary>
internal sealed class AdmissionChain(ApiCore core)
{
    public ValueTask MutateAsync(
        ResourceInfo info, string operation, JsonObject obj, JsonObject? old, WriteOptions options, CancellationToken cancellation)
    {
        _ = core;
        cancellation.ThrowIfCancellationRequested();
        return ValueTask.CompletedTask;
    }

    public ValueTask ValidateAsync(
        ResourceInfo info, string operation, JsonObject obj, JsonObject? old, WriteOptions options, CancellationToken cancellation)
    {
        _ = core;
        cancellation.ThrowIfCancellationRequested();
        return ValueTask.CompletedTask;
    }
}
