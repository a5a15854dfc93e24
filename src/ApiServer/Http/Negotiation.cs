namespace OptiInfra.ApiServer.Http;

/// <summary>In which form the client wants objects.</summary>
internal enum Representation
{
    Full,
    Table,
    PartialObjectMetadata,
    PartialObjectMetadataList,
}

/// <summary>What an Accept header came to: a representation, and JSON or YAML as its text.</summary>
internal sealed record Negotiated(Representation As, bool Yaml, bool Stream = false)
{
    public static readonly Negotiated Json = new(Representation.Full, false);
}

/// <summary>
/// Chooses from an Accept header. Protobuf alone is answered with JSON: every client that asks for it can read JSON
/// too. A known type with unknown parameters is passed over; when nothing is left the answer is 406.
/// </summary>
internal static class Negotiation
{
    private const string Accepted = "application/json, application/yaml, application/vnd.kubernetes.protobuf";

    public static Negotiated Choose(string? accept)
    {
        if (string.IsNullOrWhiteSpace(accept))
        {
            return Negotiated.Json;
        }

        bool knownType = false;
        foreach (string entry in accept.Split(','))
        {
            string[] parts = entry.Split(';', StringSplitOptions.TrimEntries);
            bool? yaml = parts[0] switch
            {
                "application/json" or "*/*" or "application/*" or "application/vnd.kubernetes.protobuf" => false,
                "application/yaml" => true,
                _ => null,
            };
            if (yaml is null)
            {
                continue;
            }

            knownType = true;
            if (RepresentationOf(parts) is { } form)
            {
                return new Negotiated(form, yaml.Value);
            }
        }

        throw knownType
            ? ApiError.NotAcceptable($"only the following media types are accepted: {Accepted}")
            : new ApiError(406, "NotAcceptable", $"406: Not Acceptable\n\nAvailable representations: {Accepted}, application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch", []);
    }

    private static Representation? RepresentationOf(string[] parts)
    {
        string kind = "";
        string group = "";
        string version = "";
        foreach (string part in parts.AsSpan(1))
        {
            int equals = part.IndexOf('=');
            string name = equals < 0 ? part : part[..equals];
            string value = equals < 0 ? "" : part[(equals + 1)..];
            switch (name)
            {
                case "as":
                    kind = value;
                    break;
                case "g":
                    group = value;
                    break;
                case "v":
                    version = value;
                    break;
                case "stream" when value is not ("" or "watch"):
                    return null;
                default:
                    break;
            }
        }

        return (kind, group, version) switch
        {
            ("", _, _) => Representation.Full,
            ("Table", "meta.k8s.io", "v1" or "v1beta1") => Representation.Table,
            ("PartialObjectMetadata", "meta.k8s.io", "v1" or "v1beta1") => Representation.PartialObjectMetadata,
            ("PartialObjectMetadataList", "meta.k8s.io", "v1" or "v1beta1") => Representation.PartialObjectMetadataList,
            _ => null,
        };
    }
}
