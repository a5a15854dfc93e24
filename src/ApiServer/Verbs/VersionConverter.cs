using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Storage;

namespace OptiInfra.ApiServer.Verbs;

/// <summary>Moves objects between the version they are stored in and the version a request speaks.</summary>
internal static class VersionConverter
{
    /// <summary>True when the stored bytes are what a request for this version gets.</summary>
    public static bool IsStored(ResourceInfo info) => info.FromStorage is null;

    /// <summary>The stored object in the version of the resource; a fresh tree that the caller may change.</summary>
    public static JsonObject FromStorage(ResourceInfo info, StoredObject stored)
    {
        JsonObject obj = stored.View.Clone();
        return info.FromStorage is { } convert ? convert(obj) : obj;
    }

    public static byte[] Bytes(ResourceInfo info, StoredObject stored) =>
        info.FromStorage is null ? stored.Utf8 : JsonBytes.Write(FromStorage(info, stored));

    public static JsonObject ToStorage(ResourceInfo info, JsonObject obj)
    {
        JsonObject stored = info.ToStorage is { } convert ? convert(obj.Clone()) : obj.Clone();
        MetadataOrder.Apply(stored.Ensure("metadata"), sorted: info.IsCustom);
        return stored;
    }
}
