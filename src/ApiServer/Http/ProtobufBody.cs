using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Registry;

namespace OptiInfra.ApiServer.Http;

/// <summary>Reads the protobuf bodies that kubectl sends for its create commands.</summary>
internal static class ProtobufBody
{
    public static JsonObject DeleteOptions(byte[] body) => body.Length == 0 ? [] : throw ApiError.UnsupportedMediaType("protobuf DeleteOptions are not read");

    public static JsonObject Decode(byte[] body, ResourceInfo info) => throw ApiError.UnsupportedMediaType(
        $"the body of the request was in an unknown format - accepted media types include: application/json, application/yaml ({info.Kind}, {body.Length} bytes)");
}
