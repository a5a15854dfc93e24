using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;

namespace OptiInfra.ApiServer.Tables;

/// <summary>The columns of the built-in kinds: what they are called is data (builtin.columns), what is in them is code (<see cref="BuiltinCells"/>).</summary>
internal static class BuiltinColumns
{
    private const string NameText =
        "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the " +
        "generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be " +
        "updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names";

    private const string AgeText =
        "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before " +
        "order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. " +
        "Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";

    public static readonly TableColumn Name = new("Name", "string", "name", NameText, 0) { Cell = static (obj, _) => obj.Obj("metadata").Str("name") };

    public static readonly TableColumn CustomAge = new("Age", "date", "", AgeText, 0) { JsonPath = ".metadata.creationTimestamp" };

    private static readonly TableColumn[] ByDefault = [Name, new("Created At", "date", "", AgeText, 0) { Cell = static (obj, _) => obj.Obj("metadata").Str("creationTimestamp") }];

    private static readonly Lazy<Dictionary<string, TableColumn[]>> All = new(Read);

    public static IReadOnlyList<TableColumn> Of(string groupResource) => All.Value.GetValueOrDefault(groupResource) ?? ByDefault;

    private static Dictionary<string, TableColumn[]> Read()
    {
        using Stream data = typeof(BuiltinColumns).Assembly.GetManifestResourceStream("builtin.columns")!;
        using StreamReader reader = new(data);
        Dictionary<string, TableColumn[]> all = new(StringComparer.Ordinal);
        string resource = "";
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith('['))
            {
                resource = line.Trim('[', ']');
                all[resource] = [];
            }
            else if (!line.StartsWith('#'))
            {
                string[] parts = line.Split('|', 5);
                string description = parts[4] switch { "@name" => NameText, "@age" => AgeText, string other => other };
                all[resource] = [.. all[resource], new TableColumn(parts[0], parts[1], parts[2], description, int.Parse(parts[3])) { Cell = BuiltinCells.Of(resource, parts[0]) }];
            }
        }

        return all;
    }
}
