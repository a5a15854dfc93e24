using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using OptiInfra.ApiServer.Apply;
using OptiInfra.ApiServer.Registry;

namespace OptiInfra.ApiServer.Http;

/// <summary>A decoded request body and the members that occurred twice in it.</summary>
internal sealed record Body(JsonObject Object, List<string> Duplicates);

/// <summary>Reads request bodies: bounded in size, as JSON, YAML or (for the kinds clients send so) protobuf.</summary>
internal static class BodyReader
{
    public const int Limit = 3 * 1024 * 1024;

    public const string TypeMetaStruct = "struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }";

    public static async Task<byte[]> ReadBytesAsync(HttpRequest request, CancellationToken cancellation)
    {
        if (request.ContentLength > Limit)
        {
            throw TooLarge();
        }

        PipeReader reader = request.BodyReader;
        while (true)
        {
            ReadResult result = await reader.ReadAsync(cancellation).ConfigureAwait(false);
            if (result.Buffer.Length > Limit)
            {
                reader.AdvanceTo(result.Buffer.End);
                throw TooLarge();
            }

            if (result.IsCompleted)
            {
                byte[] body = result.Buffer.ToArray();
                reader.AdvanceTo(result.Buffer.End);
                return body;
            }

            reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    public static string MediaType(HttpRequest request) => (request.ContentType ?? "").Split(';')[0].Trim().ToLowerInvariant();

    /// <summary>Decodes an object of the given kind; what cannot be one is 400 or 415, worded as by the real server.</summary>
    public static Body Decode(byte[] body, string mediaType, ResourceInfo info)
    {
        List<string> duplicates = [];
        JsonNode? node;
        switch (mediaType)
        {
            case "" or "application/json":
                try
                {
                    node = JsonBytes.Read(body, duplicates);
                }
                catch (JsonException)
                {
                    throw Unrecognized(body, info, "couldn't get version/kind; json parse error: " + JsonBytes.ErrorOf(body), text: true);
                }

                break;
            case "application/yaml":
                node = YamlText.Read(Encoding.UTF8.GetString(body), duplicates);
                break;
            case "application/vnd.kubernetes.protobuf":
                return new Body(ProtobufBody.Decode(body, info), duplicates);
            default:
                throw ApiError.UnsupportedMediaType(
                    "the body of the request was in an unknown format - accepted media types include: " +
                    "application/json, application/yaml, application/vnd.kubernetes.protobuf");
        }

        return node is JsonObject obj
            ? new Body(obj, duplicates)
            : throw Unrecognized(body, info, "couldn't get version/kind; json parse error: " + TypeError(node, TypeMetaStruct), text: false);
    }

    public static string TypeError(JsonNode? node, string type) => $"json: cannot unmarshal {MergePatch.NameOf(node)} into Go value of type {type}";

    private static ApiError Unrecognized(byte[] body, ResourceInfo info, string why, bool text)
    {
        const int shown = 1024;
        string dump = body.Length == 0 ? "<empty>"
            : text && body.AsSpan().IndexOfAnyExceptInRange((byte)0x20, (byte)0x7e) < 0 && body.Length <= shown ? Encoding.UTF8.GetString(body)
            : Convert.ToHexStringLower(body.AsSpan(0, Math.Min(shown, body.Length)));
        return ApiError.BadRequest($"the object provided is unrecognized (must be of type {info.Kind}): {why} ({dump})");
    }

    private static ApiError TooLarge() => ApiError.TooLarge($"Request entity too large: limit is {Limit}");
}
