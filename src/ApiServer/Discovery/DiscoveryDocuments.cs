using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;

namespace OptiInfra.ApiServer.Discovery;

/// <summary>
/// What the server tells about itself: its version, the groups and resources it serves (one by one, and all in one
/// document for clients that ask so), and where the OpenAPI documents are.
/// </summary>
internal sealed class DiscoveryDocuments
{
    private const string AggregatedType = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

    private readonly OpenApiDocuments openApi = new();

    public Task WriteAsync(HttpContext http, string[] parts, ResourceRegistry.Picture served)
    {
        if (http.Request.Method != "GET")
        {
            throw ApiError.MethodNotAllowed();
        }

        parts = parts is [.., ""] && parts.Length > 1 ? parts[..^1] : parts;
        switch (parts)
        {
            case ["version"]:
                return Responder.WriteJsonAsync(http, 200, Version());
            case ["openapi", ..]:
                return openApi.WriteAsync(http, parts, served);
            case [""]:
                return Responder.WriteJsonAsync(http, 200, new JsonObject { ["paths"] = Paths(served) });
            case ["api"]:
                return Aggregates(http) ? WriteAggregatedAsync(http, served, core: true) : Responder.WriteJsonAsync(http, 200, CoreVersions(http));
            case ["apis"]:
                return Aggregates(http) ? WriteAggregatedAsync(http, served, core: false) : Responder.WriteJsonAsync(http, 200, Groups(served));
            case ["api", "v1"]:
                Aggregates(http, allowed: false);
                return Responder.WriteJsonAsync(http, 200, Resources(served, "", "v1"));
            case ["api", _]:
                throw ApiError.NoSuchResource();
            case ["apis", string group] when served.ServesGroup(group):
                Aggregates(http, allowed: false);
                return Responder.WriteJsonAsync(http, 200, Group(served, group, standalone: true));
            case ["apis", string group, string version] when served.Serves(group, version):
                Aggregates(http, allowed: false);
                return Responder.WriteJsonAsync(http, 200, Resources(served, group, version));
            case ["apis", string group, _] when served.ServesGroup(group) && !served.IsCustomGroup(group):
                throw ApiError.NoSuchResource();
            default:
                return Responder.WriteTextAsync(http, 404, "404 page not found\n");
        }
    }

    /// <summary>Whether the client prefers the aggregated form; asking for nothing else where there is none is 406.</summary>
    private static bool Aggregates(HttpContext http, bool allowed = true)
    {
        string accept = http.Request.Headers.Accept.ToString();
        if (!accept.Contains("as=APIGroupDiscoveryList", StringComparison.Ordinal))
        {
            return false;
        }

        foreach (string entry in accept.Split(','))
        {
            string[] words = entry.Split(';', StringSplitOptions.TrimEntries);
            bool isAggregated = words.Contains("as=APIGroupDiscoveryList");
            if (isAggregated && allowed && words.Contains("v=v2") && words.Contains("g=apidiscovery.k8s.io"))
            {
                return true;
            }

            if (!isAggregated && words[0] is "application/json" or "*/*" or "application/*" or "application/yaml" or "application/vnd.kubernetes.protobuf")
            {
                return false;
            }
        }

        throw ApiError.NotAcceptable(
            "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf");
    }

    private static JsonObject Version() => new()
    {
        ["major"] = "1",
        ["minor"] = "36",
        ["emulationMajor"] = "1",
        ["emulationMinor"] = "36",
        ["minCompatibilityMajor"] = "1",
        ["minCompatibilityMinor"] = "35",
        ["gitVersion"] = "v1.36.2+optiinfra",
        ["gitCommit"] = "",
        ["gitTreeState"] = "clean",
        ["buildDate"] = "1970-01-01T00:00:00Z",
        ["goVersion"] = "",
        ["compiler"] = "dotnet",
        ["platform"] = "linux/amd64",
    };

    private static JsonObject CoreVersions(HttpContext http) => new()
    {
        ["kind"] = "APIVersions",
        ["versions"] = new JsonArray("v1"),
        ["serverAddressByClientCIDRs"] = new JsonArray(new JsonObject { ["clientCIDR"] = "0.0.0.0/0", ["serverAddress"] = http.Request.Host.Value }),
    };

    private static IEnumerable<string> GroupNames(ResourceRegistry.Picture served) =>
        served.All.Select(info => info.Group).Where(group => group.Length > 0).Distinct();

    private static JsonObject Groups(ResourceRegistry.Picture served) => new()
    {
        ["kind"] = "APIGroupList",
        ["apiVersion"] = "v1",
        ["groups"] = new JsonArray([.. GroupNames(served).Select(group => Group(served, group, standalone: false))]),
    };

    private static IEnumerable<string> VersionsOf(ResourceRegistry.Picture served, string group) =>
        served.All.Where(info => info.Group == group).Select(info => info.Version).Distinct().Order(VersionOrder.Instance);

    private static JsonObject Group(ResourceRegistry.Picture served, string group, bool standalone)
    {
        JsonArray versions = [.. VersionsOf(served, group).Select(version => new JsonObject { ["groupVersion"] = $"{group}/{version}", ["version"] = version })];
        JsonObject result = standalone ? new JsonObject { ["kind"] = "APIGroup", ["apiVersion"] = "v1" } : [];
        result["name"] = group;
        JsonNode preferred = versions[0]!.DeepClone();
        result["versions"] = versions;
        result["preferredVersion"] = preferred;
        return result;
    }

    private static JsonObject Resources(ResourceRegistry.Picture served, string group, string version)
    {
        JsonArray resources = [];
        foreach (ResourceInfo info in served.All.Where(info => info.Group == group && info.Version == version))
        {
            JsonObject entry = new()
            {
                ["name"] = info.Plural,
                ["singularName"] = info.Singular,
                ["namespaced"] = info.Namespaced,
                ["kind"] = info.Kind,
                ["verbs"] = Strings(info.IsCustom ? ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"] : info.Verbs),
            };
            AddNames(entry, info);
            if (info.Verbs.Contains("get") && info.Verbs.Contains("create"))
            {
                entry["storageVersionHash"] = StorageHash(info);
            }

            resources.Add((JsonNode)entry);
            foreach (Subresource sub in info.Subresources)
            {
                resources.Add((JsonNode)SubEntry(info, sub));
            }
        }

        JsonObject list = new() { ["kind"] = "APIResourceList" };
        if (group.Length > 0)
        {
            list["apiVersion"] = "v1";
        }

        list["groupVersion"] = group.Length == 0 ? version : $"{group}/{version}";
        list["resources"] = resources;
        return list;
    }

    private static JsonObject SubEntry(ResourceInfo info, Subresource sub)
    {
        JsonObject entry = new() { ["name"] = $"{info.Plural}/{sub.Name}", ["singularName"] = "", ["namespaced"] = info.Namespaced };
        if (sub.Group != info.Group || sub.Version != info.Version)
        {
            entry["group"] = sub.Group;
            entry["version"] = sub.Version;
        }

        if (sub.Group.Length == 0)
        {
            entry.Remove("group");
            entry.Remove("version");
        }

        entry["kind"] = sub.Kind;
        entry["verbs"] = Strings(sub.Verbs);
        return entry;
    }

    private static Task WriteAggregatedAsync(HttpContext http, ResourceRegistry.Picture served, bool core)
    {
        JsonArray items = [];
        foreach (string group in core ? [""] : GroupNames(served))
        {
            JsonArray versions = [];
            foreach (string version in VersionsOf(served, group))
            {
                versions.Add((JsonNode)new JsonObject
                {
                    ["version"] = version,
                    ["resources"] = new JsonArray([.. served.All.Where(info => info.Group == group && info.Version == version).Select(Aggregated)]),
                    ["freshness"] = "Current",
                });
            }

            items.Add((JsonNode)new JsonObject
            {
                ["metadata"] = group.Length == 0 ? [] : new JsonObject { ["name"] = group },
                ["versions"] = versions,
            });
        }

        byte[] body = JsonBytes.Write(new JsonObject
        {
            ["kind"] = "APIGroupDiscoveryList",
            ["apiVersion"] = "apidiscovery.k8s.io/v2",
            ["metadata"] = new JsonObject(),
            ["items"] = items,
        });
        string tag = $"\"{Convert.ToHexString(SHA512.HashData(body))}\"";
        http.Response.Headers.ETag = tag;
        http.Response.Headers.Vary = "Accept";
        if (http.Request.Headers.IfNoneMatch.ToString() == tag)
        {
            http.Response.StatusCode = 304;
            return Task.CompletedTask;
        }

        return Responder.WriteBytesAsync(http, 200, body, AggregatedType);
    }

    private static JsonObject Aggregated(ResourceInfo info)
    {
        JsonObject entry = new()
        {
            ["resource"] = info.Plural,
            ["responseKind"] = ResponseKind(info.IsCustom ? info.Group : "", info.IsCustom ? info.Version : "", info.Kind),
            ["scope"] = info.Namespaced ? "Namespaced" : "Cluster",
            ["singularResource"] = info.Singular,
            ["verbs"] = Strings(info.IsCustom ? ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"] : info.Verbs),
        };
        AddNames(entry, info);
        if (info.Subresources.Count > 0)
        {
            entry["subresources"] = new JsonArray([.. info.Subresources.Select(sub => new JsonObject
            {
                ["subresource"] = sub.Name,
                ["responseKind"] = sub.Group == info.Group && !info.IsCustom || sub.Group.Length == 0
                    ? ResponseKind("", "", sub.Kind)
                    : ResponseKind(sub.Group, sub.Version, sub.Kind),
                ["verbs"] = Strings(sub.Verbs),
            })]);
        }

        return entry;
    }

    private static JsonObject ResponseKind(string group, string version, string kind) => new() { ["group"] = group, ["version"] = version, ["kind"] = kind };

    private static void AddNames(JsonObject entry, ResourceInfo info)
    {
        if (info.ShortNames.Count > 0)
        {
            entry["shortNames"] = Strings(info.ShortNames);
        }

        if (info.Categories.Count > 0)
        {
            entry["categories"] = Strings(info.Categories);
        }
    }

    private static JsonArray Strings(IEnumerable<string> values) => [.. values.Select(value => (JsonNode)JsonValue.Create(value))];

    private static JsonArray Paths(ResourceRegistry.Picture served) => Strings(
        ((IEnumerable<string>)["/api", "/api/v1", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"])
        .Concat(GroupNames(served).Select(group => $"/apis/{group}"))
        .Concat(served.All.Where(info => info.Group.Length > 0).Select(info => $"/apis/{info.ApiVersion}"))
        .Distinct()
        .Order(StringComparer.Ordinal));

    private static string StorageHash(ResourceInfo info)
    {
        string version = info.Group == "events.k8s.io" ? "v1" : info.StorageVersion;
        string group = info.Group == "events.k8s.io" ? "" : info.Group;
        return Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes($"{group}/{version}/{info.Kind}")).AsSpan(0, 8));
    }
}

/// <summary>Versions as Kubernetes ranks them: v2, v1, v1beta2, v1alpha1, then anything else by name.</summary>
internal sealed class VersionOrder : IComparer<string>
{
    public static readonly VersionOrder Instance = new();

    public int Compare(string? x, string? y)
    {
        (int major, int stage, int minor)? left = Parse(x!);
        (int major, int stage, int minor)? right = Parse(y!);
        return (left, right) switch
        {
            (null, null) => string.CompareOrdinal(x, y),
            (null, _) => 1,
            (_, null) => -1,
            _ => Rank(right.Value).CompareTo(Rank(left.Value)),
        };
    }

    private static (int Stage, int Major, int Minor) Rank((int Major, int Stage, int Minor) version) => (version.Stage, version.Major, version.Minor);

    private static (int Major, int Stage, int Minor)? Parse(string version)
    {
        var match = System.Text.RegularExpressions.Regex.Match(version, @"^v(\d+)(?:(alpha|beta)(\d+))?\z");
        if (!match.Success)
        {
            return null;
        }

        int stage = match.Groups[2].Value switch { "alpha" => 0, "beta" => 1, _ => 2 };
        return (int.Parse(match.Groups[1].Value), stage, match.Groups[3].Success ? int.Parse(match.Groups[3].Value) : 0);
    }
}
