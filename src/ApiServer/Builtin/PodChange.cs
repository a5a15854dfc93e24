using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Builtin;

/// <summary>What of a running pod may change: images, deadlines, gates, and tolerations that are added.</summary>
internal static class PodChange
{
    public static IReadOnlyList<FieldError> ValidateUpdate(JsonObject pod, JsonObject old)
    {
        var errors = new List<FieldError>(PodValidation.Pod(pod));
        JsonObject now = Comparable(pod.Sub("spec") ?? []);
        JsonObject before = Comparable(old.Sub("spec") ?? []);
        if (!Json.Equal(now, before))
        {
            errors.Add(FieldError.Forbidden("spec", "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"));
        }

        return errors;
    }

    private static JsonObject Comparable(JsonObject spec)
    {
        JsonObject copy = spec.DeepClone().AsObject();
        foreach (string name in (ReadOnlySpan<string>)["activeDeadlineSeconds", "tolerations", "schedulingGates", "nodeName"])
        {
            copy.Remove(name);
        }

        foreach (JsonObject container in copy.Items("containers").Concat(copy.Items("initContainers")))
        {
            container.Remove("image");
        }

        return copy;
    }
}
