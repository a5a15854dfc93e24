using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Storage;
using OptiInfra.ApiServer.Verbs;

namespace OptiInfra.ApiServer.Controllers;

/// <summary>
/// Stands in for scheduler and kubelet: pods of the default scheduler get a node and an address, run and are ready at
/// once; deleted pods take a moment to stop. Nothing is executed. Pods of another scheduler are left alone.
/// </summary>
internal sealed class PodSimulator(ApiCore core) : Controller(core)
{
    private const string Node = "dev";
    private static readonly TimeSpan LongestStop = TimeSpan.FromSeconds(5);

    private int lastAddress;

    protected override IReadOnlyList<string> Tables => Core.Options.SimulatePods ? ["pods"] : [];

    protected override async Task ReconcileAsync(string table, string key, CancellationToken cancellation)
    {
        if (Core.Store.Find(table, key) is not { } pod || pod.View.Obj("spec").Str("schedulerName") is not (null or "default-scheduler"))
        {
            return;
        }

        ResourceInfo info = Core.Registry.Current.Find("", "v1", "pods")!;
        (string ns, string name) = StoredObject.SplitKey(key);
        if (pod.IsDeleting)
        {
            await StopAsync(info, pod, ns, name, cancellation).ConfigureAwait(false);
            return;
        }

        if (pod.View.Obj("status").Str("phase") is not (null or "" or "Pending"))
        {
            return;
        }

        int number = ++lastAddress;
        try
        {
            await Core.Writer.UpdateAsync(
                info,
                ns,
                name,
                live =>
                {
                    JsonObject running = live!;
                    running.Ensure("spec")["nodeName"] = Node;
                    running["status"] = Running(running, $"10.244.{number >> 8 & 0xff}.{number & 0xff}");
                    running.Obj("metadata")!.Remove("resourceVersion");
                    return running;
                },
                WriteOptions.Internal("kubelet") with { Subresource = "kubelet" },
                cancellation).ConfigureAwait(false);
        }
        catch (ApiError e) when (e.Code == 404)
        {
            // Gone before it ran.
        }
    }

    private async Task StopAsync(ResourceInfo info, StoredObject pod, string ns, string name, CancellationToken cancellation)
    {
        TimeSpan grace = TimeSpan.FromSeconds(pod.Metadata.Int("deletionGracePeriodSeconds") ?? 0);
        DateTimeOffset due = DateTimeOffset.Parse(pod.Metadata.Str("deletionTimestamp")!) - grace + (grace < LongestStop ? grace : LongestStop);
        TimeSpan left = due - Core.Clock.GetUtcNow();
        if (left > TimeSpan.Zero)
        {
            EnqueueLater("pods", pod.Key, left);
            return;
        }

        try
        {
            await Core.Deleter.DeleteAsync(
                info, ns, name, new DeleteOptions { GracePeriodSeconds = 0, Uid = pod.Uid }, WriteOptions.Internal("kubelet"), cancellation).ConfigureAwait(false);
        }
        catch (ApiError e) when (e.Code is 404 or 409)
        {
            // Gone already.
        }
    }

    private JsonObject Running(JsonObject pod, string address)
    {
        string now = Core.Now();
        JsonObject Condition(string type) => new() { ["type"] = type, ["status"] = "True", ["lastProbeTime"] = null, ["lastTransitionTime"] = now };
        JsonArray containers = [.. pod.Obj("spec").Arr("containers").Objects().Select(container => new JsonObject
        {
            ["name"] = container.Str("name"),
            ["state"] = new JsonObject { ["running"] = new JsonObject { ["startedAt"] = now } },
            ["lastState"] = new JsonObject(),
            ["ready"] = true,
            ["restartCount"] = 0L,
            ["image"] = container.Str("image"),
            ["imageID"] = "",
            ["started"] = true,
        })];
        JsonObject status = new()
        {
            ["phase"] = "Running",
            ["conditions"] = new JsonArray(
                Condition("PodReadyToStartContainers"), Condition("Initialized"), Condition("Ready"), Condition("ContainersReady"), Condition("PodScheduled")),
            ["hostIP"] = "127.0.0.1",
            ["podIP"] = address,
            ["podIPs"] = new JsonArray(new JsonObject { ["ip"] = address }),
            ["startTime"] = now,
            ["containerStatuses"] = containers,
        };
        if (pod.Obj("status").Str("qosClass") is { } quality)
        {
            status["qosClass"] = quality;
        }

        return status;
    }
}
