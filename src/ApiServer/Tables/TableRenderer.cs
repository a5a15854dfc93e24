using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;

namespace OptiInfra.ApiServer.Tables;

/// <summary>Renders objects as a Table, the form that <c>kubectl get</c> prints.</summary>
internal static class TableRenderer
{
    public static JsonObject Of(ApiCore core, ApiRequest request, IEnumerable<JsonObject> objects, string version, string? more, long? remaining)
    {
        string include = request.Query.Text("includeObject") ?? "";
        if (include is not ("" or "Metadata" or "Object" or "None"))
        {
            throw ApiError.BadRequest(
                $"Unable to convert to Table as requested: includeObject: Invalid value: {Verbs.MetadataRules.Quote(include)}: must be 'Metadata', 'Object', 'None', or empty");
        }

        IReadOnlyList<TableColumn> columns = ColumnsOf(request.Info);
        JsonObject metadata = new() { ["resourceVersion"] = version };
        if (more is not null || request.Info.IsCustom && request.Name.Length == 0)
        {
            metadata["continue"] = more ?? "";
        }

        if (remaining is { } count)
        {
            metadata["remainingItemCount"] = count;
        }

        return new JsonObject
        {
            ["kind"] = "Table",
            ["apiVersion"] = "meta.k8s.io/v1",
            ["metadata"] = metadata,
            ["columnDefinitions"] = Definitions(columns),
            ["rows"] = new JsonArray([.. objects.Select(obj => Row(core, columns, obj, include))]),
        };
    }

    public static JsonArray Definitions(IReadOnlyList<TableColumn> columns) => [.. columns.Select(column => new JsonObject
    {
        ["name"] = column.Name,
        ["type"] = column.Type,
        ["format"] = column.Format,
        ["description"] = column.Description,
        ["priority"] = (long)column.Priority,
    })];

    public static JsonObject Row(ApiCore core, IReadOnlyList<TableColumn> columns, JsonObject obj, string include)
    {
        JsonObject row = new() { ["cells"] = new JsonArray([.. columns.Select(column => Cell(core, column, obj))]) };
        row["object"] = include switch
        {
            "None" => null,
            "Object" => obj.DeepClone(),
            _ => Responder.Partial(obj),
        };
        return row;
    }

    public static IReadOnlyList<TableColumn> ColumnsOf(ResourceInfo info) => info.Columns.Count > 0 ? info.Columns : DefaultColumns;

    private static readonly TableColumn[] DefaultColumns =
    [
        new("Name", "string", "name", "Name must be unique within a namespace.", 0) { Cell = static obj => obj.At("metadata.name")?.DeepClone() },
        new("Age", "date", "", "", 0) { Cell = static obj => obj.At("metadata.creationTimestamp")?.DeepClone() },
    ];

    private static JsonNode? Cell(ApiCore core, TableColumn column, JsonObject obj)
    {
        _ = core;
        return column.Cell?.Invoke(obj);
    }
}
