using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using OptiInfra.Compiler.Model;
using OptiInfra.Kubernetes.Client;
using OptiInfra.Kubernetes.Objects;

namespace OptiInfra.Operator.Sync;

/// <summary>Writes the report when it changed. The operator creates the ConfigMap, so that sync needs no right to create; while there is none, or no API server, the next change tries again.</summary>
internal sealed class ReportWriter(KubeClient client, ObjectKey target, string replica, ILogger logger)
{
    private string? last;

    /// <summary>False when it must be tried again.</summary>
    public async Task<bool> WriteAsync(SyncReport report, CancellationToken stop)
    {
        string text = JsonSerializer.Serialize(report, SyncJson.Default.SyncReport);
        if (text == last)
        {
            return true;
        }

        JsonObject patch = new() { ["data"] = new JsonObject { [$"{replica}.json"] = text } };
        try
        {
            await client.PatchAsync(Kinds.ConfigMap, target, KubePatch.Merge(patch), new WriteOptions { FieldManager = "optiinfra-sync" }, stop);
            last = text;
            return true;
        }
        catch (KubeException error)
        {
            logger.LogDebug("The report waits: {Reason}", error.Message);
            return false;
        }
    }
}
