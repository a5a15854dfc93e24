using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;

namespace OptiInfra.ApiServer.Verbs;

/// <summary>A CustomResourceDefinition is never removed at once: it is held until its objects are gone, and says so.</summary>
internal static class DefinitionDeletion
{
    public const string Finalizer = "customresourcecleanup.apiextensions.k8s.io";

    public static bool Handles(ResourceInfo info) => info is { Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition" };

    public static void Mark(JsonObject definition, string now)
    {
        JsonObject metadata = definition.Ensure("metadata");
        if (metadata.ContainsKey("deletionTimestamp"))
        {
            return;
        }

        metadata["deletionTimestamp"] = now;
        string[] finalizers = [.. metadata.Arr("finalizers").Strings().Append(Finalizer).Distinct()];
        metadata["finalizers"] = new JsonArray([.. finalizers.Select(name => (JsonNode)JsonValue.Create(name))]);
        JsonObject status = definition.Ensure("status");
        JsonArray conditions = status.Arr("conditions") ?? [];
        conditions.Add((JsonNode)new JsonObject
        {
            ["type"] = "Terminating",
            ["status"] = "True",
            ["lastTransitionTime"] = now,
            ["reason"] = "InstanceDeletionPending",
            ["message"] = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
        });
        if (status["conditions"] is null)
        {
            status["conditions"] = conditions;
        }
    }
}
