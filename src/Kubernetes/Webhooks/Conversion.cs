using System.Text.Json.Nodes;

namespace OptiInfra.Kubernetes.Webhooks;

/// <summary>
/// One object to another version of its kind. It gets a copy that it may change; kind and metadata are looked after by the server, apart
/// from labels and annotations (where what a version cannot hold may be kept, so that nothing is lost on the way back).
/// </summary>
public delegate JsonObject ConvertObject(JsonObject obj, string toApiVersion);

/// <summary>The protocol of apiextensions.k8s.io/v1 ConversionReview: as many objects as came, in their order, or a failure.</summary>
internal static class ConversionReview
{
    public static JsonObject Answer(JsonObject request, ConvertObject convert)
    {
        string uid = request["uid"]?.ToString() ?? "";
        string desired = request["desiredAPIVersion"]?.ToString() ?? "";
        var converted = new JsonArray();
        foreach (JsonNode? node in request["objects"] as JsonArray ?? [])
        {
            if (node is not JsonObject obj)
            {
                return Failed(uid, "an object to convert is not an object");
            }

            try
            {
                converted.Add((JsonNode)One(obj, desired, convert));
            }
            catch (FormatException e)
            {
                return Failed(uid, $"{obj["metadata"]?["namespace"]}/{obj["metadata"]?["name"]} cannot become {desired}: {e.Message}");
            }
        }

        return Review(new JsonObject { ["uid"] = uid, ["convertedObjects"] = converted, ["result"] = new JsonObject { ["status"] = "Success" } });
    }

    private static JsonObject One(JsonObject original, string desired, ConvertObject convert)
    {
        if (original["apiVersion"]?.ToString() == desired)
        {
            return (JsonObject)original.DeepClone();
        }

        JsonObject result = convert((JsonObject)original.DeepClone(), desired);
        result["apiVersion"] = desired;
        result["kind"] = original["kind"]?.DeepClone();
        JsonNode? changed = result["metadata"];
        JsonObject metadata = original["metadata"]?.DeepClone() as JsonObject ?? [];
        foreach (string open in (string[])["labels", "annotations"])
        {
            metadata.Remove(open);
            if (changed?[open] is { } value)
            {
                metadata[open] = value.DeepClone();
            }
        }

        result["metadata"] = metadata;
        return result;
    }

    private static JsonObject Failed(string uid, string message) =>
        Review(new JsonObject { ["uid"] = uid, ["result"] = new JsonObject { ["status"] = "Failed", ["message"] = message } });

    private static JsonObject Review(JsonObject response) =>
        new() { ["apiVersion"] = "apiextensions.k8s.io/v1", ["kind"] = "ConversionReview", ["response"] = response };
}
