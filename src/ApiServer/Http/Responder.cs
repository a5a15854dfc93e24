using System.Buffers;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Storage;
using OptiInfra.ApiServer.Tables;
using OptiInfra.ApiServer.Verbs;

namespace OptiInfra.ApiServer.Http;

/// <summary>Writes answers: objects and lists in the form the client asked for, and errors as Status.</summary>
internal sealed class Responder(ApiCore core)
{
    public static async Task WriteJsonAsync(HttpContext http, int status, JsonNode body, string contentType = "application/json")
    {
        await WriteBytesAsync(http, status, JsonBytes.Write(body), contentType).ConfigureAwait(false);
    }

    public static async Task WriteBytesAsync(HttpContext http, int status, ReadOnlyMemory<byte> body, string contentType = "application/json")
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = contentType;
        http.Response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(http.Request.Method))
        {
            await http.Response.BodyWriter.WriteAsync(body, http.RequestAborted).ConfigureAwait(false);
        }
    }

    public static Task WriteTextAsync(HttpContext http, int status, string text) =>
        WriteBytesAsync(http, status, System.Text.Encoding.UTF8.GetBytes(text), "text/plain; charset=utf-8");

    public static Task WriteErrorAsync(HttpContext http, ApiError error)
    {
        if (error.RetryAfterSeconds is { } seconds)
        {
            http.Response.Headers.RetryAfter = seconds.ToString();
        }

        return WriteJsonAsync(http, error.Code, error.ToStatus());
    }

    /// <summary>Answers with one object; its bytes are sent as they are stored where that is possible.</summary>
    public Task WriteObjectAsync(ApiRequest request, int status, JsonObject obj, StoredObject? stored = null)
    {
        AddWarnings(request);
        switch (request.Accept.As)
        {
            case Representation.Table when obj.Str("kind") != "Status":
                return WriteAsync(request, status, TableRenderer.Of(core, request, [obj], obj.Obj("metadata").Str("resourceVersion") ?? "", null, null));
            case Representation.PartialObjectMetadata when obj.Str("kind") != "Status":
                return WriteAsync(request, status, Partial(obj));
            case Representation.PartialObjectMetadataList when obj.Str("kind") != "Status":
                throw ApiError.NotAcceptable(
                    $"you requested PartialObjectMetadataList, but the requested object is not a list (*{InternalType(request.Info)})");
            default:
                return stored is not null && !request.Accept.Yaml && VersionConverter.IsStored(request.Info)
                    ? WriteBytesAsync(request.Http, status, stored.Utf8)
                    : WriteAsync(request, status, obj);
        }
    }

    public Task WriteStoredAsync(ApiRequest request, StoredObject stored) =>
        request.Accept is { As: Representation.Full, Yaml: false } && VersionConverter.IsStored(request.Info)
            ? WriteBytesAsync(request.Http, 200, stored.Utf8)
            : WriteObjectAsync(request, 200, VersionConverter.FromStorage(request.Info, stored));

    public Task WriteListAsync(ApiRequest request, Page page)
    {
        AddWarnings(request);
        ResourceInfo info = request.Info;
        switch (request.Accept.As)
        {
            case Representation.Table:
                return WriteAsync(request, 200, TableRenderer.Of(
                    core, request, page.Objects.Select(obj => VersionConverter.FromStorage(info, obj)), page.Revision.ToString(), page.Continue, page.Remaining));
            case Representation.PartialObjectMetadataList:
                JsonArray items = [.. page.Objects.Select(obj => Partial(VersionConverter.FromStorage(info, obj)))];
                return WriteAsync(request, 200, new JsonObject
                {
                    ["kind"] = "PartialObjectMetadataList",
                    ["apiVersion"] = "meta.k8s.io/v1",
                    ["metadata"] = ListMeta(page, info),
                    ["items"] = items.Count == 0 ? null : items,
                });
            case Representation.PartialObjectMetadata:
                throw ApiError.NotAcceptable($"you requested PartialObjectMetadata, but the requested object is a list (*{InternalType(info)}List)");
            default:
                return request.Accept.Yaml
                    ? WriteAsync(request, 200, JsonBytes.ReadObject(EncodeList(info, page)))
                    : WriteBytesAsync(request.Http, 200, EncodeList(info, page));
        }
    }

    public static JsonObject Partial(JsonObject obj) => new()
    {
        ["kind"] = "PartialObjectMetadata",
        ["apiVersion"] = "meta.k8s.io/v1",
        ["metadata"] = obj["metadata"]?.DeepClone(),
    };

    public static JsonObject ListMeta(Page page, ResourceInfo info)
    {
        JsonObject metadata = new() { ["resourceVersion"] = page.Revision.ToString() };
        if (page.Continue is not null || info.IsCustom)
        {
            metadata["continue"] = page.Continue ?? "";
        }

        if (page.Remaining is { } remaining)
        {
            metadata["remainingItemCount"] = remaining;
        }

        return metadata;
    }

    private static byte[] EncodeList(ResourceInfo info, Page page)
    {
        ArrayBufferWriter<byte> buffer = new(256 + page.Objects.Sum(obj => obj.Utf8.Length + 1));
        buffer.Write(System.Text.Encoding.UTF8.GetBytes(
            $"{{\"kind\":\"{info.ListKind}\",\"apiVersion\":\"{info.ApiVersion}\",\"metadata\":{JsonBytes.Text(ListMeta(page, info))},\"items\":["));
        bool first = true;
        foreach (StoredObject obj in page.Objects)
        {
            if (!first)
            {
                buffer.Write(","u8);
            }

            first = false;
            ReadOnlySpan<byte> bytes = VersionConverter.Bytes(info, obj);
            buffer.Write(info.IsCustom ? bytes : WithoutKind(bytes, info));
        }

        buffer.Write("]}"u8);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Items of built-in lists carry no kind and version; both stand first in what the server itself encoded.</summary>
    private static ReadOnlySpan<byte> WithoutKind(ReadOnlySpan<byte> bytes, ResourceInfo info)
    {
        byte[] head = info.ItemHead;
        if (bytes.StartsWith(head))
        {
            byte[] rest = new byte[bytes.Length - head.Length + 1];
            rest[0] = (byte)'{';
            bytes[head.Length..].CopyTo(rest.AsSpan(1));
            return rest;
        }

        JsonObject obj = JsonBytes.ReadObject(bytes);
        obj.Remove("kind");
        obj.Remove("apiVersion");
        return JsonBytes.Write(obj);
    }

    private static Task WriteAsync(ApiRequest request, int status, JsonObject body) => request.Accept.Yaml
        ? WriteBytesAsync(request.Http, status, System.Text.Encoding.UTF8.GetBytes(YamlText.Write(body)), "application/yaml")
        : WriteJsonAsync(request.Http, status, body);

    private static void AddWarnings(ApiRequest request)
    {
        foreach (string warning in request.Warnings)
        {
            request.Http.Response.Headers.Append("Warning", $"299 - {HeaderText(MetadataRules.Quote(warning))}");
        }
    }

    /// <summary>A warning may quote what the client sent; a header takes printable ASCII only.</summary>
    private static string HeaderText(string text) =>
        string.Create(text.Length, text, (span, from) =>
        {
            for (int i = 0; i < span.Length; i++)
            {
                span[i] = from[i] is >= ' ' and <= '~' ? from[i] : '?';
            }
        });

    private static string InternalType(ResourceInfo info) =>
        info.IsCustom ? "unstructured.Unstructured" : $"{(info.Group.Length == 0 ? "core" : info.Group.Split('.')[0])}.{info.Kind}";
}
