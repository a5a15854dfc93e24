using System.Globalization;
using System.Text.Json.Nodes;

namespace OptiInfra.ApiServer.Apply;

/// <summary>Who owns what: one manager's fields, as an entry of metadata.managedFields.</summary>
internal sealed record ManagerEntry(string Manager, string Operation, string ApiVersion, string Subresource)
{
    public required FieldSet Fields { get; init; }

    public string? Time { get; init; }

    public bool IsApply => Operation == "Apply";

    /// <summary>
    /// What makes two entries the same manager. The version counts for updaters only: an applier that moves to a new
    /// version still is who it was.
    /// </summary>
    public string Identity => string.Join('\n', Manager, Operation, IsApply ? "" : ApiVersion, Subresource);

    /// <summary>How conflict messages name the manager.</summary>
    public string Display
    {
        get
        {
            string name = "\"" + Manager + "\"" + (Subresource.Length > 0 ? $" with subresource \"{Subresource}\"" : "");
            return IsApply ? name : name + " using " + ApiVersion;
        }
    }
}

/// <summary>metadata.managedFields, read and written.</summary>
internal static class ManagedFields
{
    public static string FormatTime(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>The entries of an object by identity; null when there is an entry that cannot be read.</summary>
    public static Dictionary<string, ManagerEntry>? Read(JsonObject @object)
    {
        var entries = new Dictionary<string, ManagerEntry>();
        foreach (JsonNode? node in @object["metadata"]?["managedFields"] as JsonArray ?? [])
        {
            if (node is not JsonObject entry || Text(entry, "operation") is not ("Apply" or "Update") || Text(entry, "fieldsType") is not ("FieldsV1" or ""))
            {
                return null;
            }

            var read = new ManagerEntry(Text(entry, "manager"), Text(entry, "operation"), Text(entry, "apiVersion"), Text(entry, "subresource"))
            {
                Fields = FieldSet.Decode(entry["fieldsV1"] as JsonObject ?? []),
                Time = Text(entry, "time") is { Length: > 0 } time ? time : null,
            };
            entries[read.Identity] = read;
        }

        return entries;
    }

    /// <summary>The request asks to forget all managers: a list of one empty entry.</summary>
    public static bool IsReset(JsonObject @object) =>
        @object["metadata"]?["managedFields"] is JsonArray { Count: 1 } list && list[0] is JsonObject { Count: 0 };

    public static void Write(JsonObject @object, IEnumerable<ManagerEntry> entries)
    {
        if (@object["metadata"] is not JsonObject metadata)
        {
            return;
        }

        metadata.Remove("managedFields");
        JsonNode[] written =
        [
            .. entries
                .OrderBy(static entry => entry.Operation, StringComparer.Ordinal)
                .ThenBy(static entry => entry.Time, StringComparer.Ordinal)
                .ThenBy(static entry => entry.Manager, StringComparer.Ordinal)
                .ThenBy(static entry => entry.ApiVersion, StringComparer.Ordinal)
                .Select(WriteEntry),
        ];
        if (written.Length > 0)
        {
            metadata["managedFields"] = new JsonArray(written);
        }
    }

    private static JsonObject WriteEntry(ManagerEntry entry)
    {
        var written = new JsonObject
        {
            ["manager"] = entry.Manager,
            ["operation"] = entry.Operation,
            ["apiVersion"] = entry.ApiVersion,
        };
        if (entry.Time is not null)
        {
            written["time"] = entry.Time;
        }

        written["fieldsType"] = "FieldsV1";
        written["fieldsV1"] = entry.Fields.Encode();
        if (entry.Subresource.Length > 0)
        {
            written["subresource"] = entry.Subresource;
        }

        return written;
    }

    private static string Text(JsonObject entry, string name) =>
        entry[name] is JsonValue value && value.TryGetValue(out string? text) ? text : "";
}
