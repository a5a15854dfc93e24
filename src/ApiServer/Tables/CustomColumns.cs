using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;

namespace OptiInfra.ApiServer.Tables;

/// <summary>The columns of a custom resource: its name, then what the definition declares, or its age.</summary>
internal static class CustomColumns
{
    public static IReadOnlyList<TableColumn> Of(JsonObject version)
    {
        List<TableColumn> columns = [BuiltinColumns.Name];
        foreach (JsonObject column in version.Arr("additionalPrinterColumns").Objects())
        {
            string path = column.Str("jsonPath") ?? "";
            string type = column.Str("type") ?? "string";
            columns.Add(new TableColumn(
                column.Str("name") ?? "",
                type,
                column.Str("format") ?? "",
                column.Str("description") is { Length: > 0 } text ? text : $"Custom resource definition column (in JSONPath format): {path}",
                (int)(column.Int("priority") ?? 0))
            {
                JsonPath = path,
            });
        }

        if (columns.Count == 1)
        {
            columns.Add(BuiltinColumns.CustomAge);
        }

        return columns;
    }
}
