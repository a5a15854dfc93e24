using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Schema;

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
        if (more is not null)
        {
            metadata["continue"] = more;
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

    public static IReadOnlyList<TableColumn> ColumnsOf(ResourceInfo info) => info.IsCustom ? info.Columns : BuiltinColumns.Of(info.GroupResource);

    private static JsonNode? Cell(ApiCore core, TableColumn column, JsonObject obj)
    {
        DateTimeOffset now = core.Clock.GetUtcNow();
        return column.Cell is { } cell ? cell(obj, now) : CustomCell(column, obj, now);
    }

    /// <summary>A declared column: nothing where there is nothing, or where the value is of another type than declared.</summary>
    private static JsonNode? CustomCell(TableColumn column, JsonObject obj, DateTimeOffset now)
    {
        JsonNode? value = JsonPath.Find(obj, column.JsonPath!) is [var first, ..] ? first : null;
        if (value is null)
        {
            return null;
        }

        return column.Type switch
        {
            "string" => value.Str() ?? (value is JsonValue scalar && scalar.TryGetValue(out bool flag) ? flag ? "true" : "false" : Json.Compact(value)),
            "integer" => value.Int() ?? (value is JsonValue number && number.TryGetValue(out double real) ? (long)real : null),
            "number" => value is JsonValue number && Json.IsNumber(number) ? number.DeepClone() : null,
            "boolean" => value is JsonValue boolean && boolean.TryGetValue(out bool truth) ? truth : null,
            "date" => value.Str() is { } text ? HumanTime.Since(text, now) is "<unknown>" ? "<unknown>" : HumanTime.Since(text, now) : null,
            _ => null,
        };
    }
}
