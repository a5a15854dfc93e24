using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;

namespace OptiInfra.ApiServer.Verbs;

/// <summary>Keeps metadata.managedFields: who last set which field.</summary>
internal sealed class FieldTracker(ApiCore core)
{
    public void TrackCreate(ResourceInfo info, JsonObject obj, WriteOptions options) => _ = core;

    public void TrackUpdate(ResourceInfo info, JsonObject live, JsonObject wanted, WriteOptions options)
    {
        _ = core;
        if (live.At("metadata.managedFields") is { } known)
        {
            wanted.Ensure("metadata")["managedFields"] = known.DeepClone();
        }
    }
}
