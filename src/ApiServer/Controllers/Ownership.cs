using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Storage;

namespace OptiInfra.ApiServer.Controllers;

/// <summary>Owner references as controllers set and follow them.</summary>
internal static class Ownership
{
    public static JsonObject Reference(string apiVersion, string kind, StoredObject owner) => new()
    {
        ["apiVersion"] = apiVersion,
        ["kind"] = kind,
        ["name"] = owner.Metadata.Str("name"),
        ["uid"] = owner.Uid,
        ["controller"] = true,
        ["blockOwnerDeletion"] = true,
    };

    /// <summary>The reference of the one owner that controls the object.</summary>
    public static JsonObject? Controller(StoredObject obj) =>
        obj.Metadata.Arr("ownerReferences").Objects().FirstOrDefault(owner => owner.Bool("controller") == true);

    public static IEnumerable<StoredObject> OwnedBy(this Store store, string table, StoredObject owner) =>
        store.Snapshot(table).Objects.Where(obj => Controller(obj).Str("uid") == owner.Uid);
}
