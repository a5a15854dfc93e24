using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Http;

namespace OptiInfra.ApiServer.Storage;

/// <summary>
/// One version of one object: its bytes as they are sent, and a parsed view made when somebody first asks. Both are
/// shared by all readers and never change; whoever wants to change an object clones the view.
/// </summary>
internal sealed class StoredObject(string key, long revision, byte[] utf8)
{
    private JsonObject? view;

    /// <summary><c>namespace/name</c>, or the name of a cluster-scoped object; the order of lists.</summary>
    public string Key { get; } = key;

    public long Revision { get; } = revision;

    public byte[] Utf8 { get; } = utf8;

    public JsonObject View => view ??= JsonBytes.ReadObject(Utf8);

    public JsonObject Metadata => (JsonObject)View["metadata"]!;

    public string Uid => Metadata.Str("uid") ?? "";

    public bool IsDeleting => Metadata.ContainsKey("deletionTimestamp");

    public static StoredObject From(string key, long revision, JsonObject obj)
    {
        ((JsonObject)obj["metadata"]!)["resourceVersion"] = revision.ToString();
        return new StoredObject(key, revision, JsonBytes.Write(obj));
    }

    public static string KeyOf(string? ns, string name) => string.IsNullOrEmpty(ns) ? name : $"{ns}/{name}";

    public static (string Namespace, string Name) SplitKey(string key)
    {
        int slash = key.IndexOf('/');
        return slash < 0 ? ("", key) : (key[..slash], key[(slash + 1)..]);
    }
}
