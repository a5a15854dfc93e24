using System.Text.Json.Nodes;

namespace OptiInfra.ApiServer.Registry;

/// <summary>Events are one thing under two groups: the same object, with other names for some of its fields.</summary>
internal static class EventVersions
{
    private static readonly (string Core, string New)[] Names =
    [
        ("involvedObject", "regarding"), ("message", "note"), ("reportingComponent", "reportingController"), ("source", "deprecatedSource"),
        ("firstTimestamp", "deprecatedFirstTimestamp"), ("lastTimestamp", "deprecatedLastTimestamp"), ("count", "deprecatedCount"),
    ];

    public static JsonObject FromCore(JsonObject core)
    {
        JsonObject converted = Rename(core, "events.k8s.io/v1", name => Names.FirstOrDefault(pair => pair.Core == name).New ?? name);
        Drop(converted, "reportingController", "reportingInstance", "note");
        converted.TryAdd("eventTime", null);
        return converted;
    }

    public static JsonObject ToCore(JsonObject converted)
    {
        JsonObject core = Rename(converted, "v1", name => Names.FirstOrDefault(pair => pair.New == name).Core ?? name);
        core.TryAdd("reportingComponent", "");
        core.TryAdd("reportingInstance", "");
        core.TryAdd("eventTime", null);
        core.TryAdd("firstTimestamp", null);
        core.TryAdd("lastTimestamp", null);
        core.TryAdd("source", new JsonObject());
        core.TryAdd("involvedObject", new JsonObject());
        return core;
    }

    private static JsonObject Rename(JsonObject obj, string apiVersion, Func<string, string> rename)
    {
        JsonObject renamed = new() { ["kind"] = "Event", ["apiVersion"] = apiVersion };
        foreach ((string name, JsonNode? value) in obj)
        {
            if (name is not ("kind" or "apiVersion"))
            {
                renamed[rename(name)] = value?.DeepClone();
            }
        }

        return renamed;
    }

    private static void Drop(JsonObject obj, params string[] names)
    {
        foreach (string name in names)
        {
            if (obj[name] is JsonValue value && value.TryGetValue(out string? text) && text.Length == 0)
            {
                obj.Remove(name);
            }
        }
    }
}
